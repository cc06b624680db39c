#include "f5/session/core.h"

#include <time.h>

#include <lauxlib.h>

#include "fiber/fiber.h"

static const char core_key; /* its address is the key in the registry */

volatile sig_atomic_t core_open_sessions;

/* Runs in lua_close if f5_shutdown was not called: nothing may call back into this state. */
static int collect(lua_State *L) {
  f5_core *core = lua_touserdata(L, 1);
  if (core->at_exit) core->at_exit(core);
  text_free(&core->cut_off);
  return 0;
}

f5_core *core_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &core_key);
  f5_core *core = lua_touserdata(L, -1);
  lua_pop(L, 1); /* core or nil; the registry keeps it */
  if (core) return core;
  core = lua_newuserdatauv(L, sizeof *core, 0);
  *core = (f5_core){.loop = fiber_loop(L)};
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  core->random = ((uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec ^ (uintptr_t)core) | 1;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &core_key);
  return core;
}

uint64_t core_random(f5_core *core, uint64_t below) {
  core->random ^= core->random << 13; /* xorshift64 */
  core->random ^= core->random >> 7;
  core->random ^= core->random << 17;
  return below ? core->random % below : 0;
}
