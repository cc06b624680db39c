/* Sets a field of the table on top of the stack. */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include <stdbool.h>

#include <lua.h>

#include "base/text.h"

/* Sets nothing if the string is NULL. */
static inline void field_string(lua_State *L, const char *name, const char *value) {
  if (!value) return;
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static inline void field_text(lua_State *L, const char *name, const text *value) {
  lua_pushlstring(L, text_string(value), value->length);
  lua_setfield(L, -2, name);
}

static inline void field_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static inline void field_boolean(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

#endif
