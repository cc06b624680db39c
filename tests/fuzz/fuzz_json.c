/* Any bytes: the reader accepts or refuses them, without touching a byte too many; what it accepts
 * is written, read again and written again to the same text, in each style, and means the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "fuzz_json: %s\n", what);
  abort();
}

static bool decode(lua_State *L, const void *text, size_t length) {
  char *copy = malloc(length + 1);
  if (length) memcpy(copy, text, length);
  copy[length] = '\0';
  int top = lua_gettop(L);
  bool ok = json_decode(L, copy, length);
  check(lua_gettop(L) == top + 1, "the stack is not as promised");
  free(copy);
  return ok;
}

static bool is_array(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  json_push_array_metatable(L);
  bool marked = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return marked;
}

static void check_same(lua_State *L, int a, int b) {
  luaL_checkstack(L, 8, NULL);
  check(lua_type(L, a) == lua_type(L, b), "another type");
  check(lua_isinteger(L, a) == lua_isinteger(L, b), "an integer became a float");
  if (lua_type(L, a) != LUA_TTABLE) {
    check(lua_rawequal(L, a, b), "another value");
    return;
  }
  check(is_array(L, a) == is_array(L, b), "an array became an object");
  int fields = 0;
  lua_pushnil(L);
  while (lua_next(L, a)) { /* key, value */
    lua_pushvalue(L, -2);
    lua_rawget(L, b); /* key, value, other value */
    check_same(L, lua_gettop(L) - 1, lua_gettop(L));
    lua_pop(L, 2);
    fields++;
  }
  lua_pushnil(L);
  while (lua_next(L, b)) {
    lua_pop(L, 1);
    fields--;
  }
  check(fields == 0, "another number of fields");
}

static int round_trips(lua_State *L) {
  static const char *const first[] = {"b", "", NULL};
  static const json_style styles[] = {
      {.sort = true}, {0}, {.indent = 2}, {.sort = true, .first = first, .indent = 1}};
  for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
    size_t length;
    lua_settop(L, 1);
    json_encode(L, 1, &styles[i]);
    const char *text = lua_tolstring(L, 2, &length);
    check(decode(L, text, length), "its own text is refused");
    check_same(L, 1, 3);
    json_encode(L, 3, &styles[i]);
    if (styles[i].sort) check(lua_rawequal(L, 2, 4), "another text the second time");
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lua_State *L; /* one for all: the cache of names must never give a wrong one */
  if (!L) L = luaL_newstate();
  if (decode(L, data, size)) {
    lua_pushcfunction(L, round_trips);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) check(false, lua_tostring(L, -1));
  } else {
    size_t length;
    check(lua_tolstring(L, -1, &length) && strncmp(lua_tostring(L, -1), "line ", 5) == 0,
          "no message");
  }
  lua_settop(L, 0);
  return 0;
}
