/* Finds single values in a JSON text, without Lua and without building anything.
 *
 * The state machine of a call runs in callbacks of the loop, where Lua cannot be used. It needs the
 * message of an error, a token and its times, or the state of a task. The text is not validated: a
 * value that cannot be found is "not there".
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
  const char *start; /* in the text; a string includes its quotes */
  size_t length;
} scan_value;

/* Finds the value of a member. path: names of members, joined by dots. False if it is not there. */
bool scan_find(const char *json, size_t length, const char *path, scan_value *value);
/* Appends the string, unescaped. If the value is not a string, returns false and appends
 * nothing. */
bool scan_string(const scan_value *value, text *out);
/* Unescapes the first character of the inside of a JSON string to 0 to 4 bytes of UTF-8 (0: a
 * backslash at the end of the text). Returns how many bytes of the text it takes. length must be at
 * least 1. */
size_t scan_character(const char *s, size_t length, char utf8[4], size_t *size);
/* Reads an integer, also one written as a float: devices send 1.676895504e+15. */
bool scan_integer(const scan_value *value, int64_t *out);
/* Whether the text starts like a JSON object or array. */
bool scan_looks_json(const char *json, size_t length);
/* Whether it ends as such a one does that starts so; only both ends are looked at. */
bool scan_ends_json(const char *json, size_t length);
/* Whether no string and no bracket of it is left open, and nothing follows the value. */
bool scan_is_whole(const char *json, size_t length);
/* Whether the text opens as many brackets as it closes, those in strings counted too. Almost every
 * whole value does; a truncated one does only with closing brackets in its strings. This is
 * several times as fast as scan_is_whole. */
bool scan_balances(const char *json, size_t length);

#endif
