#include "base/push_owned.h"

#include <lauxlib.h>

void push_owned(lua_State *L, lua_CFunction function, void *data, void (*clear)(void *data)) {
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, data);
  int status = lua_pcall(L, 1, 1, 0);
  clear(data);
  if (status != LUA_OK) lua_error(L);
}

static int push_text(lua_State *L) {
  const text *t = lua_touserdata(L, 1);
  if (t->failed) return luaL_error(L, "not enough memory");
  lua_pushlstring(L, text_string(t), t->length);
  return 1;
}

static void clear_text(void *data) {
  text_free(data);
}

void push_owned_text(lua_State *L, text *t) {
  if (t->data || t->failed)
    push_owned(L, push_text, t, clear_text);
  else
    lua_pushliteral(L, "");
}
