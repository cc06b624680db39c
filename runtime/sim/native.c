#include "sim/native.h"

#include <string.h>
#include <time.h>

#include <lauxlib.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

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
  if (RAND_bytes((unsigned char *)bytes, (int)count) != 1) return luaL_error(L, "no random numbers");
  luaL_pushresultsize(&buffer, (size_t)count);
  return 1;
}

static int native_digest(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  const EVP_MD *md = EVP_get_digestbyname(name);
  luaL_argcheck(L, md, 1, "unknown digest");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(text, length, digest, &size, md, NULL) != 1) return luaL_error(L, "digest %s failed", name);
  lua_pushlstring(L, (const char *)digest, size);
  return 1;
}

static int native_base64(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length < 1 << 28, 1, "too long");
  luaL_Buffer buffer;
  char *text = luaL_buffinitsize(L, &buffer, (length + 2) / 3 * 4 + 1);
  luaL_pushresultsize(&buffer,
                      (size_t)EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes, (int)length));
  return 1;
}

static int native_unbase64(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length < 1 << 28, 1, "too long");
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, length / 4 * 3 + 3);
  int size = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)length);
  if (size < 0) {
    lua_pushnil(L);
    return 1;
  }
  size_t padding = length >= 1 && text[length - 1] == '=' ? (length >= 2 && text[length - 2] == '=' ? 2 : 1) : 0;
  luaL_pushresultsize(&buffer, (size_t)size - padding);
  return 1;
}

static const luaL_Reg functions[] = {{"micros", native_micros},     {"random", native_random},
                                     {"digest", native_digest},     {"base64", native_base64},
                                     {"unbase64", native_unbase64}, {NULL, NULL}};

int luaopen_sim_native(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
