/* Sets up fibers in a Lua state. */
#ifndef FIBER_FIBER_SETUP_H
#define FIBER_FIBER_SETUP_H

#include <lua.h>

#include "net/loop.h"

/* Sets up fibers in this state. Keeps the loop, which must outlive the state. Replaces the
 * functions of the coroutine library and require. Uses the extra space of Lua's threads. Call it
 * once, before scripts run. */
void fiber_setup(lua_State *L, loop *l);

/* Sets the message handler of all fibers: a C function with one argument, the error, that returns
 * the value to be reported. It is not called for the cancel error. */
void fiber_set_message_handler(lua_State *L, lua_CFunction handler);
/* Sets the function that pushes the error of a cancelled fiber. The default is the string
 * "cancelled". */
void fiber_set_cancel_error(lua_State *L, lua_CFunction push);
/* Sets the function that is called with the error of each failed fiber that nobody joined: when its
 * handle is collected, or at the end of main. fiber_unjoined_failures counts them. */
void fiber_set_failure_reporter(lua_State *L, lua_CFunction report);

#endif
