/* The JSON reader. What the values are: json.h. */
#ifndef BASE_JSON_DECODE_H
#define BASE_JSON_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* Decodes text[0..length) in place (strings are unescaped inside the buffer, which must be writable
 * and have a NUL at text[length]) and pushes the value. The collector is stopped meanwhile when the
 * text is long, and afterwards runs only if it ran before. On failure pushes a message ("line 3,
 * column 14 (byte 61): expected ',' or '}', found 'x'"; lines, columns and bytes count from 1,
 * columns in bytes) and returns false. Never raises, but for memory. */
bool json_decode(lua_State *L, char *text, size_t length);

#endif
