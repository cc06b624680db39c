#include "base/json_decode.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json_text.h"
#include "base/json_value.h"

/* Fields and elements stay on the Lua stack until there are this many or the container ends. So the
 * table is created with the right size, and a container of any length needs a bounded part of the
 * stack. */
#define BATCH 64

/* From this length on the collector is stopped during decoding. For shorter texts it costs more
 * than it saves: a restarted collector forgets how long it wanted to wait. */
#define STOP_COLLECTOR_FROM 65536

/* Bodies repeat a few names and short values ("enabled", "Common"). This cache finds their Lua
 * strings faster than lua_pushlstring, which hashes byte by byte. A table in the user value keeps
 * the strings. */
#define CACHE_SLOTS 512u
#define CACHE_MAX_NAME 32u
#define CACHE_MAX_VALUE 16u

typedef struct cached_string {
  /* The first and the last eight bytes. Together with the length they identify a string of up to 16
   * bytes. */
  uint64_t head, tail;
  const char *bytes; /* of the Lua string */
  size_t length;     /* 0: empty slot */
} cached_string;

typedef struct reader {
  lua_State *L;
  char *text, *at, *end;
  char *line_start;
  size_t line;
  cached_string *cached;
  /* On the stack: the table of cached strings, and the array metatable. */
  int cache_index, array_index;
  int depth;
  const char *error, *error_at;
  /* `error` is what was expected. */
  bool expected;
} reader;

static bool read_value(reader *r);

static bool fail(reader *r, const char *at, const char *message) {
  r->error = message;
  r->error_at = at;
  return false;
}

static bool fail_expected(reader *r, const char *at, const char *what) {
  r->expected = true;
  return fail(r, at, what);
}

/* The text ends with a NUL, so one byte can always be read. Raw line breaks occur only between
 * tokens, so lines are counted here. It cannot be done afterwards, because strings are unescaped in
 * place. */
static inline void skip_space(reader *r) {
  char *p = r->at;
  while ((unsigned char)*p <= ' ') {
    if (*p == '\n') {
      r->line++;
      r->line_start = p + 1;
    } else if (*p != ' ' && *p != '\r' && *p != '\t') {
      break;
    }
    p++;
  }
  r->at = p;
}

/* -- strings -- */

static int hex4(const char *p, const char *end) {
  if (end - p < 4) return -1;
  int value = 0;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

static char *write_utf8(char *w, unsigned c) {
  if (c < 0x80) {
    *w++ = (char)c;
  } else if (c < 0x800) {
    *w++ = (char)(0xc0 | c >> 6);
    *w++ = (char)(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    *w++ = (char)(0xe0 | c >> 12);
    *w++ = (char)(0x80 | (c >> 6 & 0x3f));
    *w++ = (char)(0x80 | (c & 0x3f));
  } else {
    *w++ = (char)(0xf0 | c >> 18);
    *w++ = (char)(0x80 | (c >> 12 & 0x3f));
    *w++ = (char)(0x80 | (c >> 6 & 0x3f));
    *w++ = (char)(0x80 | (c & 0x3f));
  }
  return w;
}

/* Writes the escape sequence at *p (a backslash) to *w and advances both. The result is never
 * longer. */
static bool unescape(reader *r, char **p, char **w) {
  char *at = *p;
  char plain;
  switch (at[1]) {
  case '"':
  case '\\':
  case '/':
    plain = at[1];
    break;
  case 'b':
    plain = '\b';
    break;
  case 'f':
    plain = '\f';
    break;
  case 'n':
    plain = '\n';
    break;
  case 'r':
    plain = '\r';
    break;
  case 't':
    plain = '\t';
    break;
  case 'u': {
    int unit = hex4(at + 2, r->end);
    if (unit < 0) return fail_expected(r, at, "four hexadecimal digits after \\u");
    unsigned c = (unsigned)unit;
    *p = at + 6;
    if (c >= 0xdc00 && c <= 0xdfff)
      return fail(r, at, "a low surrogate without the high one before it");
    if (c >= 0xd800 && c <= 0xdbff) {
      int low = (*p)[0] == '\\' && (*p)[1] == 'u' ? hex4(*p + 2, r->end) : -1;
      if (low < 0xdc00 || low > 0xdfff)
        return fail(r, at, "a high surrogate without the low one after it");
      c = 0x10000 + ((c - 0xd800) << 10) + ((unsigned)low - 0xdc00);
      *p += 6;
    }
    *w = write_utf8(*w, c);
    return true;
  }
  default:
    return fail(r, at, "unknown escape in a string");
  }
  *(*w)++ = plain;
  *p = at + 2;
  return true;
}

/* Reads the rest of a string, from the first byte that is not plain. */
static bool read_special_string(reader *r, char *p, size_t *length) {
  char *start = r->at + 1, *w = p;
  for (;;) {
    size_t run;
    unsigned char c = (unsigned char)*p;
    if (c == '"') {
      break;
    } else if (c == '\\') {
      if (!unescape(r, &p, &w)) return false;
    } else if (c >= 0x80) {
      if ((run = json_utf8_length(p, r->end)) == 0) return fail(r, p, "invalid UTF-8 in a string");
      memmove(w, p, run);
      w += run;
      p += run;
    } else if (p == r->end) {
      return fail(r, p, "the string that starts on this line is not closed");
    } else {
      return fail(r, p, "a control character in a string must be escaped");
    }
    run = (size_t)(json_skip_plain(p, r->end) - p);
    if (w != p) memmove(w, p, run);
    w += run;
    p += run;
  }
  r->at = p + 1;
  *length = (size_t)(w - start);
  return true;
}

/* r->at is at the quote. Afterwards the bytes start behind it. */
static inline bool read_string_bytes(reader *r, size_t *length) {
  char *start = r->at + 1;
  char *p = start + (json_skip_plain(start, r->end) - start);
  if (*p == '"') {
    *length = (size_t)(p - start);
    r->at = p + 1;
    return true;
  }
  return read_special_string(r, p, length);
}

static inline uint64_t load8(const char *p) {
  uint64_t value;
  memcpy(&value, p, sizeof value);
  return value;
}

static inline uint32_t load4(const char *p) {
  uint32_t value;
  memcpy(&value, p, sizeof value);
  return value;
}

static void push_string(reader *r, const char *bytes, size_t length, size_t max_length) {
  lua_State *L = r->L;
  if (length == 0 || length > max_length) {
    lua_pushlstring(L, bytes, length);
    return;
  }
  uint64_t head, tail = 0;
  if (length >= 8) {
    head = load8(bytes);
    tail = load8(bytes + length - 8);
  } else if (length >= 4) {
    head = load4(bytes) | (uint64_t)load4(bytes + length - 4) << 32;
  } else {
    head = (unsigned char)bytes[0] | (uint64_t)(unsigned char)bytes[length / 2] << 8 |
           (uint64_t)(unsigned char)bytes[length - 1] << 16;
  }
  uint64_t hash = (head ^ (tail << 1 | tail >> 63) ^ length) * 0x9e3779b97f4a7c15u;
  unsigned slot = (unsigned)(hash >> 55); /* 9 bits */
  cached_string *entry = &r->cached[slot];
  if (entry->head == head && entry->tail == tail && entry->length == length &&
      (length <= 16 || memcmp(entry->bytes, bytes, length) == 0)) {
    lua_rawgeti(L, r->cache_index, (lua_Integer)slot + 1);
    return;
  }
  lua_pushlstring(L, bytes, length);
  /* From here to the end nothing allocates, so no finalizer that decodes can run in between. */
  lua_pushvalue(L, -1);
  lua_rawseti(L, r->cache_index, (lua_Integer)slot + 1);
  *entry = (cached_string){head, tail, lua_tostring(L, -1), length};
}

/* -- numbers -- */

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Reads a number that is not a 64-bit integer. `digits` digits with the value `number` have been
 * read; p is behind them. */
static bool read_float(reader *r, char *p, uint64_t number, ptrdiff_t digits) {
  char *start = r->at;
  int exponent = 0, scale = 0;
  if (*p == '.') {
    char *fraction = ++p;
    for (; is_digit(*p); p++)
      number = number * 10 + (uint64_t)(*p - '0');
    if (p == fraction) return fail_expected(r, p, "a digit after the decimal point");
    digits += p - fraction;
    scale = p - fraction > 100 ? -100 : (int)(fraction - p);
  }
  if (*p == 'e' || *p == 'E') {
    p++;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    if (!is_digit(*p)) return fail_expected(r, p, "a digit in the exponent");
    for (; is_digit(*p); p++)
      exponent = exponent < 10000 ? exponent * 10 + (*p - '0') : exponent;
    exponent = negative ? -exponent : exponent;
  }
  exponent += scale;
  double value;
  if (digits <= 15 && exponent >= -22 && exponent <= 22) {
    /* Both operands are exact, so there is only one rounding, and the result is correct. */
    value = exponent < 0 ? (double)number / powers_of_ten[-exponent]
                         : (double)number * powers_of_ten[exponent];
    if (*start == '-') value = -value;
  } else {
    value = json_text_to_float(start);
  }
  if (isinf(value)) return fail(r, start, "the number is out of range");
  r->at = p;
  lua_pushnumber(r->L, value);
  return true;
}

static bool read_number(reader *r) {
  bool negative = *r->at == '-';
  char *first = r->at + negative, *p = first;
  uint64_t number = 0;
  for (; is_digit(*p); p++)
    number = number * 10 + (uint64_t)(*p - '0');
  ptrdiff_t digits = p - first;
  if (digits == 0) return fail_expected(r, p, "a digit after the minus sign");
  if (*first == '0' && digits > 1) return fail(r, first, "a number must not start with a zero");
  if (*p == '.' || *p == 'e' || *p == 'E' || digits > 19 ||
      (digits == 19 && number > (uint64_t)INT64_MAX + negative))
    return read_float(r, p, number, digits);
  r->at = p;
  lua_pushinteger(r->L, (lua_Integer)(negative ? 0 - number : number));
  return true;
}

/* -- containers -- */

/* If the table of the container exists, it is at base + 1. The values not stored yet are behind
 * it. */

static void flush_fields(reader *r, int base, int waiting, bool made, bool more) {
  lua_State *L = r->L;
  int from = base + 1 + made;
  if (made)
    lua_pushvalue(L, base + 1);
  else
    lua_createtable(L, 0, more ? waiting * 2 : waiting);
  int table = lua_gettop(L);
  for (int i = 0; i < waiting; i++) { /* in the order of the text: the last duplicate wins */
    lua_pushvalue(L, from + 2 * i);
    lua_pushvalue(L, from + 2 * i + 1);
    lua_rawset(L, table);
  }
  if (table > base + 1) lua_replace(L, base + 1);
  lua_settop(L, base + 1);
}

static void flush_elements(reader *r, int base, int waiting, lua_Integer before, bool more) {
  lua_State *L = r->L;
  if (before == 0) {
    lua_createtable(L, more ? waiting * 2 : waiting, 0);
    lua_pushvalue(L, r->array_index);
    lua_setmetatable(L, -2);
    lua_insert(L, base + 1);
  }
  for (int i = waiting; i > 0; i--)
    lua_rawseti(L, base + 1, before + i);
}

static bool enter(reader *r) {
  if (++r->depth > JSON_MAX_DEPTH) return fail(r, r->at, "nested too deeply");
  if (!lua_checkstack(r->L, 2 * BATCH + 8)) return fail(r, r->at, "no stack left");
  r->at++;
  skip_space(r);
  return true;
}

static bool read_object(reader *r) {
  if (!enter(r)) return false;
  int base = lua_gettop(r->L), waiting = 0;
  bool made = false;
  if (*r->at != '}') {
    for (;;) {
      size_t length;
      if (*r->at != '"')
        return fail_expected(r, r->at,
                             made || waiting ? "a name in quotes" : "a name in quotes or '}'");
      char *name = r->at + 1;
      if (!read_string_bytes(r, &length)) return false;
      push_string(r, name, length, CACHE_MAX_NAME);
      skip_space(r);
      if (*r->at != ':') return fail_expected(r, r->at, "':'");
      r->at++;
      skip_space(r);
      if (!read_value(r)) return false;
      waiting++;
      skip_space(r);
      if (*r->at == '}') break;
      if (*r->at != ',') return fail_expected(r, r->at, "',' or '}'");
      r->at++;
      skip_space(r);
      if (waiting == BATCH) {
        flush_fields(r, base, waiting, made, true);
        made = true;
        waiting = 0;
      }
    }
  }
  r->at++;
  r->depth--;
  flush_fields(r, base, waiting, made, false);
  return true;
}

static bool read_array(reader *r) {
  if (!enter(r)) return false;
  int base = lua_gettop(r->L), waiting = 0;
  lua_Integer before = 0;
  if (*r->at != ']') {
    for (;;) {
      if (!read_value(r)) return false;
      waiting++;
      skip_space(r);
      if (*r->at == ']') break;
      if (*r->at != ',') return fail_expected(r, r->at, "',' or ']'");
      r->at++;
      skip_space(r);
      if (waiting == 2 * BATCH) {
        flush_elements(r, base, waiting, before, true);
        before += waiting;
        waiting = 0;
      }
    }
  }
  r->at++;
  r->depth--;
  flush_elements(r, base, waiting, before, false);
  return true;
}

static bool read_word(reader *r, const char *word, size_t length) {
  if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
    return fail_expected(r, r->at, "a value");
  r->at += length;
  return true;
}

static bool read_value(reader *r) {
  lua_State *L = r->L;
  switch (*r->at) {
  case '{':
    return read_object(r);
  case '[':
    return read_array(r);
  case '"': {
    char *bytes = r->at + 1;
    size_t length;
    if (!read_string_bytes(r, &length)) return false;
    push_string(r, bytes, length, CACHE_MAX_VALUE);
    return true;
  }
  case 't':
    lua_pushboolean(L, 1);
    return read_word(r, "true", 4);
  case 'f':
    lua_pushboolean(L, 0);
    return read_word(r, "false", 5);
  case 'n':
    lua_pushlightuserdata(L, NULL);
    return read_word(r, "null", 4);
  case '-':
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9':
    return read_number(r);
  default:
    return fail_expected(r, r->at, "a value");
  }
}

/* -- the whole text -- */

static const char cache_key;

static void push_cache(reader *r) {
  lua_State *L = r->L;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &cache_key) != LUA_TUSERDATA) {
    lua_pop(L, 1);
    r->cached = lua_newuserdatauv(L, CACHE_SLOTS * sizeof *r->cached, 1);
    memset(r->cached, 0, CACHE_SLOTS * sizeof *r->cached);
    lua_createtable(L, (int)CACHE_SLOTS, 0);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &cache_key);
  }
  r->cached = lua_touserdata(L, -1);
  lua_getiuservalue(L, -1, 1);
  r->cache_index = lua_gettop(L);
}

static void push_error(reader *r) {
  char found[40];
  unsigned char c = (unsigned char)*r->error_at;
  if (r->error_at == r->end)
    snprintf(found, sizeof found, "the text ends");
  else if (c > 0x20 && c < 0x7f)
    snprintf(found, sizeof found, "found '%c'", c);
  else
    snprintf(found, sizeof found, "found byte 0x%02x", c);
  lua_pushfstring(r->L,
                  r->expected ? "line %I, column %I (byte %I): expected %s, %s"
                              : "line %I, column %I (byte %I): %s",
                  (LUAI_UACINT)r->line, (LUAI_UACINT)(r->error_at - r->line_start + 1),
                  (LUAI_UACINT)(r->error_at - r->text + 1), r->error, found);
}

/* Leaves the value; or the message, and sets r->error. */
static int decode_protected(lua_State *L) {
  reader *r = lua_touserdata(L, 1);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  push_cache(r);
  json_push_array_metatable(L);
  r->array_index = lua_gettop(L);
  if (r->end - r->at >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0) r->at += 3;
  skip_space(r);
  if (read_value(r)) {
    skip_space(r);
    if (r->at == r->end) return 1;
    fail_expected(r, r->at, "the end of the text after the value");
  }
  push_error(r);
  return 1;
}

bool json_decode(lua_State *L, char *text, size_t length) {
  reader r = {
      .L = L, .text = text, .at = text, .end = text + length, .line_start = text, .line = 1};
  luaL_checkstack(L, 2, NULL); /* before the collector stops: it may raise */
  bool stop = length >= STOP_COLLECTOR_FROM && lua_gc(L, LUA_GCISRUNNING);
  if (stop) lua_gc(L, LUA_GCSTOP);
  lua_pushcfunction(L, decode_protected);
  lua_pushlightuserdata(L, &r);
  int status = lua_pcall(L, 1, 1, 0);
  if (stop) lua_gc(L, LUA_GCRESTART);
  if (status != LUA_OK) lua_error(L); /* out of memory */
  return !r.error;
}
