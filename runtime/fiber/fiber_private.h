/* What fiber.c gives the other files of this folder. */
#ifndef FIBER_FIBER_PRIVATE_H
#define FIBER_FIBER_PRIVATE_H

#include <stdbool.h>

#include <lua.h>

#include "fiber/fiber_scheduler.h"

/* Makes a fiber of the function and arguments on top of the stack; leaves the handle there. It
 * starts with the next turn. */
fiber *fiber_new(lua_State *L, int arguments);
/* Asks it to end. Never calls Lua. */
void fiber_cancel(fiber *f);
/* Pushes a copy of each result, or of the error value, of a fiber at its end; returns the number.
 */
int fiber_push_outcome(lua_State *L, fiber *f);
/* Whether the value on top of the stack is what the running fiber's cancellation raised. */
bool fiber_is_cancel_error(lua_State *L);
/* Somebody has seen its error. */
void fiber_set_joined(fiber *f);
/* lua_resume with the bookkeeping for interrupts. *blocked: it was suspended by a blocking call,
 * which must be passed up or waited for. */
int fiber_resume_thread(fiber_scheduler *s, lua_State *L, lua_State *co, int arguments,
                        int *results, bool *blocked);
/* A blocking call below can yield no further up than L: waits for it here. Go on with the thread in
 * any case afterwards. */
void fiber_pump(fiber_scheduler *s, lua_State *L, fiber_wait *wait);
/* Whether L can be left by a private yield. */
bool fiber_can_yield(fiber_scheduler *s, lua_State *L);

#endif
