/* A require for modules that block while they are loaded. */
#ifndef FIBER_FIBER_REQUIRE_H
#define FIBER_FIBER_REQUIRE_H

#include <lua.h>

/* Replaces require if the state has one. fiber_setup calls this, once for each state. */
void fiber_replace_require(lua_State *L);

#endif
