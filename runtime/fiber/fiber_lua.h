/* What scripts call: spawn, all, sleep and the methods of a fiber. */
#ifndef FIBER_FIBER_LUA_H
#define FIBER_FIBER_LUA_H

#include <lua.h>

/* spawn(fn, ...) -> fiber. It starts when the caller waits next. Methods: join() returns its
 * results or rethrows its error value; cancel() raises the cancel error at its wait, once (not at
 * all, and it never runs, when it had not started); status() is "running", "done", "failed" or
 * "cancelled"; name can be set; as a `<close>` variable it is cancelled and waited for.
 *
 * all(fn, ...) -> the first result of each, in order. all { fn, ... } -> the same in a table with
 * its count in n. The first failure cancels the rest, waits for their end and is rethrown;
 * cancelling the caller cancels all of them.
 *
 * sleep(seconds), with fractions; 0 lets the others run. */
int fiber_lua_spawn(lua_State *L);
int fiber_lua_all(lua_State *L);
int fiber_lua_sleep(lua_State *L);

/* Makes the metatables. Once a state (fiber_setup does). */
void fiber_lua_setup(lua_State *L);

#endif
