/* JSON straight to and from Lua values.
 *
 * Numbers. Without fraction and exponent and within 64 bits: a Lua integer, exact in both
 * directions ("-0" is the integer 0). Every other number is a float, read and written independently
 * of the locale; one beyond the range of a double (1e400) is an error, one too small (1e-400) is
 * zero. A float is written with the fewest of 14 to 17 digits that read back the same, and with
 * ".0" or an exponent, so that it stays a float.
 *
 * Text. UTF-8 and nothing else: ill-formed bytes, surrogates without their partner and control
 * characters are errors; a byte order mark is accepted at the very start. "\u0000" is a NUL byte in
 * the Lua string.
 *
 * Structure. null is json_null (a light userdata NULL, the same as cjson.null); an array is a table
 * with the array metatable, also an empty one, and stays an array when it is encoded again. Of
 * duplicate names the last wins.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#define JSON_MAX_DEPTH 512

/* Decodes text[0..length) in place (strings are unescaped inside the buffer, which must be writable
 * and have a NUL at text[length]) and pushes the value. The collector is stopped meanwhile when the
 * text is long, and afterwards runs only if it ran before. On failure pushes a message ("line 3,
 * column 14 (byte 61): expected ',' or '}', found 'x'"; lines, columns and bytes count from 1,
 * columns in bytes) and returns false. Never raises, but for memory. */
bool json_decode(lua_State *L, char *text, size_t length);

typedef struct json_style {
  bool sort; /* keys in order: those of `first`, then by bytes; else as the table has them */
  const char *const *first; /* with sort: names that come first, NULL at the end; may be NULL */
  int indent;               /* 0: one line */
} json_style;

/* Encodes the value at index and pushes the text. A table is an array if it has the array metatable
 * or a non-empty sequence 1..n and nothing else; an empty table without it is an object. Tables are
 * read without metamethods. Raises a readable error (with the path of the offending value: "at
 * members[2].port") for functions and other values without JSON form, NaN, infinities, ill-formed
 * UTF-8, holes, mixed keys, cycles and depth. style may be NULL. */
void json_encode(lua_State *L, int index, const json_style *style);

/* Pushes the array metatable of this state. */
void json_push_array_metatable(lua_State *L);
/* Is the value at index json.null? */
bool json_is_null(lua_State *L, int index);

/* The Lua module, loaded as "f5.json": decode(text) encode(value[, {sort=, first=, indent=}]) null
 * array(t) is_array(t). */
int luaopen_f5_json(lua_State *L);

#endif
