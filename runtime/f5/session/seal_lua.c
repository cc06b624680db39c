#include "f5/session/seal_lua.h"

#include <string.h>

#include <lauxlib.h>

#include "base/push_owned.h"
#include "f5/report/seal.h"
#include "f5/session/prompt.h"

static const char key_of_state; /* its address is the key in the registry */

static int wipe(lua_State *L) {
  seal_wipe(lua_touserdata(L, 1));
  return 0;
}

/* The last key of this state. */
static seal_key *last_key(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &key_of_state);
  seal_key *key = lua_touserdata(L, -1);
  lua_pop(L, 1); /* key or nil; the registry keeps it */
  if (key) return key;
  key = lua_newuserdatauv(L, sizeof *key, 0);
  memset(key, 0, sizeof *key);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, wipe);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &key_of_state);
  return key;
}

static const char *passphrase_of(lua_State *L, size_t *length) {
  const secret *given = prompt_to_secret(L, 1);
  if (!given) return luaL_checklstring(L, 1, length);
  *length = secret_length(given);
  return secret_string(given);
}

int seal_lua(lua_State *L) {
  size_t phrase_length, length;
  const char *phrase = passphrase_of(L, &phrase_length);
  const char *bytes = luaL_checklstring(L, 2, &length);
  text out = {0};
  const char *failure = seal_text(last_key(L), phrase, phrase_length, bytes, length, &out);
  if (failure) {
    text_free(&out);
    return luaL_error(L, "cannot seal: %s", failure);
  }
  push_owned_text(L, &out);
  return 1;
}

int seal_lua_open(lua_State *L) {
  size_t phrase_length, length;
  const char *phrase = passphrase_of(L, &phrase_length);
  const char *sealed = luaL_checklstring(L, 2, &length);
  text out = {0};
  const char *failure = seal_open(last_key(L), phrase, phrase_length, sealed, length, &out);
  if (failure) {
    text_free(&out);
    lua_pushnil(L);
    lua_pushstring(L, failure);
    return 2;
  }
  push_owned_text(L, &out);
  return 1;
}
