/* Fibers: Lua coroutines that wait for the loop. The main script is fiber 1.
 *
 * A blocking C function starts its operation and ends with `return fiber_await(L, &op->wait,
 * context, finish)`. The fiber sleeps while the loop runs the operation. When the operation is
 * finished, call fiber_wake(&op->wait). Then `finish(L, LUA_YIELD or LUA_OK, context)` returns the
 * results; it finds the stack as the function left it.
 *
 * This works at any depth of user coroutines (coroutine.resume and wrap pass the wait up, so
 * scripts do not notice it), in metamethods, iterators, pcall, require and `<close>`. In some
 * places Lua cannot yield: callbacks of table.sort and string.gsub, readers of load, message
 * handlers, __gc, coroutine.close, code outside of any fiber. There, fiber_await runs the loop
 * until this one operation is done, and no other fiber runs. If the wait is for fibers (join, all),
 * the others do run, but only one level deep: a second such wait inside raises an error.
 *
 * The operation must be owned by a value on the Lua stack of the calling function (a userdata with
 * a __gc that frees it), so that an error or a cancellation cannot leak it. `abandon` is called
 * when the waiting fiber is cancelled: stop the work, and do not call Lua. The fiber raises the
 * cancel error when it continues. If every fiber waits and there is no timer, request or watched
 * descriptor, one fiber gets a deadlock error. */
#ifndef FIBER_FIBER_H
#define FIBER_FIBER_H

#include <stdbool.h>

#include <lua.h>

#include "fiber/wait.h"
#include "net/loop.h"

/* The loop of the state. */
loop *fiber_loop(lua_State *L);

/* Runs the function and its nargs arguments on top of the stack as fiber 1, and runs the loop until
 * it ends. Do not call this inside a fiber. Then cancels the other fibers and waits for them.
 * Leaves the results or the error value on the stack (the message handler may have added a
 * traceback). Returns LUA_OK or an error status. May be called again. */
int fiber_run_main(lua_State *L, int nargs, int nresults);

/* Suspends the calling fiber until wait->done. Raises the cancel error if the fiber is cancelled
 * meanwhile. */
int fiber_await(lua_State *L, fiber_wait *wait, lua_KContext context, lua_KFunction finish);
/* The operation is finished: its fiber becomes ready. Does not use Lua, so callbacks of the loop
 * can call it. */
void fiber_wake(fiber_wait *wait);

/* Counts the failed fibers that nobody joined, since the state was created. */
int fiber_unjoined_failures(lua_State *L);

/* Cancels every fiber of the state (SIGINT, SIGTERM). A waiting fiber raises the cancel error at
 * its wait, running Lua code at its next instruction (a debug hook); each fiber once.
 * Async-signal-safe if L is the main thread of the state. */
void fiber_interrupt(lua_State *L);
/* Whether fiber_interrupt was called since the last fiber_run_main began. */
bool fiber_interrupted(lua_State *L);

/* Ctrl-C for a single fiber, for a console. Sets the fiber that fiber_interrupt_foreground cancels:
 * its handle is at `index`; 0: no fiber for now. Each call of fiber_interrupt_foreground cancels it
 * again. */
void fiber_set_foreground(lua_State *L, int index);
/* Cancels the foreground fiber. Its Lua code stops at its next instruction. If it is called twice
 * before that, cancels whichever fiber keeps the others from running. Returns false if no
 * foreground was ever set: then the signal should end the whole run. Async-signal-safe if L is the
 * main thread of the state. */
bool fiber_interrupt_foreground(lua_State *L);
/* Whether the calling fiber was asked to end. C code that blocks outside of the loop should stop
 * then. */
bool fiber_ending(lua_State *L);

#endif
