/* An open connection to a database: statements wait in line, notifications arrive. Does not use
 * Lua.
 *
 * Several fibers may use one connection. Their statements are carried out one after the other. A
 * hold keeps the others out, for a transaction. A statement that was sent is carried out even if
 * nobody waits for it any more; its result is thrown away. */
#ifndef POSTGRES_CONNECTION_H
#define POSTGRES_CONNECTION_H

#include "base/text.h"
#include "fiber/fiber_event.h"
#include "net/loop.h"
#include "postgres/library.h"

typedef struct pq_connection pq_connection;
typedef struct pq_statement pq_statement;

struct pq_statement {
  void (*done)(pq_statement *s); /* NULL: nobody waits */
  void *data;                    /* of the owner */
  PGresult *result;              /* NULL: see `failure` */
  const char *failure;           /* without a result; NULL: a hold */
  bool sent;                     /* it may have been carried out */
  bool finished;
  /* private: `text` and the parameters are one block of memory behind the struct */
  pq_statement *next;
  pq_connection *connection;
  unsigned hold;
  bool takes_hold;
  bool simple;
  const char *text;
  int count;
  const Oid *types;
  const char *const *values;
  const int *lengths, *formats;
};

typedef struct pq_notification {
  struct pq_notification *next;
  PGnotify *notify;
} pq_notification;

struct pq_connection {
  loop *l;
  PGconn *c;               /* NULL: closed, or lost */
  text lost;               /* why it was lost */
  text notices;            /* what the server said besides, at most some kilobytes */
  fiber_event changed;     /* a notification has arrived, or the connection is lost */
  unsigned place;          /* of the owner: which of the addresses it is */
  unsigned waiters;        /* how many wait for a notification */
  pq_notification *queued; /* the oldest first */
  /* private */
  pq_statement *first;
  pq_statement *running;
  unsigned held, last_hold; /* 0: nobody holds it */
  unsigned limit_ms;        /* for an answer */
  loop_timer timer;
  int fd;          /* watched; -1: none */
  unsigned events; /* for which */
};

/* Takes an open PGconn. limit_ms: a server that does not answer within this time is dead. */
void pq_connection_open(pq_connection *c, loop *l, PGconn *opened, unsigned limit_ms);
/* Ends it at once: what is under way fails. Frees its memory. May be called again. */
void pq_connection_close(pq_connection *c);

/* A statement that waits in line; call pq_statement_end once. `hold`: 0, or the hold that it
 * belongs to. */
void pq_statement_queue(pq_connection *c, pq_statement *s, unsigned hold);
/* Nobody waits for it any more: it leaves the line, or goes on alone. Frees it, now or later. */
void pq_statement_end(pq_statement *s);

/* A number for a new hold; a statement with takes_hold waits until nobody else has one. */
unsigned pq_connection_next_hold(pq_connection *c);
/* Lets the others go on. A transaction that is still open ends with its connection. */
void pq_connection_release(pq_connection *c, unsigned hold);

/* Watches the socket while somebody waits for notifications. */
void pq_connection_wait(pq_connection *c, bool waits);
/* The oldest notification, which the caller frees; NULL: none. */
PGnotify *pq_connection_take(pq_connection *c);

#endif
