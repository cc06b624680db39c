#include "base/json.h"

#include <string.h>

#include <lauxlib.h>

static int decode(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_settop(L, 1);
  /* json_decode works in place. Lua frees the buffer when this function ends. */
  luaL_Buffer buffer;
  char *copy = luaL_buffinitsize(L, &buffer, length + 1);
  memcpy(copy, text, length + 1);
  if (!json_decode(L, copy, length)) return luaL_error(L, "invalid JSON: %s", lua_tostring(L, -1));
  return 1;
}

/* Field `first` of the options: a list of names. A copy stays on the stack and keeps the names,
 * because a finalizer may change the script's list during the encoding. */
static const char *const *check_first(lua_State *L, int options) {
  if (lua_getfield(L, options, "first") == LUA_TNIL) {
    lua_pop(L, 1);
    return NULL;
  }
  luaL_argcheck(L, lua_istable(L, -1), options, "first must be a list of names");
  size_t count = lua_rawlen(L, -1);
  int list = lua_gettop(L);
  lua_createtable(L, (int)count, 0);
  const char **names = lua_newuserdatauv(L, (count + 1) * sizeof *names, 0);
  for (size_t i = 0; i < count; i++) {
    luaL_argcheck(L, lua_rawgeti(L, list, (lua_Integer)i + 1) == LUA_TSTRING, options,
                  "first must be a list of names");
    names[i] = lua_tostring(L, -1);
    lua_rawseti(L, list + 1, (lua_Integer)i + 1);
  }
  names[count] = NULL;
  return names;
}

static int encode(lua_State *L) {
  json_style style = {0};
  luaL_checkany(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, 2)) {
      lua_pop(L, 1);
      const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
      if (strcmp(name, "sort") != 0 && strcmp(name, "first") != 0 && strcmp(name, "indent") != 0)
        return luaL_argerror(L, 2,
                             lua_pushfstring(L, "unknown option '%s' (sort, first, indent)", name));
    }
    style.first = check_first(L, 2);
    lua_getfield(L, 2, "sort");
    style.sort = lua_toboolean(L, -1) || style.first;
    lua_getfield(L, 2, "indent");
    lua_Integer indent = luaL_optinteger(L, -1, 0);
    luaL_argcheck(L, indent >= 0 && indent <= 16, 2, "indent must be from 0 to 16");
    style.indent = (int)indent;
  }
  json_encode(L, 1, &style);
  return 1;
}

static int array(lua_State *L) {
  if (lua_isnone(L, 1)) lua_newtable(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  json_push_array_metatable(L); /* table, array */
  if (lua_getmetatable(L, 1)) { /* table, array, current metatable */
    luaL_argcheck(L, lua_rawequal(L, -1, -2), 1, "the table has another metatable");
    lua_pop(L, 1);
  }
  lua_setmetatable(L, 1);
  return 1;
}

static int is_array(lua_State *L) {
  luaL_checkany(L, 1);
  json_push_array_metatable(L);
  lua_pushboolean(L, lua_istable(L, 1) && lua_getmetatable(L, 1) && lua_rawequal(L, -1, -2));
  return 1;
}

static int null_tostring(lua_State *L) {
  if (json_is_null(L, 1))
    lua_pushliteral(L, "null");
  else
    lua_pushfstring(L, "userdata: %p", lua_touserdata(L, 1));
  return 1;
}

/* All light userdata share one metatable. If there is one, it stays. */
static void name_null(lua_State *L) {
  lua_pushlightuserdata(L, NULL);
  if (lua_getmetatable(L, -1)) {
    lua_pop(L, 2);
    return;
  }
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, null_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

static const luaL_Reg functions[] = {{"decode", decode},     {"encode", encode}, {"array", array},
                                     {"is_array", is_array}, {"null", NULL},     {NULL, NULL}};

int luaopen_f5_json(lua_State *L) {
  name_null(L);
  luaL_newlib(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  return 1;
}
