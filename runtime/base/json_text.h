/* What the JSON reader and the writer share: floats as text whatever the locale is, and the
 * scanning of UTF-8. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stddef.h>

#define JSON_FLOAT_SIZE 40

/* The double that the JSON number at text (ended by any byte that is no part of a number) stands
 * for; HUGE_VAL when out of range. */
double json_text_to_float(const char *text);

/* Writes the finite number as JSON that reads back as the same float; returns the length (no NUL is
 * written). */
size_t json_float_to_text(char out[JSON_FLOAT_SIZE], double number);

/* The first byte in [at, end) that is not plain inside a JSON string: a quote, a backslash, a
 * control character or a byte above 0x7f; end if there is none. */
const char *json_skip_plain(const char *at, const char *end);

/* The length (2 to 4) of the well-formed UTF-8 sequence of a character above U+007F at `at`; 0 if
 * it is ill-formed. */
size_t json_utf8_length(const char *at, const char *end);

#endif
