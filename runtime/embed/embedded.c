#include "embed/embedded.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#ifdef EMBEDDED_DEFLATED
#include <zlib.h>
#endif

static int compare_name(const void *key, const void *element) {
  return strcmp(key, ((const embedded_module *)element)->name);
}

const embedded_module *embedded_find(const char *name) {
  return bsearch(name, embedded_modules, embedded_count, sizeof embedded_modules[0], compare_name);
}

#ifdef EMBEDDED_DEFLATED

void embedded_push_source(lua_State *L, const embedded_module *module) {
  if (!module->packed) {
    lua_pushlstring(L, module->source, module->length);
    return;
  }
  luaL_Buffer text;
  z_stream stream = {.next_in = (Bytef *)(uintptr_t)module->source,
                     .avail_in = (uInt)module->packed};
  stream.next_out = (Bytef *)luaL_buffinitsize(L, &text, module->length);
  stream.avail_out = (uInt)module->length;
  bool whole =
      inflateInit2(&stream, -MAX_WBITS) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END;
  inflateEnd(&stream);
  if (!whole) luaL_error(L, "the compiled-in module '%s' is damaged", module->name);
  luaL_pushresultsize(&text, module->length);
}

#else

void embedded_push_source(lua_State *L, const embedded_module *module) {
  lua_pushlstring(L, module->source, module->length);
}

#endif

int embedded_load(lua_State *L, const embedded_module *module) {
  if (!module->packed)
    return luaL_loadbufferx(L, module->source, module->length, module->chunk, NULL);
  embedded_push_source(L, module);
  int status = luaL_loadbufferx(L, lua_tostring(L, -1), module->length, module->chunk, NULL);
  lua_remove(L, -2); /* text */
  return status;
}

static int load(lua_State *L, const char *name) {
  const embedded_module *module = embedded_find(name);
  if (!module) {
    lua_pushfstring(L, "no module '%s' in the program", name);
    return 1;
  }
  if (embedded_load(L, module) != LUA_OK) return lua_error(L);
  /* The second argument of the module, like a file name. */
  lua_pushstring(L, module->chunk + 1);
  return 2;
}

bool embedded_is_runtime(const char *name) {
  return strncmp(name, "f5", 2) == 0 && (name[2] == '\0' || name[2] == '.');
}

/* Whether our own code calls `require`: a compiled-in chunk, or the host. */
static bool is_own_call(lua_State *L) {
  lua_Debug frame;
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "S", &frame);
    if (strcmp(frame.what, "C") != 0)
      return strncmp(frame.source, "=lualib/", strlen("=lualib/")) == 0;
  }
  return true;
}

static int search_first(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  return embedded_is_runtime(name) || is_own_call(L) ? load(L, name) : 0;
}

static int search_last(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  return embedded_is_runtime(name) || is_own_call(L) ? 0 : load(L, name);
}

static int search_all(lua_State *L) {
  return load(L, luaL_checkstring(L, 1));
}

/* Inserts the searcher right behind package.searchers[1], which searches package.preload. */
static void insert_second(lua_State *L, int searchers, lua_CFunction searcher) {
  for (lua_Integer i = luaL_len(L, searchers); i >= 2; i--) {
    lua_rawgeti(L, searchers, i);
    lua_rawseti(L, searchers, i + 1);
  }
  lua_pushcfunction(L, searcher);
  lua_rawseti(L, searchers, 2);
}

static void push_searchers(lua_State *L) {
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "searchers");
  lua_remove(L, -2); /* package */
}

void embedded_install(lua_State *L) {
  push_searchers(L);
  insert_second(L, lua_gettop(L), search_first);
  lua_pushcfunction(L, search_last);
  lua_rawseti(L, -2, luaL_len(L, -2) + 1);
  lua_pop(L, 1); /* searchers */
}

void embedded_install_closed(lua_State *L) {
  push_searchers(L);
  insert_second(L, lua_gettop(L), search_all);
  lua_pop(L, 1); /* searchers */
}
