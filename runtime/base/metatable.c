#include "base/metatable.h"

void metatable_hide(lua_State *L, const char *what) {
  lua_pushstring(L, what);
  lua_setfield(L, -2, "__metatable");
}
