/* What the JSON reader and writer share: floats as text in any locale, and scanning of UTF-8. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stddef.h>

#define JSON_FLOAT_SIZE 40

/* The value of the JSON number at text, which ends at the first byte that is not part of it.
 * HUGE_VAL if it is out of range. */
double json_text_to_float(const char *text);

/* Writes a finite number as JSON that reads back as the same float. Returns the length; writes no
 * NUL. */
size_t json_float_to_text(char out[JSON_FLOAT_SIZE], double number);

/* The first byte in [at, end) that is not plain inside a JSON string: a quote, a backslash, a
 * control character, or a byte above 0x7f. Returns end if there is none. */
const char *json_skip_plain(const char *at, const char *end);

/* The length, 2 to 4, of the UTF-8 sequence at `at` for a character above U+007F. 0 if it is
 * ill-formed. */
size_t json_utf8_length(const char *at, const char *end);

#endif
