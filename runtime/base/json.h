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

#include <lua.h>

#include "base/json_decode.h"
#include "base/json_encode.h"
#include "base/json_value.h"

/* The Lua module, loaded as "f5.json": decode(text) encode(value[, {sort=, first=, indent=}]) null
 * array(t) is_array(t). */
int luaopen_f5_json(lua_State *L);

#endif
