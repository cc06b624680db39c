#include "host/script.h"

#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

void script_add_directory(lua_State *L, const char *script) {
  if (strcmp(script, "-") == 0) return;
  const char *slash = strrchr(script, '/');
  lua_pushlstring(L, slash ? script : ".", slash ? (size_t)(slash - script) : 1);
  const char *directory = lua_tostring(L, -1);
  if (*directory == '\0') directory = "/";
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "path");
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", directory, directory, lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
  lua_pop(L, 3); /* path, package, directory */
}

void script_set_arguments(lua_State *L, int argc, char **argv, int script) {
  lua_createtable(L, argc - script, script + 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
  if (script > 0) script_add_directory(L, argv[script]);
}
