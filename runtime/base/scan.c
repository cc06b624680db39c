#include "base/scan.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct cursor {
  const char *at, *end;
} cursor;

static void skip_space(cursor *c) {
  while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
    c->at++;
}

/* Whether an odd number of backslashes is before the quote, in the string that starts behind
 * `open`. */
static bool is_escaped(const char *open, const char *quote) {
  const char *at = quote;
  while (at > open + 1 && at[-1] == '\\')
    at--;
  return (quote - at) % 2 != 0;
}

/* At an opening quote: moves behind the closing quote. Every answer is scanned, and most of it is
 * strings: memchr is several times as fast as a loop. */
static bool skip_string(cursor *c) {
  const char *open = c->at++;
  while (c->at < c->end) {
    const char *quote = memchr(c->at, '"', (size_t)(c->end - c->at));
    if (!quote) break;
    c->at = quote + 1;
    if (!is_escaped(open, quote)) return true;
  }
  return false;
}

/* Moves behind a number or a word such as `true`. */
static void skip_bare(cursor *c) {
  static const bool ends[UCHAR_MAX + 1] = {
      [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true, [','] = true, [':'] = true,
      ['{'] = true, ['}'] = true,  ['['] = true,  [']'] = true,  ['"'] = true};
  do
    c->at++;
  while (c->at < c->end && !ends[(unsigned char)*c->at]);
}

/* Counts brackets without matching them: nothing here needs to detect broken JSON. */
static bool skip_value(cursor *c) {
  unsigned depth = 0;
  do {
    skip_space(c);
    if (c->at >= c->end) return false;
    switch (*c->at) {
    case '"':
      if (!skip_string(c)) return false;
      break;
    case '{':
    case '[':
      depth++;
      c->at++;
      break;
    case '}':
    case ']':
      if (!depth) return false;
      depth--;
      c->at++;
      break;
    case ',':
    case ':':
      if (!depth) return false;
      c->at++;
      break;
    default:
      skip_bare(c);
    }
  } while (depth);
  return true;
}

/* In an object, behind its brace: moves to the value of the member. */
static bool find_member(cursor *c, const char *name, size_t name_length) {
  for (;;) {
    skip_space(c);
    if (c->at >= c->end || *c->at != '"') return false;
    const char *key = c->at + 1;
    if (!skip_string(c)) return false;
    size_t key_length = (size_t)(c->at - key) - 1;
    skip_space(c);
    if (c->at >= c->end || *c->at != ':') return false;
    c->at++;
    skip_space(c);
    if (key_length == name_length && memcmp(key, name, name_length) == 0) return true;
    if (!skip_value(c)) return false;
    skip_space(c);
    if (c->at >= c->end || *c->at != ',') return false;
    c->at++;
  }
}

bool scan_find(const char *json, size_t length, const char *path, scan_value *value) {
  cursor c = {json, json + length};
  for (;;) {
    skip_space(&c);
    if (c.at >= c.end || *c.at != '{') return false;
    c.at++;
    size_t name_length = strcspn(path, ".");
    if (!find_member(&c, path, name_length)) return false;
    if (!path[name_length]) break;
    path += name_length + 1;
  }
  value->start = c.at;
  if (!skip_value(&c)) return false;
  value->length = (size_t)(c.at - value->start);
  return true;
}

static bool hex4(const char *s, const char *end, unsigned *out) {
  unsigned code = 0;
  if (end - s < 4) return false;
  for (int i = 0; i < 4; i++) {
    char digit = s[i];
    code <<= 4;
    if (digit >= '0' && digit <= '9')
      code |= (unsigned)(digit - '0');
    else if (digit >= 'a' && digit <= 'f')
      code |= (unsigned)(digit - 'a' + 10);
    else if (digit >= 'A' && digit <= 'F')
      code |= (unsigned)(digit - 'A' + 10);
    else
      return false;
  }
  *out = code;
  return true;
}

static size_t put_utf8(char *out, unsigned code) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xC0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | code >> 18);
  out[1] = (char)(0x80 | (code >> 12 & 0x3F));
  out[2] = (char)(0x80 | (code >> 6 & 0x3F));
  out[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

size_t scan_character(const char *s, size_t length, char utf8[4], size_t *size) {
  static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  const char *end = s + length;
  unsigned code, low;
  *size = 1;
  *utf8 = *s;
  if (*s != '\\') return 1;
  if (length == 1) {
    *size = 0;
    return 1;
  }
  const char *known = s[1] ? strchr(plain, s[1]) : NULL;
  *utf8 = known ? meant[known - plain] : s[1];
  if (s[1] != 'u' || !hex4(s + 2, end, &code)) return 2;
  size_t taken = 6;
  if (code >= 0xD800 && code < 0xDC00 && length >= 12 && s[6] == '\\' && s[7] == 'u' &&
      hex4(s + 8, end, &low) && low >= 0xDC00 && low < 0xE000) {
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    taken = 12;
  }
  *size = put_utf8(utf8, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
  return taken;
}

bool scan_string(const scan_value *value, text *out) {
  if (value->length < 2 || value->start[0] != '"') return false;
  const char *s = value->start + 1, *end = value->start + value->length - 1;
  while (s < end) {
    char utf8[4];
    size_t size;
    s += scan_character(s, (size_t)(end - s), utf8, &size);
    text_add(out, utf8, size);
  }
  return true;
}

bool scan_integer(const scan_value *value, int64_t *out) {
  char digits[40];
  if (value->length == 0 || value->length >= sizeof digits ||
      !(*value->start == '-' || (*value->start >= '0' && *value->start <= '9')))
    return false;
  memcpy(digits, value->start, value->length);
  digits[value->length] = '\0';
  char *end;
  errno = 0;
  long long exact = strtoll(digits, &end, 10);
  if (*end == '\0' && errno == 0 && end != digits) {
    *out = exact;
    return true;
  }
  double number = strtod(digits, &end);
  if (*end != '\0' || !(number >= -9.2e18 && number <= 9.2e18)) return false;
  *out = (int64_t)number;
  return true;
}

bool scan_looks_json(const char *json, size_t length) {
  cursor c = {json, json + length};
  skip_space(&c);
  return c.at < c.end && (*c.at == '{' || *c.at == '[');
}

bool scan_ends_json(const char *json, size_t length) {
  cursor c = {json, json + length};
  skip_space(&c);
  while (c.end > c.at &&
         (c.end[-1] == ' ' || c.end[-1] == '\t' || c.end[-1] == '\n' || c.end[-1] == '\r'))
    c.end--;
  return c.end > c.at + 1 && c.end[-1] == (*c.at == '{' ? '}' : ']');
}

/* Bytes that are counted at once: the compiler makes one instruction of a loop over them. */
#define LANES 16
#define STRIDES 127 /* before a lane could overflow */

/* '{' and '[', and '}' and ']', differ in one bit. */
static signed char bracket(char byte) {
  unsigned char folded = (unsigned char)byte | 0x20;
  return (signed char)((folded == '{') - (folded == '}'));
}

bool scan_balances(const char *json, size_t length) {
  long open = 0;
  const char *end = json + length;
  while (end - json >= LANES) {
    signed char lanes[LANES] = {0};
    for (int stride = 0; stride < STRIDES && end - json >= LANES; stride++, json += LANES)
      for (int i = 0; i < LANES; i++)
        lanes[i] = (signed char)(lanes[i] + bracket(json[i]));
    for (int i = 0; i < LANES; i++)
      open += lanes[i];
  }
  for (; json < end; json++)
    open += bracket(*json);
  return open == 0;
}

bool scan_is_whole(const char *json, size_t length) {
  cursor c = {json, json + length};
  if (!skip_value(&c)) return false;
  skip_space(&c);
  return c.at == c.end;
}
