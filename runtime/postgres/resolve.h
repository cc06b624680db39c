/* Looks up names of hosts without blocking: getaddrinfo runs on a thread of its own. */
#ifndef POSTGRES_RESOLVE_H
#define POSTGRES_RESOLVE_H

#include "base/text.h"
#include "net/loop.h"

typedef struct pq_lookup pq_lookup;

/* Whether the name needs no lookup: it is an address. */
bool pq_is_address(const char *name);

/* Starts to look up a list of names. Calls done(data) from the loop. NULL if out of memory,
 * descriptors or threads. */
pq_lookup *pq_lookup_start(loop *l, const char *const *names, unsigned count,
                           void (*done)(void *data), void *data);
/* The addresses of a name, with commas between them; empty: see pq_lookup_problem. Only after
 * `done` was called. */
const char *pq_lookup_addresses(const pq_lookup *lookup, unsigned name);
const char *pq_lookup_problem(const pq_lookup *lookup, unsigned name);
/* Ends the lookup, which may be running, and frees it. `done` is not called any more. */
void pq_lookup_end(pq_lookup *lookup);

#endif
