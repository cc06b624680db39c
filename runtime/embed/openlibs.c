#include "embed/openlibs.h"

#include <lauxlib.h>

#include "base/json.h"
#include "embed/embedded.h"
#include "f5/module.h"
#include "fiber/fiber_setup.h"
#include "postgres/module.h"
#include "sim/digest.h"
#include "sim/module.h"
#include "sim/native.h"
#include "sim/pem.h"

static const luaL_Reg preloaded[] = {
    {"f5.core", luaopen_f5_core},
    {"f5.json", luaopen_f5_json},
    {"f5.postgres.core", luaopen_f5_postgres},
    {"f5.sim.server", luaopen_f5_sim_server},
    /* The console completes names from the simulator's kinds of objects, which need these
     * modules. */
    {"sim.digest", luaopen_sim_digest},
    {"sim.native", luaopen_sim_native},
    {"sim.pem", luaopen_sim_pem},
    {NULL, NULL},
};

/* The state of a simulated device contains nothing of the client. */
static int open_device(lua_State *L) {
  embedded_install_closed(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_f5_json);
  lua_setfield(L, -2, "f5.json");
  return 0;
}

void openlibs_install(lua_State *L, loop *l) {
  fiber_setup(L, l);
  embedded_install(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, preloaded, 0);
  lua_pop(L, 1); /* preload */
  sim_set_open(open_device);
}
