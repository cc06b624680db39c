#include "sim/module.h"
#include "base/metatable.h"

#include <stdlib.h>
#include <time.h>

#include <lauxlib.h>

#define SERVER_TYPE "f5.sim.server"

static lua_CFunction device_open;

void sim_set_open(lua_CFunction open) {
  device_open = open;
}

static const char *text_option(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  if (!lua_isnil(L, -1) && !lua_isstring(L, -1)) luaL_error(L, "%s must be a string", name);
  return lua_tostring(L, -1); /* stays on the stack, which keeps it */
}

static lua_Integer number_option(lua_State *L, const char *name, lua_Integer most) {
  lua_getfield(L, 1, name);
  int is_integer = 1;
  lua_Integer value = lua_isnil(L, -1) ? 0 : lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || value < 0 || value > most)
    luaL_error(L, "%s must be a number from 0 to %I", name, most);
  lua_pop(L, 1);
  return value;
}

static int server_start(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (!device_open) return luaL_error(L, "this program cannot run simulated devices");
  sim_options options = {.port = (uint16_t)number_option(L, "port", 65535),
                         .body_limit = (size_t)number_option(L, "body_limit", (lua_Integer)1 << 40),
                         .open = device_open};
  lua_getfield(L, 1, "fleet");
  options.fleet = lua_toboolean(L, -1);
  lua_getfield(L, 1, "source");
  options.source = lua_toboolean(L, -1);
  options.bind = text_option(L, "bind");
  options.hostname = text_option(L, "hostname");
  options.cert = text_option(L, "cert");
  options.key = text_option(L, "key");
  options.device = text_option(L, "device");
  sim_server **slot = lua_newuserdatauv(L, sizeof *slot, 0);
  *slot = NULL;
  luaL_setmetatable(L, SERVER_TYPE);
  char error[1024] = "";
  *slot = sim_server_start(&options, error, sizeof error);
  if (!*slot) return luaL_error(L, "%s", error);
  return 1;
}

static sim_server *check_server(lua_State *L) {
  sim_server **slot = luaL_checkudata(L, 1, SERVER_TYPE);
  if (!*slot) luaL_error(L, "the simulated device is stopped");
  return *slot;
}

static int server_call(lua_State *L) {
  sim_server *server = check_server(L);
  const char *name = luaL_checkstring(L, 2);
  size_t length, size = 0;
  const char *text = luaL_optlstring(L, 3, "", &length);
  bool ok = false;
  char *result = sim_server_call(server, name, text, length, &size, &ok);
  if (!result) return luaL_error(L, "not enough memory");
  lua_pushlstring(L, result, size);
  free(result);
  return ok ? 1 : lua_error(L);
}

static int server_port(lua_State *L) {
  lua_pushinteger(L, sim_server_port(check_server(L)));
  return 1;
}

static int server_ca(lua_State *L) {
  lua_pushstring(L, sim_server_ca(check_server(L)));
  return 1;
}

static sim_source *check_source(lua_State *L) {
  sim_source *source = sim_server_source(check_server(L));
  if (!source) luaL_error(L, "the simulated device has no source");
  return source;
}

/* source_fd() -> a descriptor that is readable while `wanted` returns something */
static int server_source_fd(lua_State *L) {
  lua_pushinteger(L, sim_source_fd(check_source(L)));
  return 1;
}

/* wanted() -> number, text; nothing if the device wants nothing more for now */
static int server_wanted(lua_State *L) {
  uint64_t number;
  size_t length;
  char *text = sim_source_next_wanted(check_source(L), &number, &length);
  if (!text) return 0;
  lua_pushinteger(L, (lua_Integer)number);
  lua_pushlstring(L, text, length);
  free(text);
  return 2;
}

/* answer(number, status, text) */
static int server_answer(lua_State *L) {
  check_source(L);
  size_t length;
  const char *body = luaL_checklstring(L, 4, &length);
  if (!sim_server_answer(check_server(L), (uint64_t)luaL_checkinteger(L, 2),
                         (int)luaL_checkinteger(L, 3), body, length))
    return luaL_error(L, "not enough memory");
  return 0;
}

static int server_stop(lua_State *L) {
  sim_server **slot = luaL_checkudata(L, 1, SERVER_TYPE);
  sim_server *server = *slot;
  *slot = NULL;
  sim_server_stop(server);
  return 0;
}

/* A signal ends the pause. Its handler has run then. */
static int server_pause(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  luaL_argcheck(L, seconds >= 0 && seconds <= 3600, 1, "out of range");
  struct timespec time = {.tv_sec = (time_t)seconds};
  time.tv_nsec = (long)((seconds - (lua_Number)time.tv_sec) * 1e9);
  lua_pushboolean(L, nanosleep(&time, NULL) != 0);
  return 1;
}

static const luaL_Reg methods[] = {{"call", server_call},
                                   {"port", server_port},
                                   {"ca", server_ca},
                                   {"stop", server_stop},
                                   {"source_fd", server_source_fd},
                                   {"wanted", server_wanted},
                                   {"answer", server_answer},
                                   {NULL, NULL}};
static const luaL_Reg metamethods[] = {
    {"__gc", server_stop}, {"__close", server_stop}, {NULL, NULL}};
static const luaL_Reg functions[] = {
    {"start", server_start}, {"pause", server_pause}, {NULL, NULL}};

int luaopen_f5_sim_server(lua_State *L) {
  if (luaL_newmetatable(L, SERVER_TYPE)) {
    luaL_setfuncs(L, metamethods, 0);
    metatable_hide(L, "server");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
  }
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
