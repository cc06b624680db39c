#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Drops the contents, so that `length` and text_string agree. */
static bool fail(text *t) {
  t->failed = true;
  t->length = 0;
  if (t->data) t->data[0] = '\0';
  return false;
}

static bool reserve(text *t, size_t more) {
  if (t->failed) return false;
  if (more < t->capacity - t->length) /* `<`, because the NUL needs a byte */
    return true;
  size_t capacity = t->capacity ? t->capacity : 64;
  while (capacity - t->length <= more) {
    if (capacity > (size_t)-1 / 2) return fail(t);
    capacity *= 2;
  }
  char *data = realloc(t->data, capacity);
  if (!data) return fail(t);
  if (!t->data) *data = '\0';
  t->data = data;
  t->capacity = capacity;
  return true;
}

void text_reserve(text *t, size_t more) {
  (void)reserve(t, more);
}

void text_add(text *t, const char *bytes, size_t length) {
  if (!reserve(t, length)) return;
  if (length) memcpy(t->data + t->length, bytes, length);
  t->length += length;
  t->data[t->length] = '\0';
}

char *text_room(text *t, size_t length) {
  if (!reserve(t, length)) return NULL;
  char *room = t->data + t->length;
  t->length += length;
  t->data[t->length] = '\0';
  return room;
}

void text_put(text *t, const char *string) {
  text_add(t, string, strlen(string));
}

void text_join(text *t, const text *other) {
  if (other->failed)
    fail(t);
  else
    text_add(t, text_string(other), other->length);
}

void text_char(text *t, char c) {
  text_add(t, &c, 1);
}

void text_printf(text *t, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  if (length >= 0 && reserve(t, (size_t)length)) {
    vsnprintf(t->data + t->length, (size_t)length + 1, format, again);
    t->length += (size_t)length;
  }
  va_end(again);
  va_end(arguments);
}

/* Writes the escape of a byte that cannot stand in a JSON string; returns where it ends. */
static char *escape(char *to, unsigned char c) {
  static const char hex[] = "0123456789abcdef", plain[] = "\"\\\n\r\t", meant[] = "\"\\nrt";
  const char *known = c ? strchr(plain, c) : NULL;
  *to++ = '\\';
  if (known) {
    *to++ = meant[known - plain];
    return to;
  }
  memcpy(to, "u00", 3);
  to[3] = hex[c >> 4];
  to[4] = hex[c & 15];
  return to + 5;
}

void text_json(text *t, const char *bytes, size_t length) {
  enum { PIECE = 256, LONGEST = 6 };
  for (size_t from = 0; from < length; from += PIECE) {
    const size_t stop = length - from < PIECE ? length : from + PIECE;
    if (!reserve(t, (stop - from) * LONGEST)) return;
    char *to = t->data + t->length;
    for (size_t i = from; i < stop; i++) {
      const unsigned char c = (unsigned char)bytes[i];
      if (c >= 0x20 && c != '"' && c != '\\')
        *to++ = (char)c;
      else
        to = escape(to, c);
    }
    *to = '\0';
    t->length = (size_t)(to - t->data);
  }
}

void text_cut(text *t, size_t max_length) {
  if (t->failed || t->length <= max_length) return;
  while (max_length && ((unsigned char)t->data[max_length] & 0xC0) == 0x80)
    max_length--;
  t->length = max_length;
  t->data[max_length] = '\0';
}

const char *text_string(const text *t) {
  return t->data && !t->failed ? t->data : "";
}

void text_clear(text *t) {
  t->length = 0;
  t->failed = false;
  if (t->data) t->data[0] = '\0';
}

void text_free(text *t) {
  free(t->data);
  *t = (text){0};
}
