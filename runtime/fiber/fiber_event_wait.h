/* Blocking functions that wait for an event. */
#ifndef FIBER_FIBER_EVENT_WAIT_H
#define FIBER_FIBER_EVENT_WAIT_H

#include <lua.h>

#include "fiber/fiber_event.h"

/* Suspends the calling fiber until the event is signalled. Ends a blocking function, like
 * fiber_await. Pushes one value; `finish` finds it on top of the stack. First check that the event
 * is still to come, then call this at once: signals from a finalizer that runs meanwhile are not
 * missed. owner: stack index of the value that contains the event. 0: nothing needs to be kept,
 * because the event is signalled before its memory is freed. */
int fiber_event_await(lua_State *L, fiber_event *event, int owner, lua_KContext context,
                      lua_KFunction finish);

/* Creates the metatable. fiber_setup calls this, once for each state. */
void fiber_event_wait_setup(lua_State *L);

#endif
