/* What fiber.c offers to the other files of this folder. */
#ifndef FIBER_FIBER_PRIVATE_H
#define FIBER_FIBER_PRIVATE_H

#include <stdbool.h>

#include <lua.h>

#include "fiber/fiber_scheduler.h"

/* Creates a fiber from the function and the arguments on top of the stack, and leaves its handle
 * there. It starts in the next turn. */
fiber *fiber_new(lua_State *L, int arguments);
/* Asks the fiber to end. Does not use Lua. */
void fiber_cancel(fiber *f);
/* Pushes a copy of each result, or of the error value, of an ended fiber. Returns how many. */
int fiber_push_outcome(lua_State *L, fiber *f);
/* Whether the value on top of the stack is the cancel error of the running fiber. */
bool fiber_is_cancel_error(lua_State *L);
/* Somebody has seen the fiber's error. */
void fiber_set_joined(fiber *f);
/* Like lua_resume, and keeps track of the running thread for interrupts. *blocked: a blocking call
 * suspended it; pass the yield up, or wait. */
int fiber_resume_thread(fiber_scheduler *s, lua_State *L, lua_State *co, int arguments,
                        int *results, bool *blocked);
/* Waits here for a blocking call that cannot yield further up than L. Afterwards resume the thread
 * in any case. */
void fiber_pump(fiber_scheduler *s, lua_State *L, fiber_wait *wait);
/* Whether a private yield can leave L. */
bool fiber_can_yield(fiber_scheduler *s, lua_State *L);

#endif
