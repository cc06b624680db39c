/* Finds secrets in texts: those that f5lua knows, and what looks like one. */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "f5/report/command_secret.h"
#include "f5/report/foreign_secret.h"
#include "f5/report/secret.h"
#include "f5/report/secret_index.h"

#define TOKEN_LENGTH 26     /* of tokens that devices make: capitals and digits */
#define MIN_TOKEN_LENGTH 16 /* at a token's address */
#define TOKEN_SHOWN 4
#define MAX_NAME 64 /* of a secret member */

/* In JSON text that is encoded n times, a quote follows 2^n - 1 backslashes. Backslashes that
 * belong to the string come before them, in multiples of 2^(n+1). */
static bool closes(size_t backslashes, size_t opening) {
  return backslashes % (2 * (opening + 1)) == opening;
}

/* For a quote that is preceded by `opening` backslashes: finds the end of the string that it opens
 * (the position of the first backslash before the closing quote) and the position after the closing
 * quote. */
static bool string_end(const char *s, size_t length, size_t at, size_t opening, size_t *end,
                       size_t *behind) {
  const char *quote;
  for (size_t from = at; from < length; from = *behind) {
    if (!(quote = memchr(s + from, '"', length - from))) return false;
    size_t place = (size_t)(quote - s), backslashes = 0;
    *behind = place + 1;
    while (place - backslashes > from && s[place - backslashes - 1] == '\\')
      backslashes++;
    if (!closes(backslashes, opening)) continue;
    *end = place - opening;
    return true;
  }
  return false;
}

/* Whether the name of a secret ends with the word for it: "password" does, but "passwordMinLength",
 * whose number is no secret, does not. */
static bool ends_with_secret(const char *name, size_t length) {
  if (length > 1 && (name[length - 1] | 32) == 's') length--; /* of several */
  return length > 0 && secret_name(name, length) && !secret_name(name, length - 1);
}

/* A member that is called like a header. */
static bool is_cookie(const char *name, size_t length) {
  return (length == 6 && strncasecmp(name, "cookie", 6) == 0) ||
         (length == 10 && strncasecmp(name, "set-cookie", 10) == 0);
}

/* A member of AS3 whose name does not say what it holds: the two sides of a difference, whose name
 * is in a list beside it, and what is encoded. */
static bool is_nameless(const char *name, size_t length) {
  return (length == 3 && (memcmp(name, "lhs", 3) == 0 || memcmp(name, "rhs", 3) == 0)) ||
         (length == 6 && memcmp(name, "base64", 6) == 0);
}

/* What a secret member has for a value: where it starts and ends, and whether it is no string but a
 * number, the inside of a list, or an object. A mask takes its place as a string, so that the text
 * stays JSON: `quotes` backslashes before each of its quotes, -1: none. */
typedef struct span {
  size_t start, end;
  int quotes;
} span;

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The closing bracket for the opening one at `at`; length: it is missing. */
static size_t bracket_end(const char *s, size_t length, size_t at, size_t opening) {
  size_t depth = 0, end, behind;
  for (; at < length; at++) {
    if (s[at] == '{' || s[at] == '[') depth++;
    if ((s[at] == '}' || s[at] == ']') && --depth == 0) return at;
    if (s[at] != '"') continue;
    if (!string_end(s, length, at + 1, opening, &end, &behind)) return length;
    at = behind - 1;
  }
  return length;
}

static bool ends_with(const char *name, size_t length, const char *end) {
  const size_t size = strlen(end);
  return length >= size && strncasecmp(name + length - size, end, size) == 0;
}

/* Finds a number, or an object or the inside of a list with strings in it. Tokens are objects with
 * facts that are no secrets, and with strings that are masked by themselves. */
static bool plain_value(const char *s, size_t length, const char *name, size_t name_length,
                        size_t opening, span *value) {
  const size_t at = value->start;
  size_t stop = at;
  const bool exact = ends_with_secret(name, name_length);
  const bool is_token =
      ends_with(name, name_length, "token") || ends_with(name, name_length, "tokens");
  value->quotes = (int)opening;
  if (s[at] == '[' || s[at] == '{') {
    size_t item = at + 1;
    while (item < length && (is_blank(s[item]) || s[item] == '\\'))
      item++;
    const bool is_string = item < length && s[item] == '"';
    if (item == length || s[item] == (s[at] == '[' ? ']' : '}')) return false;
    if (!(s[at] == '[' && is_string) && (!exact || is_token)) return false;
    stop = bracket_end(s, length, at, opening);
    if (s[at] == '[')
      value->start++;
    else if (stop < length)
      stop++;
  } else if (exact) {
    while (stop < length && s[stop] && strchr("+-.0123456789eE", s[stop]))
      stop++;
  }
  value->end = stop;
  return stop > value->start;
}

/* The name of a member of an object. Also one inside of a string, as in the originalRequestBody
 * that a failed login echoes. */
typedef struct member {
  const char *name;
  size_t length, opening; /* of the name; backslashes before its quotes */
  size_t value;           /* where its value begins */
} member;

static bool find_member(const char *s, size_t length, size_t quote, member *found) {
  size_t opening = 0, name_end, at;
  while (opening < quote && s[quote - 1 - opening] == '\\')
    opening++;
  if ((opening & (opening + 1)) != 0) /* not 2^n - 1, so it does not open a string */
    return false;
  size_t near = quote + 1 + MAX_NAME + opening + 1;
  if (!string_end(s, near < length ? near : length, quote + 1, opening, &name_end, &at) ||
      name_end - quote - 1 > MAX_NAME)
    return false;
  while (at < length && is_blank(s[at]))
    at++;
  if (at >= length || s[at] != ':') return false;
  at++;
  while (at < length && is_blank(s[at]))
    at++;
  *found = (member){s + quote + 1, name_end - quote - 1, opening, at};
  return true;
}

/* Finds the inside of the string that is the value. */
static bool string_value(const char *s, size_t length, const member *of, size_t *start,
                         size_t *end) {
  size_t at = of->value, behind;
  for (size_t i = 0; i < of->opening; i++)
    if (at >= length || s[at++] != '\\') return false;
  if (at >= length || s[at] != '"') return false;
  *start = at + 1;
  if (!string_end(s, length, *start, of->opening, end, &behind))
    *end = length; /* truncated: the rest is the value */
  return true;
}

/* Whether it is a secret whose value is a string, a number, a list or an object, and where that
 * value is. */
static bool secret_member(const char *s, size_t length, const member *of, span *value) {
  if (!secret_name(of->name, of->length) && !is_cookie(of->name, of->length) &&
      !is_nameless(of->name, of->length))
    return false;
  value->start = of->value;
  if (of->value < length && plain_value(s, length, of->name, of->length, of->opening, value))
    return true;
  value->quotes = -1;
  return string_value(s, length, of, &value->start, &value->end);
}

/* Whether it holds a command line, what a command printed, or a script or iRule. */
static bool is_command(const member *of) {
  static const char *const names[] = {"utilCmdArgs", "commandResult", "apiAnonymous",
                                      "definition",  "iRule",         "api-anonymous"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (*of->name == *names[i] && strlen(names[i]) == of->length &&
        memcmp(of->name, names[i], of->length) == 0)
      return true;
  return false;
}

/* "X-F5-Auth-Token: …", "Authorization: Basic …" at the start of a line: finds where its value
 * starts and ends. */
static bool secret_header(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  static const char *const names[] = {
      "X-F5-Auth-Token:", "Authorization:", "Proxy-Authorization:", "Cookie:", "Set-Cookie:"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t name = strlen(names[i]);
    if (length - at > name && strncasecmp(s + at, names[i], name) == 0) {
      *start = at + name + (s[at + name] == ' ');
      const char *line = memchr(s + *start, '\n', length - *start);
      *end = line ? (size_t)(line - s) : length;
      if (line && *end > *start && s[*end - 1] == '\r') --*end;
      return true;
    }
  }
  return false;
}

/* "Authorization: …" at the colon, in a line of a text in JSON, such as what a monitor sends. Its
 * value goes up to the end of the line. */
static bool header_in_text(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  static const char *const names[] = {"authorization", "x-f5-auth-token", "cookie"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const size_t name = strlen(names[i]);
    if (at < name || strncasecmp(s + at - name, names[i], name) != 0) continue;
    const size_t from = at - name;
    const bool line = from > 1 && s[from - 2] == '\\' && strchr("nr", s[from - 1]);
    if (!line && !(from > 0 && s[from - 1] == '"')) return false;
    *start = at + 2; /* ": " */
    for (*end = *start; *end < length && !strchr("\"\\\r\n", s[*end]);)
      ++*end;
    return *end > *start;
  }
  return false;
}

/* A token that no session here owns: in the path of a token, or a JSON string that looks like one
 * (the "name" of a token is the token itself). Its first characters stay visible, to distinguish it
 * from others. */
static bool secret_token(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  static const char collection[] = "/authz/tokens/";
  const size_t prefix = sizeof collection - 1;
  bool in_path = at >= prefix && memcmp(s + at - prefix, collection, prefix) == 0;
  if (!in_path && (at == 0 || s[at - 1] != '"')) return false;
  size_t stop = at;
  while (stop < length &&
         ((s[stop] >= 'A' && s[stop] <= 'Z') || (s[stop] >= '0' && s[stop] <= '9')))
    stop++;
  bool whole = stop == length || s[stop] == '"' || s[stop] == '\\';
  if (in_path ? stop - at < MIN_TOKEN_LENGTH : stop - at != TOKEN_LENGTH || !whole) return false;
  *start = at + TOKEN_SHOWN;
  *end = stop;
  return true;
}

/* What is masked at or behind a position of a text. */
typedef struct mask_scan {
  const char *s;
  size_t length;
  size_t command, command_end; /* the last command line that was found */
  bool has_escapes;
} mask_scan;

/* The same for what is announced by a quote. */
static bool announced_by_quote(mask_scan *m, size_t at, span *value) {
  const char *s = m->s;
  member of;
  if (!find_member(s, m->length, at, &of))
    return part_secret(s, m->length, at, &value->start, &value->end) ||
           scheme_secret(s, m->length, at, &value->start, &value->end);
  if (secret_member(s, m->length, &of, value)) return true;
  value->quotes = -1;
  if (pair_secret(s, m->length, at, &value->start, &value->end)) return true;
  if (at >= m->command_end && is_command(&of))
    string_value(s, m->length, &of, &m->command, &m->command_end);
  return false;
}

/* Returns whether something that begins or is announced here is a secret, and where it is. What it
 * looks for must be in `places`, too. */
static bool announced(mask_scan *m, size_t at, span *value) {
  const char *s = m->s;
  size_t *start = &value->start, *end = &value->end;
  value->quotes = -1;
  if (s[at] == '"' && announced_by_quote(m, at, value)) return true;
  value->quotes = -1;
  if ((at == 0 || s[at - 1] == '\n') && secret_header(s, m->length, at, start, end)) return true;
  if (secret_token(s, m->length, at, start, end)) return true;
  if (s[at] == ':' && address_secret(s, m->length, at, start, end)) return true;
  if (s[at] == ':' && header_in_text(s, m->length, at, start, end)) return true;
  if (s[at] == '-' && private_key(s, m->length, at, start, end)) return true;
  if (s[at] == '=' && parameter_secret(s, m->length, at, start, end)) return true;
  if (s[at] == '%' && encoded_parameter_secret(s, m->length, at, start, end)) return true;
  if (s[at] == '<' && element_secret(s, m->length, at, start, end)) return true;
  *start = at;
  if (s[at] == '$' && encrypted_value(s, m->length, at, end)) return true;
  if (at > 0 && s[at - 1] == '"' && encoded_secret(s, m->length, at, end)) return true;
  return at >= m->command && at < m->command_end &&
         command_secret(s, m->command, m->command_end, at, start, end);
}

/* Where a secret can stand outside of command lines. */
#define HERE 1    /* at this byte */
#define CAPITAL 2 /* a token consists of these, or begins with it */
#define TOKEN 4   /* behind this byte, if a capital follows */
#define BEHIND 8  /* behind this byte */
static const unsigned char places[256] = {
    ['"'] = HERE | TOKEN, ['='] = HERE,    ['e'] = CAPITAL, /* of "eyJ" */
    [':'] = HERE,         ['-'] = HERE,    ['$'] = HERE,    ['\n'] = BEHIND, ['/'] = TOKEN,
    ['%'] = HERE,         ['<'] = HERE,    ['0'] = CAPITAL, ['1'] = CAPITAL, ['2'] = CAPITAL,
    ['3'] = CAPITAL,      ['4'] = CAPITAL, ['5'] = CAPITAL, ['6'] = CAPITAL, ['7'] = CAPITAL,
    ['8'] = CAPITAL,      ['9'] = CAPITAL, ['A'] = CAPITAL, ['B'] = CAPITAL, ['C'] = CAPITAL,
    ['D'] = CAPITAL,      ['E'] = CAPITAL, ['F'] = CAPITAL, ['G'] = CAPITAL, ['H'] = CAPITAL,
    ['I'] = CAPITAL,      ['J'] = CAPITAL, ['K'] = CAPITAL, ['L'] = CAPITAL, ['M'] = CAPITAL,
    ['N'] = CAPITAL,      ['O'] = CAPITAL, ['P'] = CAPITAL, ['Q'] = CAPITAL, ['R'] = CAPITAL,
    ['S'] = CAPITAL,      ['T'] = CAPITAL, ['U'] = CAPITAL, ['V'] = CAPITAL, ['W'] = CAPITAL,
    ['X'] = CAPITAL,      ['Y'] = CAPITAL, ['Z'] = CAPITAL};

/* Whether a secret can begin or be announced at a byte that is HERE: "://", "Cookie: ",
 * "-----BEGIN ", "%3D". */
static bool may_begin(const mask_scan *m, size_t at) {
  const char byte = m->s[at];
  if (byte != ':' && byte != '-' && byte != '%') return true;
  if (at + 1 >= m->length) return false;
  const char next = m->s[at + 1];
  if (byte == ':') return next == '/' || (next == ' ' && at > 0 && m->s[at - 1] != '"');
  return next == (byte == '%' ? '3' : '-');
}

/* The next position, from `at` on and before `stop`, at which something can be a secret. */
static size_t skip(const mask_scan *m, size_t at, size_t stop) {
  const unsigned char *s = (const unsigned char *)m->s;
  if (at == 0 || at < m->command_end) return at;
  unsigned before = places[s[at - 1]];
  for (; at < stop; at++) {
    const unsigned now = places[s[at]];
    const bool found = secret_first[s[at]] || (before & BEHIND) || (now & before >> 1 & CAPITAL);
    if (found || ((now & HERE) && may_begin(m, at))) break;
    before = now;
  }
  return at;
}

static void put_mask(text *out, int quotes) {
  for (int side = 0; side < 2; side++) {
    if (side == 1) text_put(out, SECRET_MASK);
    for (int i = 0; i < quotes; i++)
      text_char(out, '\\');
    if (quotes >= 0) text_char(out, '"');
  }
}

static void mask(text *out, mask_scan *m) {
  const char *string = m->s;
  size_t length = m->length;
  m->has_escapes = length > 0 && memchr(string, '\\', length);
  text_reserve(out, length);
  size_t from = 0; /* everything before it is already in `out` */
  /* The value of a password-like name follows the name, which may contain a known secret itself. */
  bool waits = false;
  span value = {.quotes = -1};
  for (size_t at = 0; at < length || (waits && at == value.start);) {
    at = skip(m, at, waits ? value.start : length);
    size_t end = at;
    bool is_value = waits && at == value.start;
    if (is_value) end = value.end;
    if (at < length && secret_first[(unsigned char)string[at]]) {
      size_t known = at + secret_longest(string + at, length - at, m->has_escapes);
      if (known > end) end = known;
    }
    if (waits && end > value.start) {
      if (end < value.end) end = value.end; /* the known secret overlaps the value */
      waits = false;
    }
    if (end == at && !is_value) {
      if (at == length) break;
      if (!waits) waits = announced(m, at, &value);
      if (!waits || value.start > at) at++;
      continue;
    }
    if (is_value) waits = false;
    text_add(out, string + from, at - from);
    put_mask(out, is_value ? value.quotes : -1);
    from = at = end;
  }
  text_add(out, string + from, length - from);
}

void secret_mask(text *out, const char *string, size_t length) {
  mask(out, &(mask_scan){.s = string, .length = length});
}

void secret_mask_command(text *out, const char *string, size_t length) {
  mask(out, &(mask_scan){.s = string, .length = length, .command_end = length});
}
