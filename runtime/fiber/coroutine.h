/* Coroutines in which calls may block. */
#ifndef FIBER_COROUTINE_H
#define FIBER_COROUTINE_H

#include <lua.h>

/* Replaces the functions of the coroutine library. fiber_setup calls this, once for each state. */
void fiber_replace_coroutine(lua_State *L);

#endif
