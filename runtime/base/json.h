/* JSON straight to and from Lua values.
 *
 * Numbers. A number without fraction and exponent that fits 64 bits is a Lua integer, exact in both
 * directions ("-0" is the integer 0). Every other number is a float. Floats do not depend on the
 * locale. A number beyond the range of a double (1e400) is an error, one that is too small (1e-400)
 * is zero. A float is written with the fewest digits, 14 to 17, that read back the same, and with
 * ".0" or an exponent, so that it stays a float.
 *
 * Text. Only UTF-8. Ill-formed bytes, unpaired surrogates and control characters are errors. A byte
 * order mark is accepted at the very start. "\u0000" is a NUL byte in the Lua string.
 *
 * Structure. null is json.null (a light userdata NULL, the same as cjson.null). An array is a table
 * with the array metatable, even if it is empty, and is an array when it is encoded again. If an
 * object has a name twice, the last value wins. */
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
