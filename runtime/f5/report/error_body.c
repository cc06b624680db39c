#include "f5/report/error_body.h"

#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/push_owned.h"
#include "base/scan.h"
#include "base/text.h"
#include "f5/report/secret.h"

/* Pushes the text as a decoded value; as a string if it is not JSON. */
static void push_decoded(lua_State *L, const char *body, size_t length) {
  if (scan_looks_json(body, length)) {
    char *copy = lua_newuserdatauv(L, length + 1, 0); /* the decoder modifies its input */
    memcpy(copy, body, length);
    copy[length] = '\0';
    bool decoded = json_decode(L, copy, length);
    lua_remove(L, -2); /* copy */
    if (decoded) return;
    lua_pop(L, 1); /* message of the decoder */
  }
  lua_pushlstring(L, body, length);
}

/* The error object is at `error`, the body on top: extends the message by what the body says. */
static void extend_message(lua_State *L, int error) {
  int body = lua_gettop(L);
  if (lua_istable(L, body) && lua_getfield(L, error, "message") == LUA_TSTRING) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "f5.error_body") == LUA_TNIL) {
      lua_getglobal(L, "require");
      lua_pushliteral(L, "f5.error_body");
      lua_call(L, 1, 1);
    }
    lua_getfield(L, -1, "extend");
    lua_pushvalue(L, body + 1); /* message */
    lua_pushvalue(L, body);
    lua_call(L, 2, 1);
    lua_setfield(L, error, "message");
  }
  lua_settop(L, body);
}

void error_body_set(lua_State *L, const char *body, size_t length) {
  int error = lua_gettop(L);
  push_decoded(L, body, length);
  extend_message(L, error);
  lua_setfield(L, error, "body");
}

void error_body_mask(lua_State *L) {
  int error = lua_gettop(L);
  if (lua_getfield(L, error, "body") != LUA_TTABLE) {
    lua_settop(L, error);
    return;
  }
  json_encode(L, -1, NULL);
  size_t length;
  const char *string = lua_tolstring(L, -1, &length);
  text masked = {0};
  secret_mask(&masked, string, length);
  push_owned_text(L, &masked);
  lua_replace(L, error + 1);
  lua_settop(L, error + 1);
  string = lua_tolstring(L, -1, &length);
  push_decoded(L, string, length);
  extend_message(L, error);
  lua_setfield(L, error, "body");
  lua_settop(L, error);
}
