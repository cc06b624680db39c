/* Fibers of a state: set up once, before scripts run. */
#ifndef FIBER_FIBER_SETUP_H
#define FIBER_FIBER_SETUP_H

#include <lua.h>

#include "net/loop.h"

/* Sets up fibers in this state: keeps the loop (which must outlive the state), replaces the
 * functions of the coroutine library and require. Call once, before scripts run. Uses the extra
 * space of Lua's threads. */
void fiber_setup(lua_State *L, loop *l);

/* What runs at the raise of an error in any fiber (turns it into the value that is reported); a C
 * function, one argument. Not for the cancel error. */
void fiber_set_message_handler(lua_State *L, lua_CFunction handler);
/* Pushes the value that a cancelled fiber raises. The default is the string "cancelled". */
void fiber_set_cancel_error(lua_State *L, lua_CFunction push);
/* Called with each failed fiber that nobody joined: (error value); when its handle is collected, at
 * the latest at the end of main. fiber_unjoined_failures
 * counts them. */
void fiber_set_failure_reporter(lua_State *L, lua_CFunction report);

#endif
