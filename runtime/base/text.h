/* A growing string, for paths, messages and log lines.
 *
 *   text t = {0};
 *   text_put(&t, "pool "); text_printf(&t, "%d", 7);
 *   puts(text_string(&t));   -- "pool 7"
 *   text_free(&t);
 *
 * Check for lack of memory once, at the end: after a failed allocation the text is empty, every
 * call does nothing, and `failed` is true. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct text {
  char *data; /* ends with a NUL; NULL while empty */
  size_t length, capacity;
  bool failed;
} text;

void text_add(text *t, const char *bytes, size_t length);
/* Makes memory for `more` bytes in one step. */
void text_reserve(text *t, size_t more);
/* Extends the text by `length` bytes, which the caller writes to the result. NULL if out of
 * memory. */
char *text_room(text *t, size_t length);
void text_put(text *t, const char *string);
/* Appends another text, including its failure. */
void text_join(text *t, const text *other);
void text_char(text *t, char c);
void text_printf(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends the bytes as the inside of a JSON string, without quotes. */
void text_json(text *t, const char *bytes, size_t length);
/* Shortens the text to at most max_length bytes, never inside a UTF-8 character. */
void text_cut(text *t, size_t max_length);
/* Never NULL: "" for an empty or failed text. */
const char *text_string(const text *t);
/* Empties the text, but keeps its memory for the next use. */
void text_clear(text *t);
void text_free(text *t);

#endif
