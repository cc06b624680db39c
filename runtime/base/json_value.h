/* The JSON values that Lua does not have: arrays and null. */
#ifndef BASE_JSON_VALUE_H
#define BASE_JSON_VALUE_H

#include <stdbool.h>

#include <lua.h>

/* The deepest nesting of arrays and objects, read and written. */
#define JSON_MAX_DEPTH 512

/* Pushes the array metatable of this state. */
void json_push_array_metatable(lua_State *L);
/* Is the value at index json.null? */
bool json_is_null(lua_State *L, int index);

#endif
