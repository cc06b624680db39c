/* What the Lua code of the device needs from the machine: the Lua module "sim.native". */
#ifndef SIM_NATIVE_H
#define SIM_NATIVE_H

#include <lua.h>

/* micros() -> microseconds since the epoch. random(n) -> n bytes. make_directory() -> path of a new
 * temporary directory. */
int luaopen_sim_native(lua_State *L);

#endif
