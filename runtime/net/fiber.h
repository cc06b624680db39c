/* Fibers: Lua coroutines that wait for the loop. The main script is fiber 1.
 *
 * A blocking C function starts its operation, then ends with `return fiber_await(L, &op->wait, context, finish)`. The
 * fiber sleeps, the loop runs the operation, whoever finishes it calls fiber_wake(&op->wait), and `finish(L, LUA_YIELD
 * or LUA_OK, context)` returns the results. Where a yield is impossible (table.sort, gsub callbacks, __gc-free C
 * boundaries) the loop is pumped inside fiber_await until this one operation is done; no other fiber is resumed
 * meanwhile.
 *
 * The operation must be owned by a value on the Lua stack of the calling function (a userdata whose __gc frees it), so
 * that an error or a cancellation cannot leak it. `abandon` is called when the waiting fiber is cancelled or dies: stop
 * the work, never call Lua.
 */
#ifndef NET_FIBER_H
#define NET_FIBER_H

#include <stdbool.h>

#include <lua.h>

#include "net/loop.h"

typedef struct fiber fiber;
/* Zero-initialised by its owner, then `abandon` set. */
typedef struct fiber_wait {
  bool done;
  bool by_fibers;                           /* private: only other fibers can finish it (join, all) */
  fiber *waiter;                            /* private */
  void (*abandon)(struct fiber_wait *wait); /* may be NULL */
  lua_KFunction finish;                     /* private */
  lua_KContext context;                     /* private */
} fiber_wait;

/* Sets up fibers in this state: keeps loop, replaces coroutine.resume, wrap and close and require by versions that let
 * a blocking call inside a user's coroutine or a module's main chunk suspend the whole fiber. Call once, before scripts
 * run. */
void fiber_setup(lua_State *L, loop *l);
loop *fiber_loop(lua_State *L);

/* Runs the function and its nargs arguments on top of the stack as fiber 1, and the loop until it ends. Other fibers
 * still alive then are cancelled and waited for. Leaves results or the error value (with traceback: see
 * fiber_set_message_handler) on the stack; returns LUA_OK or an error status. */
int fiber_run_main(lua_State *L, int nargs, int nresults);

/* Suspends the calling fiber until wait->done; see above. Raises the cancel error if the fiber is cancelled meanwhile.
 */
int fiber_await(lua_State *L, fiber_wait *wait, lua_KContext context, lua_KFunction finish);
/* The operation is finished: its fiber becomes ready. Called from loop callbacks (never needs Lua). */
void fiber_wake(fiber_wait *wait);

/* What runs at the raise of an error in any fiber (turns it into the value that is reported); a C function, one
 * argument. */
void fiber_set_message_handler(lua_State *L, lua_CFunction handler);
/* Pushes the value that a cancelled fiber raises. The default is the string "cancelled". */
void fiber_set_cancel_error(lua_State *L, lua_CFunction push);
/* Called with each failed fiber that nobody joined: (error value). fiber_unjoined_failures counts them. */
void fiber_set_failure_reporter(lua_State *L, lua_CFunction report);
int fiber_unjoined_failures(lua_State *L);

/* Cancels every fiber of the state (SIGINT, SIGTERM): each raises the cancel error at its next or present wait, once,
 * and running Lua code at its next instruction (a debug hook). Async-signal-safe. */
void fiber_interrupt(lua_State *L);
bool fiber_interrupted(lua_State *L);

/* Lua functions, for the f5 module: spawn(fn, ...) -> fiber handle with join(), cancel(), status(), name;
 * all{fn, ...} or all(fn, ...) -> results in order, first failure cancels the rest and is rethrown;
 * sleep(seconds). */
int fiber_lua_spawn(lua_State *L);
int fiber_lua_all(lua_State *L);
int fiber_lua_sleep(lua_State *L);

#endif
