/* What a blocking call waits for. See fiber.h. */
#ifndef FIBER_WAIT_H
#define FIBER_WAIT_H

#include <stdbool.h>

#include <lua.h>

typedef struct fiber fiber;

/* Initialise it with zeros, then set `abandon`. The callbacks but `explain`
 * must not call Lua. */
typedef struct fiber_wait {
  bool done;
  bool by_fibers; /* only other fibers can finish it (join, all), never the network alone */
  /* Gives up the wait. May be NULL. */
  void (*abandon)(struct fiber_wait *wait);
  /* The fiber was cancelled: end the work soon. The wait goes on until it is done. If this is NULL,
   * the wait is given up at once. */
  void (*cancel)(struct fiber_wait *wait);
  /* Completes the cancel error, the table on top of the stack. May be NULL. */
  void (*explain)(struct fiber_wait *wait, lua_State *L);
  fiber *waiter;        /* private */
  lua_KFunction finish; /* private */
  lua_KContext context; /* private */
} fiber_wait;

#endif
