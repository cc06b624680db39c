#include "f5/trust/trusted.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/private_file.h"
#include "base/push_owned.h"
#include "f5/report/error.h"
#include "f5/session/certificate.h"

/* Appends $XDG_CONFIG_HOME/f5lua, by default ~/.config/f5lua. */
static bool put_directory(text *path) {
  const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  if (config && *config == '/')
    text_printf(path, "%s/f5lua", config);
  else if (home && *home)
    text_printf(path, "%s/.config/f5lua", home);
  return path->length > 0;
}

static bool put_path(text *path, const char *host, long port) {
  if (!put_directory(path)) return false;
  text_put(path, "/trust/");
  for (; *host; host++)
    text_char(path, (char)tolower((unsigned char)*host));
  text_printf(path, ":%ld.pem", port);
  return !path->failed;
}

static bool read_fingerprint(const text *pem, char fingerprint[HTTP_FINGERPRINT]) {
  X509 *certificate = certificate_of_pem(text_string(pem), pem->length);
  fingerprint[0] = '\0';
  if (certificate) http_fingerprint(certificate, fingerprint);
  X509_free(certificate);
  return fingerprint[0] != '\0';
}

bool trusted_find(lua_State *L, const char *host, long port, char fingerprint[HTTP_FINGERPRINT]) {
  text path = {0}, pem = {0}, reason = {0};
  private_file_result result = PRIVATE_ABSENT;
  if (put_path(&path, host, port)) result = private_file_read(text_string(&path), &pem, &reason);
  if (result == PRIVATE_READ && !read_fingerprint(&pem, fingerprint)) {
    text_printf(&reason, "%s contains no certificate", text_string(&path));
    result = PRIVATE_REFUSED;
  }
  text_free(&path);
  text_free(&pem);
  if (result == PRIVATE_REFUSED) {
    push_owned_text(L, &reason);
    error_usage(L,
                "the trusted certificate of %s:%d cannot be used: %s; 'f5lua trust %s:%d' stores "
                "it again",
                host, (int)port, lua_tostring(L, -1), host, (int)port);
  }
  text_free(&reason);
  return result == PRIVATE_READ;
}

static int config_directory(lua_State *L) {
  text path = {0};
  if (!put_directory(&path)) return 0;
  push_owned_text(L, &path);
  return 1;
}

static int read_private(lua_State *L) {
  text content = {0}, reason = {0};
  const char *path = error_check_path(L, 1, "read_private");
  private_file_result result = private_file_read(path, &content, &reason);
  if (result == PRIVATE_READ) {
    text_free(&reason);
    push_owned_text(L, &content);
    return 1;
  }
  text_free(&content);
  lua_pushnil(L);
  if (result == PRIVATE_ABSENT) return 1;
  push_owned_text(L, &reason);
  return 2;
}

static int check_private(lua_State *L) {
  text reason = {0};
  const char *path = error_check_path(L, 1, "check_private");
  bool right = private_file_check_directory(path, &reason);
  if (right) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushnil(L);
  push_owned_text(L, &reason);
  return 2;
}

void trusted_register(lua_State *L) {
  static const luaL_Reg functions[] = {{"config_directory", config_directory},
                                       {"read_private", read_private},
                                       {"check_private", check_private},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
