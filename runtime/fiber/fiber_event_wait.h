/* Blocking calls that wait for an event: the one queue of fibers for everything that ends. */
#ifndef FIBER_FIBER_EVENT_WAIT_H
#define FIBER_FIBER_EVENT_WAIT_H

#include <lua.h>

#include "fiber/fiber_event.h"

/* Suspends the calling fiber until the event is signalled; ends a blocking function as fiber_await
 * does. Pushes one value, which `finish` finds on top of the stack. Call it right after the look
 * that found that there is something to wait for: what a finalizer does meanwhile is not missed.
 * owner: index of the value whose memory the event is in; 0: the event is signalled before that
 * goes. */
int fiber_event_await(lua_State *L, fiber_event *event, int owner, lua_KContext context,
                      lua_KFunction finish);

/* Makes the metatable. Once a state (fiber_setup does). */
void fiber_event_wait_setup(lua_State *L);

#endif
