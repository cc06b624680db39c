/* What every Lua state that runs playbooks is opened with: f5lua's own, and that of a stock lua5.4
 * which loads f5.so.
 */
#ifndef EMBED_OPENLIBS_H
#define EMBED_OPENLIBS_H

#include <lua.h>

#include "net/loop.h"

/* Fibers on this loop, the modules that are compiled in, and the C parts of the f5 module in
 * package.preload. The loop must outlive the state. Leaves the stack as it was. */
void openlibs_install(lua_State *L, loop *l);

#endif
