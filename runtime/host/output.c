#include "host/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include <lauxlib.h>

static int reason; /* of the first failure; see output_end */

/* The C library keeps the fact of a failure, but not the reason. */
static void note(bool done) {
  if (!done && reason == 0) reason = errno;
}

static void put(const char *bytes, size_t length) {
  errno = 0;
  note(fwrite(bytes, 1, length, stdout) == length);
}

/* shown(...) -> the line that people read; see lualib/f5/table/init.lua */
static int shown(lua_State *L) {
  int count = lua_gettop(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "f5.table");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "line");
  lua_insert(L, 1);
  lua_settop(L, count + 1);
  lua_call(L, count, 1);
  return 1;
}

static bool is_any_table(lua_State *L, int count) {
  for (int i = 1; i <= count; i++)
    if (lua_type(L, i) == LUA_TTABLE) return true;
  return false;
}

/* Replaces all values by one text. They stay if that fails. */
static int show(lua_State *L, int count) {
  luaL_checkstack(L, count + 1, "too many values");
  lua_pushcfunction(L, shown);
  for (int i = 1; i <= count; i++)
    lua_pushvalue(L, i);
  if (lua_pcall(L, count, 1, 0) != LUA_OK || lua_type(L, -1) != LUA_TSTRING) {
    lua_settop(L, count);
    return count;
  }
  lua_replace(L, 1);
  lua_settop(L, 1);
  return 1;
}

int output_print(lua_State *L) {
  int count = lua_gettop(L);
  if (is_any_table(L, count)) count = show(L, count);
  for (int i = 1; i <= count; i++) {
    size_t length;
    const char *text = luaL_tolstring(L, i, &length);
    if (i > 1) put("\t", 1);
    put(text, length);
    lua_pop(L, 1);
  }
  put("\n", 1);
  errno = 0;
  note(fflush(stdout) == 0);
  return 0;
}

int output_end(void) {
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
  note(false);
  return reason ? reason : -1;
}
