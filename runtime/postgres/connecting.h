/* Opens a connection to a database without blocking: names of hosts are looked up on a thread, each
 * address has a limit of time. Does not use Lua.
 *
 * What still blocks, as libpq has no other way: reading ~/.pgpass, the service file and
 * certificates, a service that an LDAP server describes, and Kerberos, if there is a ticket. */
#ifndef POSTGRES_CONNECTING_H
#define POSTGRES_CONNECTING_H

#include "base/text.h"
#include "net/loop.h"
#include "postgres/library.h"
#include "postgres/resolve.h"
#include "postgres/settings.h"

typedef struct pq_connecting {
  /* the result, when `done` is called: a connection, which the owner takes, or the reason */
  PGconn *opened;
  text problem;
  unsigned place; /* of the address that was opened, in the list of all */
  bool refused;   /* the address cannot be used: that is the user's mistake */
  void (*done)(struct pq_connecting *c);
  /* private */
  loop *l;
  char *conninfo;
  pq_settings settings; /* all hosts that are still to be tried, each with an address */
  unsigned first;       /* of them, the first one of this attempt */
  pq_lookup *lookup;
  PGconn *attempt;
  int fd; /* watched; -1: none */
  loop_timer timer;
} pq_connecting;

/* Starts; tries the addresses from number `first` on. `done` is called later, from the loop. False,
 * and the reason, if it cannot even start; call pq_connecting_end in that case too. */
bool pq_connecting_start(pq_connecting *c, loop *l, const char *conninfo, unsigned first,
                         void (*done)(pq_connecting *c));
/* Gives up, or frees what is left after `done`. */
void pq_connecting_end(pq_connecting *c);

#endif
