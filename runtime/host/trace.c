#include "host/trace.h"

#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>

#define MAX_FRAMES 40

static const char traces_key; /* the key in the registry */

/* Weak keys: when a caught error is collected, its trace is, too. */
static void push_traces(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &traces_key) == LUA_TTABLE) return;
  lua_pop(L, 1); /* nil */
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &traces_key);
}

/* Whether the frame is code of the playbook, its modules, standard input or -e; not C, and not
 * compiled into the program. */
static bool is_own(const lua_Debug *frame) {
  return strcmp(frame->what, "C") != 0 &&
         strncmp(frame->source, "=lualib/", strlen("=lualib/")) != 0;
}

static void add_frame(lua_State *L, const lua_Debug *frame) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, frame->source[0] == '@' ? frame->source + 1 : frame->short_src);
  lua_setfield(L, -2, "file");
  lua_pushinteger(L, frame->currentline);
  lua_setfield(L, -2, "line");
  if (strcmp(frame->what, "main") == 0)
    lua_pushliteral(L, "main chunk");
  else if (frame->name)
    lua_pushfstring(L, "%s '%s'", *frame->namewhat == 'm' ? "method" : "function", frame->name);
  else
    lua_pushfstring(L, "function <%s:%d>", frame->short_src, frame->linedefined);
  lua_setfield(L, -2, "name");
  lua_rawseti(L, -2, luaL_len(L, -2) + 1);
}

int trace_handler(lua_State *L) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) return 1;
  push_traces(L);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) == LUA_TNIL) {
    lua_Debug frame;
    lua_pushvalue(L, 1);
    lua_newtable(L);
    for (int level = 1, found = 0; found < MAX_FRAMES && lua_getstack(L, level, &frame); level++) {
      lua_getinfo(L, "Sln", &frame);
      if (!is_own(&frame)) continue;
      add_frame(L, &frame);
      found++;
    }
    lua_rawset(L, 2);
  }
  lua_settop(L, 1);
  return 1;
}

void trace_push(lua_State *L, int index) {
  index = lua_absindex(L, index);
  push_traces(L);
  if (lua_isnil(L, index)) {
    lua_pushnil(L);
  } else {
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
  }
  lua_remove(L, -2); /* traces */
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1); /* nil */
    lua_newtable(L);
  }
}
