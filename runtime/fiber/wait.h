/* What a blocking call waits for: see fiber.h. */
#ifndef FIBER_WAIT_H
#define FIBER_WAIT_H

#include <stdbool.h>

#include <lua.h>

typedef struct fiber fiber;

/* Zero-initialised by its owner, then `abandon` set. Neither callback calls Lua. */
typedef struct fiber_wait {
  bool done;
  bool by_fibers; /* only other fibers can finish it (join, all): the network alone never does */
  /* The wait is given up. May be NULL. */
  void (*abandon)(struct fiber_wait *wait);
  /* The fiber was cancelled: end the work soon; the wait goes on until it is done. NULL: the wait
   * is given up at once. */
  void (*cancel)(struct fiber_wait *wait);
  fiber *waiter;        /* private */
  lua_KFunction finish; /* private */
  lua_KContext context; /* private */
} fiber_wait;

#endif
