/* What the Lua code of the device needs from the machine: the Lua module "sim.native". */
#ifndef SIM_NATIVE_H
#define SIM_NATIVE_H

#include <lua.h>

/* micros() -> microseconds since the epoch. random(n) -> n bytes. make_directory() -> path of a new
 * temporary directory. copy(table) -> a table with the same contents and metatable. pieces(): see
 * sim/pieces.h. */
int luaopen_sim_native(lua_State *L);

#endif
