/* Fibers: Lua coroutines that wait for the loop. The main script is fiber 1.
 *
 * A blocking C function starts its operation, then ends with `return fiber_await(L, &op->wait,
 * context, finish)`. The fiber sleeps, the loop runs the operation, whoever finishes it calls
 * fiber_wake(&op->wait), and `finish(L, LUA_YIELD or LUA_OK, context)` returns the results, on the
 * stack as the function left it.
 *
 * This works at any depth of user coroutines (they do not see it: coroutine.resume and wrap pass
 * the wait up), in metamethods, iterators, pcall, require and `<close>`. Where Lua cannot yield
 * (callbacks of table.sort and string.gsub, readers of load, message handlers, __gc,
 * coroutine.close, code outside of any fiber) the loop is run inside fiber_await until this one
 * operation is done; no other fiber runs meanwhile. To join fibers there, the others do run, but
 * one level deep only: a second such join inside of it raises an error.
 *
 * The operation must be owned by a value on the Lua stack of the calling function (a userdata whose
 * __gc frees it), so that an error or a cancellation cannot leak it. `abandon` is called when the
 * waiting fiber is cancelled: stop the work, never call Lua; the cancel error is raised when the
 * fiber goes on. When every fiber waits and no timer, request or watched descriptor is left, one of
 * them gets an error that says so. */
#ifndef FIBER_FIBER_H
#define FIBER_FIBER_H

#include <stdbool.h>

#include <lua.h>

#include "fiber/wait.h"
#include "net/loop.h"

/* The loop of the state. */
loop *fiber_loop(lua_State *L);

/* Runs the function and its nargs arguments on top of the stack as fiber 1, and the loop until it
 * ends; not from inside of a fiber. Other fibers still alive then are cancelled and waited for.
 * Leaves results or the error value (with traceback: see fiber_set_message_handler) on the stack;
 * returns LUA_OK or an error status. May be called again. */
int fiber_run_main(lua_State *L, int nargs, int nresults);

/* Suspends the calling fiber until wait->done; see above. Raises the cancel error if the fiber is
 * cancelled meanwhile.
 */
int fiber_await(lua_State *L, fiber_wait *wait, lua_KContext context, lua_KFunction finish);
/* The operation is finished: its fiber becomes ready. Called from loop callbacks (never needs Lua).
 */
void fiber_wake(fiber_wait *wait);

/* Failed fibers that nobody joined, since the state was made. */
int fiber_unjoined_failures(lua_State *L);

/* Cancels every fiber of the state (SIGINT, SIGTERM): each raises the cancel error at its next or
 * present wait, once, and running Lua code at its next instruction (a debug hook).
 * Async-signal-safe with the main thread of the state. */
void fiber_interrupt(lua_State *L);
/* Since the present or last fiber_run_main began. */
bool fiber_interrupted(lua_State *L);

/* Ctrl-C for one fiber alone, as a console wants it. The fiber whose handle is at `index` (0: none
 * at present) is the one that fiber_interrupt_foreground cancels, anew each time it is called. */
void fiber_set_foreground(lua_State *L, int index);
/* Async-signal-safe with the main thread of the state. False if no foreground was ever set: then
 * the signal ends the whole run. Running Lua code of the foreground is reached at its next
 * instruction; asked for twice before anything came of it, whatever fiber keeps the others from
 * running is cancelled. */
bool fiber_interrupt_foreground(lua_State *L);
/* Whether the calling fiber has been asked to end: for C code that blocks outside of the loop and
 * should give up. */
bool fiber_ending(lua_State *L);

#endif
