/* JSON straight to and from Lua values.
 *
 * Integers are exact 64-bit Lua integers in both directions (a number with fraction or exponent, or outside 64 bits, is a float);
 * null is json_null (a light userdata NULL, the same as cjson.null); an array is a table with the array metatable, also
 * an empty one, and stays an array when it is encoded again. Errors carry line, column and byte.
 */
#ifndef NET_JSON_H
#define NET_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#define JSON_MAX_DEPTH 512

/* Decodes text[0..length) in place (strings are unescaped inside the buffer, which must be writable and have a NUL at
 * text[length]) and pushes the value. The collector is stopped meanwhile. On failure pushes a message ("line 3, column 14
 * (byte 61): expected ',' or '}'") and returns false. Never raises, but for memory. */
bool json_decode(lua_State *L, char *text, size_t length);

typedef struct json_style {
  bool sort;                /* keys in order: those of `first`, then by bytes; else as the table has them */
  const char *const *first; /* with sort: names that come first, NULL at the end; may be NULL */
  int indent;               /* 0: one line */
} json_style;

/* Encodes the value at index and pushes the text. A table is an array if it has the array metatable or a non-empty sequence 1..n and nothing else;
 * an empty table without it is an object. Raises a readable error (with the path of the offending value: "at members[2].port")
 * for functions, NaN, infinities, mixed keys, cycles and depth. style may be NULL. */
void json_encode(lua_State *L, int index, const json_style *style);

/* Pushes the array metatable of this state. */
void json_push_array_metatable(lua_State *L);
/* json.null == lua_touserdata(L, i) == NULL and lua_islightuserdata. */
bool json_is_null(lua_State *L, int index);

/* The Lua module, loaded as "f5.json": decode(text) encode(value[, {sort=, first=, indent=}]) null array(t) is_array(t). */
int luaopen_f5_json(lua_State *L);

#endif
