#include "base/printable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/json_text.h"

/* Whether a terminal obeys the character. U+0080 to U+009F are control characters, too: xterm reads
 * U+009B as the start of an escape sequence. U+2028 and U+2029 are line breaks. */
static bool is_control(uint32_t c) {
  if (c < 0xA0) return c < 0x20 || c >= 0x7F;
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

static uint32_t decode(const char *at, size_t length) {
  const unsigned char *s = (const unsigned char *)at;
  if (length == 1) return s[0];
  uint32_t c = s[0] & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++)
    c = c << 6 | (s[i] & 0x3Fu);
  return c;
}

/* The length of a sequence that only sets colours; 0 if there is none. */
static size_t colour_length(const char *at, size_t length) {
  if (length < 3 || at[0] != '\33' || at[1] != '[') return 0;
  size_t i = 2;
  while (i < length && ((at[i] >= '0' && at[i] <= '9') || at[i] == ';'))
    i++;
  return i < length && at[i] == 'm' ? i + 1 : 0;
}

static bool put_break(text *out, char c, printable_style style) {
  if (c != '\n' && c != '\t' && c != '\r') return false;
  if (style == PRINTABLE_LINE) {
    text_put(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    return true;
  }
  if (c == '\r') return false;
  text_char(out, c);
  if (c == '\n' && style == PRINTABLE_INDENT) text_put(out, "  | ");
  return true;
}

static void put_control(text *out, uint32_t c, printable_style style) {
  if (c < 0x80 && put_break(out, (char)c, style)) return;
  const char *format = style == PRINTABLE_JSON ? "\\u%04x" : c < 0xA0 ? "\\x%02x" : "\\u{%x}";
  text_printf(out, format, (unsigned)c);
}

static bool is_plain(char c) {
  return c >= ' ' && c != 0x7F;
}

void printable_put(text *out, const char *bytes, size_t length, printable_style style) {
  size_t from = 0, at = 0; /* everything before `from` is already in `out` */
  while (at < length) {
    if (is_plain(bytes[at])) {
      at++;
      continue;
    }
    unsigned char first = (unsigned char)bytes[at];
    size_t size = first < 0x80 ? 1 : json_utf8_length(bytes + at, bytes + length);
    size_t colour = style == PRINTABLE_PAINTED ? colour_length(bytes + at, length - at) : 0;
    bool broken = size == 0 && style != PRINTABLE_JSON;
    if (colour || (!broken && (size == 0 || !is_control(decode(bytes + at, size))))) {
      at += colour ? colour : size ? size : 1;
      continue;
    }
    text_add(out, bytes + from, at - from);
    if (broken)
      text_printf(out, "\\x%02x", first);
    else
      put_control(out, decode(bytes + at, size), style);
    from = at += broken ? 1 : size;
  }
  if (length > from) text_add(out, bytes + from, length - from);
}

bool printable_write(FILE *file, const char *bytes, size_t length, printable_style style) {
  text shown = {0};
  printable_put(&shown, bytes, length, style);
  errno = shown.failed ? ENOMEM : 0;
  bool done = !shown.failed && fwrite(text_string(&shown), 1, shown.length, file) == shown.length;
  text_free(&shown);
  return done;
}

void printable_print(FILE *file, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  text words = {0};
  int length = vsnprintf(NULL, 0, format, arguments);
  char *room = length > 0 ? text_room(&words, (size_t)length) : NULL;
  if (room) vsnprintf(room, (size_t)length + 1, format, again);
  va_end(again);
  va_end(arguments);
  printable_write(file, text_string(&words), words.length, PRINTABLE_TEXT);
  text_free(&words);
}
