/* Simulated devices for Lua: the module "f5.sim.server", below lualib/f5/sim.lua. */
#ifndef SIM_MODULE_H
#define SIM_MODULE_H

#include <lua.h>

#include "sim/server.h"

/* Says how the devices' own Lua states find their modules. Once, before the first start;
 * f5.sim.server refuses to start otherwise. */
void sim_set_open(lua_CFunction open);

/* start{ bind=, port=, hostname=, cert=, key=, body_limit=, device=JSON text } -> server:
 * call(name, text) -> text, stop(), port, ca. pause(seconds) -> true if a signal ended it. */
int luaopen_f5_sim_server(lua_State *L);

#endif
