/* What a fiber does at its end: f5/jobs/defer.lua. */
#ifndef FIBER_FIBER_DEFERRED_H
#define FIBER_FIBER_DEFERRED_H

#include <stdbool.h>

#include <lua.h>

/* deferred([table]) -> the table that the running fiber has for what it does at its end, or nil.
 * With an argument it gets this one, or none (nil). At its end the fiber calls table.run(table, ok,
 * error); an error of it becomes that of the fiber, if there is none yet. Raises outside of a
 * fiber. */
int fiber_lua_deferred(lua_State *L);
/* Pushes that table; pushes nothing and returns false if there is none. */
bool fiber_push_deferred(lua_State *L);

#endif
