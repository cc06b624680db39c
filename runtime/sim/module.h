/* Simulated devices for Lua: the module "f5.sim.server", below lualib/f5/sim.lua. */
#ifndef SIM_MODULE_H
#define SIM_MODULE_H

#include <lua.h>

#include "sim/server.h"

/* Sets how the Lua states of devices find their modules. Call it once, before the first start.
 * Without it f5.sim.server refuses to start. */
void sim_set_open(lua_CFunction open);

/* start{ bind=, port=, hostname=, cert=, key=, body_limit=, device=JSON text } -> server. A server
 * has call(name, text) -> text, stop(), port and ca; with `source` also source_fd, wanted and
 * answer. pause(seconds) -> true if a signal ended the
 * pause. */
int luaopen_f5_sim_server(lua_State *L);

#endif
