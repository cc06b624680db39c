/* Finds secrets in texts: those that f5lua knows, and what looks like one. */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "f5/report/command_secret.h"
#include "f5/report/secret.h"
#include "f5/report/secret_index.h"

#define TOKEN_LENGTH 26     /* of tokens that devices make: capitals and digits */
#define MIN_TOKEN_LENGTH 16 /* at a token's address */
#define TOKEN_SHOWN 4
#define MAX_NAME 64 /* of a secret member */

typedef struct word {
  const char *bytes;
  size_t length;
} word;

#define WORD(bytes)                                                                                \
  { bytes, sizeof bytes - 1 }

static bool same_letters(const char *s, const word *w) {
  return ((s[0] ^ w->bytes[0]) & ~32) == 0 && ((s[2] ^ w->bytes[2]) & ~32) == 0 &&
         strncasecmp(s, w->bytes, w->length) == 0;
}

bool secret_name(const char *name, size_t length) {
  static const word parts[] = {
      WORD("password"),    WORD("passphrase"),   WORD("passwd"),  WORD("secret"),
      WORD("bindpw"),      WORD("privatekey"),   WORD("authkey"), WORD("credential"),
      WORD("ciphertext"),  WORD("apikey"),       WORD("api-key"), WORD("communityname"),
      WORD("api_key"),     WORD("presharedkey"), WORD("md5key"),  WORD("private_key"),
      WORD("private-key"), WORD("masterkey"),    WORD("hmackey"), WORD("accesskey")};
  static const word ends[] = {WORD("token"), WORD("pwd"), WORD("community"), WORD("authorization"),
                              WORD("psk")};
  static const bool first[32] = {['p' & 31] = true, ['s' & 31] = true, ['b' & 31] = true,
                                 ['a' & 31] = true, ['c' & 31] = true, ['m' & 31] = true,
                                 ['h' & 31] = true};
  for (size_t at = 0; at + 6 <= length; at++) { /* the shortest part has 6 letters */
    if (!first[name[at] & 31]) continue;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
      if (at + parts[i].length <= length && same_letters(name + at, &parts[i])) return true;
  }
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (length >= ends[i].length && same_letters(name + length - ends[i].length, &ends[i]))
      return true;
  return false;
}

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

/* Finds a number, or the inside of a list that begins with a string. */
static bool plain_value(const char *s, size_t length, const char *name, size_t name_length,
                        size_t *start, size_t *end) {
  size_t stop = *start;
  if (s[stop] == '[') {
    size_t item = ++*start;
    while (item < length && strchr(" \t\r\n\\", s[item]))
      item++;
    if (item == length || s[item] != '"') return false;
    while (stop < length && s[stop] != ']')
      stop++;
  } else if (ends_with_secret(name, name_length)) {
    while (stop < length && s[stop] && strchr("+-.0123456789eE", s[stop]))
      stop++;
  }
  *end = stop;
  return stop > *start;
}

/* For a quote: returns whether it opens the name of a secret member whose value is a string, a
 * number or a list of strings, and where that value starts and ends. Also works inside a string, as
 * in the originalRequestBody that a failed login echoes. */
static bool secret_member(const char *s, size_t length, size_t quote, size_t *start, size_t *end) {
  size_t opening = 0, name_end, at;
  while (opening < quote && s[quote - 1 - opening] == '\\')
    opening++;
  if ((opening & (opening + 1)) != 0) /* not 2^n - 1, so it does not open a string */
    return false;
  size_t near = quote + 1 + MAX_NAME + opening + 1;
  if (!string_end(s, near < length ? near : length, quote + 1, opening, &name_end, &at) ||
      name_end - quote - 1 > MAX_NAME)
    return false;
  while (at < length && strchr(" \t\r\n", s[at]))
    at++;
  if (at >= length || s[at] != ':' || !secret_name(s + quote + 1, name_end - quote - 1))
    return false;
  at++;
  while (at < length && strchr(" \t\r\n", s[at]))
    at++;
  *start = at;
  if (at < length && plain_value(s, length, s + quote + 1, name_end - quote - 1, start, end))
    return true;
  for (size_t i = 0; i < opening; i++)
    if (at >= length || s[at++] != '\\') return false;
  if (at >= length || s[at] != '"') return false;
  *start = at + 1;
  size_t behind;
  if (!string_end(s, length, *start, opening, end, &behind))
    *end = length; /* truncated: the rest is the secret */
  return true;
}

/* For a quote: returns whether it opens the name of a member that holds a command line or what a
 * command printed, and where the value starts and ends. */
static bool command_member(const char *s, size_t length, size_t quote, size_t *start, size_t *end) {
  static const char *const names[] = {"utilCmdArgs\":", "commandResult\":"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t name = strlen(names[i]), at = quote + 1 + name, behind;
    if (length - quote <= name || memcmp(s + quote + 1, names[i], name) != 0) continue;
    while (at < length && strchr(" \t\r\n", s[at]))
      at++;
    if (at >= length || s[at] != '"') return false;
    *start = at + 1;
    if (!string_end(s, length, *start, 0, end, &behind)) *end = length;
    return true;
  }
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

/* Returns whether something that begins or is announced here is a secret, and where it is. What it
 * looks for must be in `places`, too. */
static bool announced(mask_scan *m, size_t at, size_t *start, size_t *end) {
  const char *s = m->s;
  if (s[at] == '"') {
    if (secret_member(s, m->length, at, start, end)) return true;
    if (at >= m->command_end) command_member(s, m->length, at, &m->command, &m->command_end);
  }
  if ((at == 0 || s[at - 1] == '\n') && secret_header(s, m->length, at, start, end)) return true;
  if (secret_token(s, m->length, at, start, end)) return true;
  if (s[at] == ':' && address_secret(s, m->length, at, start, end)) return true;
  if (s[at] == '-' && private_key(s, m->length, at, start, end)) return true;
  *start = at;
  if (s[at] == '$' && encrypted_value(s, m->length, at, end)) return true;
  return at >= m->command && at < m->command_end &&
         command_secret(s, m->command, m->command_end, at, start, end);
}

/* Where a secret can stand outside of command lines. */
#define HERE 1    /* at this byte */
#define CAPITAL 2 /* a token consists of these */
#define TOKEN 4   /* behind this byte, if a capital follows */
#define BEHIND 8  /* behind this byte */
static const unsigned char places[256] = {
    ['"'] = HERE | TOKEN, [':'] = HERE,    ['-'] = HERE,    ['$'] = HERE,    ['\n'] = BEHIND,
    ['/'] = TOKEN,        ['0'] = CAPITAL, ['1'] = CAPITAL, ['2'] = CAPITAL, ['3'] = CAPITAL,
    ['4'] = CAPITAL,      ['5'] = CAPITAL, ['6'] = CAPITAL, ['7'] = CAPITAL, ['8'] = CAPITAL,
    ['9'] = CAPITAL,      ['A'] = CAPITAL, ['B'] = CAPITAL, ['C'] = CAPITAL, ['D'] = CAPITAL,
    ['E'] = CAPITAL,      ['F'] = CAPITAL, ['G'] = CAPITAL, ['H'] = CAPITAL, ['I'] = CAPITAL,
    ['J'] = CAPITAL,      ['K'] = CAPITAL, ['L'] = CAPITAL, ['M'] = CAPITAL, ['N'] = CAPITAL,
    ['O'] = CAPITAL,      ['P'] = CAPITAL, ['Q'] = CAPITAL, ['R'] = CAPITAL, ['S'] = CAPITAL,
    ['T'] = CAPITAL,      ['U'] = CAPITAL, ['V'] = CAPITAL, ['W'] = CAPITAL, ['X'] = CAPITAL,
    ['Y'] = CAPITAL,      ['Z'] = CAPITAL};

/* Whether a secret can begin or be announced at a byte that is HERE: "://", "-----BEGIN ". */
static bool may_begin(const mask_scan *m, size_t at) {
  const char byte = m->s[at];
  if (byte != ':' && byte != '-') return true;
  return at + 1 < m->length && m->s[at + 1] == (byte == ':' ? '/' : '-');
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

static void mask(text *out, mask_scan *m) {
  const char *string = m->s;
  size_t length = m->length;
  m->has_escapes = length > 0 && memchr(string, '\\', length);
  text_reserve(out, length);
  size_t from = 0; /* everything before it is already in `out` */
  /* The value of a password-like name follows the name, which may contain a known secret itself. */
  bool waits = false;
  size_t value = 0, behind = 0;
  for (size_t at = 0; at < length || (waits && at == value);) {
    at = skip(m, at, waits ? value : length);
    size_t end = at;
    bool is_value = waits && at == value;
    if (is_value) end = behind;
    if (at < length && secret_first[(unsigned char)string[at]]) {
      size_t known = at + secret_longest(string + at, length - at, m->has_escapes);
      if (known > end) end = known;
    }
    if (waits && end > value) {
      if (end < behind) end = behind; /* the known secret overlaps the value */
      waits = false;
    }
    if (end == at && !is_value) {
      if (at == length) break;
      if (!waits) waits = announced(m, at, &value, &behind);
      if (!waits || value > at) at++;
      continue;
    }
    if (is_value) waits = false;
    text_add(out, string + from, at - from);
    text_put(out, SECRET_MASK);
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
