/* A transaction without Lua: who keeps it, its keep-alive, and how it is abandoned.
 *
 * References: the userdata has one, the session's list of open ones another. Its own call (one at a
 * time) does what no fiber waits for.
 */
#ifndef F5_TRANSACTION_STATE_H
#define F5_TRANSACTION_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "f5/session/call.h"
#include "f5/session/session.h"
#include "fiber/fiber_event.h"

#define TRANSACTION_LONGEST 64

/* What its own call is doing. */
typedef enum step { STEP_NONE, STEP_ADD, STEP_REMOVE, STEP_BEGIN, STEP_ABANDON } step;

typedef struct f5_transaction f5_transaction;
struct f5_transaction {
  f5_session *session;
  f5_transaction *next, **link; /* of the session's open ones, which keep it */
  unsigned references;
  bool open; /* on the device, as far as we know */
  bool held; /* no keep-alive for now */
  bool committing;
  step step;
  int64_t id;
  int64_t timeout, execution_timeout; /* seconds, as the device says */
  bool validates;                     /* the device knows validateOnly */
  char header[TRANSACTION_LONGEST], path[TRANSACTION_LONGEST], command[2 * TRANSACTION_LONGEST];
  uint64_t keep_ms; /* 0: no keep-alive */
  loop_timer timer;
  f5_call call;
  unsigned started,
      answered; /* commands that were sent, and that the device certainly queued or refused */
  const char *last_method; /* the last command, for the keep-alive; NULL: none is left */
  char *last_path, *last_body;
  size_t last_length;
  fiber_event settled; /* its own call has ended */
};

/* A transaction of this id that is open and listed, with two references and no timer running. NULL
 * without memory. */
f5_transaction *transaction_new(f5_session *session, int64_t id);
void transaction_release(f5_transaction *tx);
/* It is no more on the device, or nobody cares. */
void transaction_ended(f5_transaction *tx);
/* Has it deleted; nothing of it is carried out. Nothing if it is not open. */
void transaction_abandon(f5_transaction *tx);
/* The script has lost it: it is abandoned from the loop (a finalizer does no network I/O). */
void transaction_orphan(f5_transaction *tx);
/* The keep-alive waits its whole time again, if it is wanted. */
void transaction_restart_timer(f5_transaction *tx);
/* Remembers the command as the last one, for the keep-alive, or (NULL) that there is none. An older
 * one stays while it is being sent. */
void transaction_set_last(f5_transaction *tx, const http_request *request);
/* Abandons every open transaction of a session that ends; they are deleted with its last token
 * still alive. */
void transaction_end_all(f5_session *session);
/* Forgets them without a call. */
void transaction_drop_all(f5_session *session);

#endif
