#include "f5/session/access.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/field.h"
#include "f5/session/prompt.h"
#include "f5/session/session_lua.h"
#include "net/http.h"

/* A password that is the name of the user is not masked, as in f5.connect. */
static void set_secret(lua_State *L, const char *name, const secret *value, const char *username) {
  if (!value) return;
  secret *copy = prompt_push_secret(L, secret_string(value), secret_length(value));
  if (username && strcmp(secret_string(value), username) == 0) secret_unmask(copy);
  lua_setfield(L, -2, name);
}

int access_lua(lua_State *L) {
  const f5_session *session = session_check(L, 1);
  const f5_credentials *credentials = &session->credentials;
  const http_peer_options *peer = http_peer_options_of(session->peer);
  lua_createtable(L, 0, 16);
  lua_pushboolean(L, !peer->insecure);
  lua_setfield(L, -2, "verify");
  field_string(L, "ca", peer->ca);
  field_string(L, "cert", peer->cert);
  field_string(L, "key", peer->key);
  field_string(L, "pin", peer->pin);
  field_string(L, "proxy", peer->proxy && !*peer->proxy ? "direct://" : peer->proxy);
  const char *colon = strrchr(session->where, ':');
  lua_pushlstring(L, session->where, (size_t)(colon - session->where));
  lua_setfield(L, -2, "host");
  lua_pushinteger(L, strtol(colon + 1, NULL, 10));
  lua_setfield(L, -2, "port");
  field_string(L, "label", session->label);
  if (credentials->mode == CREDENTIALS_GIVEN) {
    set_secret(L, "token", credentials->masked, NULL);
    return 1;
  }
  if (credentials->mode == CREDENTIALS_BASIC) field_string(L, "auth", "basic");
  field_string(L, "username", credentials->username);
  field_string(L, "provider", credentials->provider);
  field_string(L, "login_reference", credentials->login_reference);
  set_secret(L, "password", credentials->password, credentials->username);
  return 1;
}
