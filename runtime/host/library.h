/* The module "f5.host": what the subcommands in Lua need from the program. Not for playbooks. */
#ifndef HOST_LIBRARY_H
#define HOST_LIBRARY_H

#include <lua.h>

int luaopen_f5_host(lua_State *L);

#endif
