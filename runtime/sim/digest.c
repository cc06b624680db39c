#include "sim/digest.h"

#include <limits.h>
#include <string.h>

#include <lauxlib.h>
#include <openssl/evp.h>

static int digest(lua_State *L, const EVP_MD *kind) {
  size_t length = 0;
  const char *text = luaL_checklstring(L, 1, &length);
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(text, length, value, &size, kind, NULL) != 1)
    return luaL_error(L, "this digest is not available");
  lua_pushlstring(L, (const char *)value, size);
  return 1;
}

static int l_md5(lua_State *L) {
  return digest(L, EVP_md5());
}
static int l_sha1(lua_State *L) {
  return digest(L, EVP_sha1());
}
static int l_sha256(lua_State *L) {
  return digest(L, EVP_sha256());
}

/* Leaves the encoded text in the buffer and returns its length. Pushes nothing. */
static size_t encode(lua_State *L, luaL_Buffer *buffer, char **at) {
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length < INT_MAX / 2, 1, "too long");
  *at = luaL_buffinitsize(L, buffer, (length + 2) / 3 * 4 + 1);
  return (size_t)EVP_EncodeBlock((unsigned char *)*at, (const unsigned char *)bytes, (int)length);
}

static int l_base64(lua_State *L) {
  luaL_Buffer buffer;
  char *text;
  luaL_pushresultsize(&buffer, encode(L, &buffer, &text));
  return 1;
}

static int l_base64url(lua_State *L) {
  luaL_Buffer buffer;
  char *text;
  size_t length = encode(L, &buffer, &text);
  while (length > 0 && text[length - 1] == '=')
    length--;
  for (size_t i = 0; i < length; i++)
    text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
  luaL_pushresultsize(&buffer, length);
  return 1;
}

static int l_unbase64(lua_State *L) {
  size_t length = 0;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length < INT_MAX / 2, 1, "too long");
  luaL_Buffer packed;
  char *from = luaL_buffinitsize(L, &packed, length + 4);
  size_t kept = 0, padding = 0;
  for (size_t i = 0; i < length; i++) {
    if (strchr(" \t\r\n", text[i]) && text[i] != '\0') continue;
    from[kept++] = text[i];
  }
  if (kept % 4 != 0) {
    lua_pushnil(L);
    return 1;
  }
  while (padding < 2 && padding < kept && from[kept - 1 - padding] == '=')
    padding++;
  if (kept > padding && memchr(from, '=', kept - padding)) { /* libcrypto would read it as zero */
    lua_pushnil(L);
    return 1;
  }
  luaL_pushresultsize(&packed, kept); /* keeps the packed text on the stack */
  const char *whole = lua_tostring(L, -1);
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, kept / 4 * 3 + 1);
  int size =
      kept == 0 ? 0 : EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)whole, (int)kept);
  if (size < 0 || (size_t)size < padding) {
    lua_pushnil(L);
    return 1;
  }
  luaL_pushresultsize(&buffer, (size_t)size - padding);
  return 1;
}

static const luaL_Reg functions[] = {
    {"md5", l_md5},       {"sha1", l_sha1},           {"sha256", l_sha256},
    {"base64", l_base64}, {"base64url", l_base64url}, {"unbase64", l_unbase64},
    {NULL, NULL},
};

int luaopen_sim_digest(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
