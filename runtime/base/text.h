/* A growing string, for paths, messages and log lines.
 *
 *   text t = {0};
 *   text_put(&t, "pool "); text_printf(&t, "%d", 7);
 *   puts(text_string(&t));   -- "pool 7"
 *   text_free(&t);
 *
 * Memory is checked once, at the end: after a failed allocation the text is empty, every call does
 * nothing and `failed` is true.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct text {
  char *data; /* a NUL behind `length`; NULL while empty */
  size_t length, capacity;
  bool failed;
} text;

void text_add(text *t, const char *bytes, size_t length);
/* Makes it longer by so many bytes, which the caller writes there; NULL without memory. */
char *text_room(text *t, size_t length);
void text_put(text *t, const char *string);
/* What is in another text; also its failure. */
void text_join(text *t, const text *other);
void text_char(text *t, char c);
void text_printf(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes as the inside of a JSON string, without the quotes. */
void text_json(text *t, const char *bytes, size_t length);
/* Shortens it to at most max_length bytes, not in the middle of a UTF-8 character. */
void text_cut(text *t, size_t max_length);
/* Never NULL: "" for an empty or failed text. */
const char *text_string(const text *t);
/* Keeps the memory for the next use. */
void text_clear(text *t);
void text_free(text *t);

#endif
