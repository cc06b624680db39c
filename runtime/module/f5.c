/* f5.so: the f5 module for a stock lua5.4.
 *
 *   local f5 = require "f5"
 *   f5.run(function() … end)       -- fibers; returns what the function returns
 *
 * Without f5.run everything works, but calls do not run concurrently: a call outside of fibers runs
 * the loop until it is done. When the Lua state closes, the tokens of open sessions are deleted. */
#include <string.h>

#include <lauxlib.h>

#include "embed/embedded.h"
#include "embed/openlibs.h"
#include "f5/module.h"
#include "fiber/fiber.h"

#define EXPORTED __attribute__((visibility("default")))

enum { SHUTDOWN_MS = 5000 };

static int free_loop(lua_State *L) {
  loop **owned = lua_touserdata(L, 1);
  loop_delete(*owned);
  return 0;
}

static int shut_down(lua_State *L) {
  f5_shutdown(L, SHUTDOWN_MS);
  return 0;
}

/* Returns zeroed memory that lives as long as the state; leaves the stack unchanged. Finalizers run
 * in the reverse order of these calls. */
static void *keep(lua_State *L, size_t size, lua_CFunction finalizer) {
  void *block = memset(lua_newuserdatauv(L, size, 0), 0, size);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, finalizer);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_ref(L, LUA_REGISTRYINDEX);
  return block;
}

/* run(function, ...): runs it as fiber 1; returns its results after all other fibers have ended */
static int run(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  int status = fiber_run_main(L, lua_gettop(L) - 1, LUA_MULTRET);
  return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

EXPORTED int luaopen_f5(lua_State *L) {
  loop **kept = keep(L, sizeof *kept, free_loop);
  loop *l = *kept = loop_new();
  if (!l) return luaL_error(L, "f5: not enough memory or file descriptors");
  openlibs_install(L, l);
  const embedded_module *f5 = embedded_find("f5");
  if (embedded_load(L, f5) != LUA_OK) return lua_error(L);
  lua_pushliteral(L, "f5");
  lua_call(L, 1, 1);
  f5_log_configure(L, 0, false); /* creates the core, so that it is finalized after what follows */
  keep(L, 1, shut_down);
  lua_pushcfunction(L, run);
  lua_setfield(L, -2, "run");
  return 1;
}
