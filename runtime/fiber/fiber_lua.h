/* The functions for scripts: spawn, all, sleep and the methods of a fiber. */
#ifndef FIBER_FIBER_LUA_H
#define FIBER_FIBER_LUA_H

#include <lua.h>

/* spawn(fn, ...) -> fiber. The fiber starts when the caller waits next. Methods: join() returns its
 * results or raises its error value. cancel() raises the cancel error at its wait, once; a fiber
 * that has not started never runs. status() returns "running", "done", "failed" or "cancelled".
 * `name` can be set. A `<close>` variable with a fiber cancels it and waits for it.
 *
 * all(fn, ...) -> the first result of each function, in order. all { fn, ... } -> the same in a
 * table, with the number of functions in n. The first failure cancels the other fibers, waits for
 * their end, and is raised. If the caller is cancelled, all of them are.
 *
 * sleep(seconds). Fractions are allowed; 0 lets other fibers run. */
int fiber_lua_spawn(lua_State *L);
int fiber_lua_all(lua_State *L);
int fiber_lua_sleep(lua_State *L);

/* Creates the metatables. fiber_setup calls this, once for each state. */
void fiber_lua_setup(lua_State *L);

#endif
