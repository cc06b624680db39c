#include "sim/native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>
#include <openssl/rand.h>

#include "sim/pieces.h"

static int native_micros(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  lua_pushinteger(L, (lua_Integer)now.tv_sec * 1000000 + now.tv_nsec / 1000);
  return 1;
}

static int native_random(lua_State *L) {
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 0 && count <= 1 << 20, 1, "out of range");
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, (size_t)count);
  if (RAND_bytes((unsigned char *)bytes, (int)count) != 1)
    return luaL_error(L, "cannot get random numbers");
  luaL_pushresultsize(&buffer, (size_t)count);
  return 1;
}

static int native_make_directory(lua_State *L) {
  const char *parent = getenv("TMPDIR");
  lua_pushfstring(L, "%s/f5lua-sim-XXXXXX", parent && *parent ? parent : "/tmp");
  size_t length;
  const char *template = lua_tolstring(L, -1, &length);
  luaL_Buffer buffer;
  char *path = luaL_buffinitsize(L, &buffer, length + 1);
  memcpy(path, template, length + 1);
  if (!mkdtemp(path))
    return luaL_error(L, "cannot create a directory %s: %s", path, strerror(errno));
  luaL_pushresultsize(&buffer, length);
  return 1;
}

/* copy(table) -> a table with the same contents and metatable, made in its final size. */
static int native_copy(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  int hashed = 0, listed = 0;
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    if (lua_isinteger(L, -2)) {
      listed++;
    } else {
      hashed++;
    }
    lua_pop(L, 1);
  }
  lua_createtable(L, listed, hashed);
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 2);
  }
  if (lua_getmetatable(L, 1)) lua_setmetatable(L, 2);
  return 1;
}

static const luaL_Reg functions[] = {{"micros", native_micros},
                                     {"random", native_random},
                                     {"make_directory", native_make_directory},
                                     {"copy", native_copy},
                                     {"pieces", sim_pieces_new},
                                     {NULL, NULL}};

int luaopen_sim_native(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
