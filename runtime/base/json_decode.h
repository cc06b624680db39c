/* The JSON reader. json.h describes the values. */
#ifndef BASE_JSON_DECODE_H
#define BASE_JSON_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* Decodes text[0..length) and pushes the value. Works in place: the buffer must be writable and
 * have a NUL at text[length]. If the text is long, the collector is stopped meanwhile; afterwards
 * it runs only if it ran before. On failure pushes a message ("line 3, column 14 (byte 61):
 * expected ',' or '}', found 'x'") and returns false. Lines, columns and bytes count from 1, and
 * columns are bytes. Raises only if memory runs out. */
bool json_decode(lua_State *L, char *text, size_t length);

#endif
