/* A look at single values of a JSON text, without Lua and without building anything.
 *
 * The call's state machine runs in callbacks of the loop, where there is no Lua: it needs the
 * message of an error, a token and its times, the state of a task. The text is not validated as a
 * whole: what cannot be followed is "not there".
 *
 *   scan_value v;
 *   if (scan_find(body, length, "token.expirationMicros", &v)) scan_integer(&v, &micros);
 */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

typedef struct scan_value {
  const char *start; /* in the text: a string with its quotes, anything else as written */
  size_t length;
} scan_value;

/* The value of a member, its name a path of member names joined by dots. False if it is not there.
 */
bool scan_find(const char *json, size_t length, const char *path, scan_value *value);
/* Appends the string, unescaped; false (and nothing appended) if the value is no string. */
bool scan_string(const scan_value *value, text *out);
/* The first character inside of a JSON string, unescaped: 0 to 4 bytes of UTF-8 (0: a backslash
 * that ends the text). Returns how many bytes of the text it takes; length is at least 1. */
size_t scan_character(const char *s, size_t length, char utf8[4], size_t *size);
/* The number as an integer; a float of integral value too (a device sends 1.676895504e+15). */
bool scan_integer(const scan_value *value, int64_t *out);
/* Whether the text starts as a JSON object or array does. */
bool scan_looks_json(const char *json, size_t length);
/* Whether it ends as such a one does that starts so; only both ends are looked at. */
bool scan_ends_json(const char *json, size_t length);
/* Whether no string and no bracket of it is left open, and nothing follows the value. */
bool scan_is_whole(const char *json, size_t length);

#endif
