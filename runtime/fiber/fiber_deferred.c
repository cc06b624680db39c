#include "fiber/fiber_deferred.h"

#include <lauxlib.h>

#include "fiber/fiber_scheduler.h"

bool fiber_push_deferred(lua_State *L) {
  if (fiber_push_handle(L, fiber_scheduler_of(L)->current) == LUA_TUSERDATA) {
    if (lua_getiuservalue(L, -1, VALUE_DEFERRED) == LUA_TTABLE) {
      lua_remove(L, -2); /* handle */
      return true;
    }
    lua_pop(L, 1); /* no table */
  }
  lua_pop(L, 1); /* handle */
  return false;
}

int fiber_lua_deferred(lua_State *L) {
  bool set = lua_gettop(L) > 0;
  lua_settop(L, 1);
  if (fiber_push_handle(L, fiber_scheduler_of(L)->current) != LUA_TUSERDATA)
    return luaL_error(L, "there is no fiber whose end could be waited for");
  lua_getiuservalue(L, -1, VALUE_DEFERRED);
  if (set) {
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 2, VALUE_DEFERRED);
  }
  return 1;
}
