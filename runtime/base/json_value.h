/* The JSON values that Lua does not have: arrays and null. */
#ifndef BASE_JSON_VALUE_H
#define BASE_JSON_VALUE_H

#include <stdbool.h>

#include <lua.h>

/* How deep arrays and objects may be nested, for reading and writing. */
#define JSON_MAX_DEPTH 512

/* Pushes the metatable of arrays in this state. */
void json_push_array_metatable(lua_State *L);
/* Whether the value at index is json.null. */
bool json_is_null(lua_State *L, int index);

#endif
