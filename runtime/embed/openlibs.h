/* What every Lua state that runs playbooks contains: a state of f5lua, or of a stock lua5.4 that
 * loads f5.so. */
#ifndef EMBED_OPENLIBS_H
#define EMBED_OPENLIBS_H

#include <lua.h>

#include "net/loop.h"

/* Installs fibers on this loop, the compiled-in modules, and the C parts of the f5 module in
 * package.preload. The loop must outlive the state. Leaves the stack unchanged. */
void openlibs_install(lua_State *L, loop *l);

#endif
