#include "f5/report/foreign_secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "f5/report/base64.h"
#include "f5/report/secret.h"

#define MAX_NAME 64
#define NEAR 512 /* bytes between a name and its value */

static bool begins(const char *s, size_t length, size_t at, const char *words) {
  const size_t size = strlen(words);
  return length - at >= size && memcmp(s + at, words, size) == 0;
}

static bool is_name_byte(char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '$';
}

/* What may stand before the name of a parameter: "?", "&", "#", the quote of a string that is a
 * form, or "&" as other programs write it in JSON and XML. */
static bool separates(const char *s, size_t at) {
  if (at == 0) return true; /* of a form */
  if (strchr("?&#\"", s[at - 1])) return true;
  return at >= 5 && memcmp(s + at - 5, "&amp;", 5) == 0;
}

/* The name of a parameter of an address also says so of a signature, with which it can be used. */
static bool parameter_name(const char *name, size_t length) {
  static const char signature[] = "signature";
  const size_t size = sizeof signature - 1;
  if (secret_name(name, length) || (length == 3 && memcmp(name, "sig", 3) == 0)) return true;
  return length >= size && strncasecmp(name + length - size, signature, size) == 0;
}

/* An attribute of XML: ` password="x"`, in a JSON string, too. */
static bool is_attribute(const char *s, size_t length, size_t at, size_t from) {
  const size_t quote = at + 1 < length && s[at + 1] == '\\' ? at + 2 : at + 1;
  return from > 0 && s[from - 1] == ' ' && quote < length && strchr("'\"", s[quote]) && s[quote];
}

static bool attribute_value(const char *s, size_t length, size_t at, size_t from, size_t *start,
                            size_t *end) {
  if (from == at || !secret_name(s + from, at - from)) return false;
  const size_t quote = s[at + 1] == '\\' ? at + 2 : at + 1;
  const char *close = memchr(s + quote + 1, s[quote], length - quote - 1);
  *start = quote + 1;
  *end = close ? (size_t)(close - s) : length;
  if (*end > *start && close && s[*end - 1] == '\\' && quote == at + 2) --*end;
  return *end > *start;
}

bool encoded_parameter_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  if (!begins(s, length, at, "%3D") && !begins(s, length, at, "%3d")) return false;
  size_t from = at;
  while (from > 0 && at - from <= MAX_NAME && is_name_byte(s[from - 1]))
    from--;
  /* "%26" or "%3F" before the name; their last characters are as those of names */
  if (from == 0 || s[from - 1] != '%' || at - from < 3) return false;
  from += 2;
  if (!parameter_name(s + from, at - from)) return false;
  *start = *end = at + 3;
  while (*end < length && !strchr("&%#\"'<>\\ \t\r\n", s[*end]))
    ++*end;
  return *end > *start;
}

bool element_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  size_t stop = at + 1;
  while (stop < length && stop - at <= MAX_NAME && (is_name_byte(s[stop]) || s[stop] == ':'))
    stop++;
  if (stop == length || s[stop] != '>' || !secret_name(s + at + 1, stop - at - 1)) return false;
  const char *close = memchr(s + stop, '<', length - stop);
  *start = stop + 1;
  *end = close ? (size_t)(close - s) : length;
  return *end > *start;
}

/* Base64, and not a word such as "Authentication". */
static bool looks_encoded(const char *s, size_t length) {
  for (size_t i = 1; i < length; i++)
    if (s[i] < 'a' || s[i] > 'z') return true;
  return false;
}

bool scheme_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  static const char *const schemes[] = {"Basic ", "Bearer "};
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    if (!begins(s, length, at + 1, schemes[i])) continue;
    size_t stop = *start = at + 1 + strlen(schemes[i]);
    while (stop < length && s[stop] && (is_name_byte(s[stop]) || strchr("+/=~:", s[stop])))
      stop++;
    *end = stop;
    const bool whole = stop < length && (s[stop] == '"' || s[stop] == '\\');
    return whole && stop - *start >= 8 && (i == 1 || looks_encoded(s + *start, stop - *start));
  }
  return false;
}

bool parameter_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  size_t from = at;
  while (from > 0 && at - from <= MAX_NAME && is_name_byte(s[from - 1]))
    from--;
  if (at - from > 5 && from > 0 && s[from - 1] == '\\' && memcmp(s + from, "u0026", 5) == 0)
    from += 5;
  else if (is_attribute(s, length, at, from))
    return attribute_value(s, length, at, from, start, end);
  else if (!separates(s, from))
    return false;
  if (from == at || !parameter_name(s + from, at - from)) return false;
  *start = *end = at + 1;
  while (*end < length && !strchr("&#\"'<>\\ \t\r\n", s[*end]))
    ++*end;
  return *end > *start;
}

bool part_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  static const char before[] = "name=";
  const bool in_json = at > 0 && s[at - 1] == '\\'; /* the echo of a request that failed */
  const char *blank = in_json ? "\\r\\n\\r\\n" : "\r\n\r\n",
             *last = in_json ? "\\r\\n--" : "\r\n--";
  const size_t from = at - in_json, size = sizeof before - 1;
  if (from < size || memcmp(s + from - size, before, size) != 0) return false;
  size_t stop = at + 1;
  while (stop < length && stop - at <= MAX_NAME && is_name_byte(s[stop]))
    stop++;
  if (!secret_name(s + at + 1, stop - at - 1) || !begins(s, length, stop, in_json ? "\\\"" : "\""))
    return false;
  const size_t near = length - stop < NEAR ? length : stop + NEAR;
  const char *head = memmem(s + stop, near - stop, blank, strlen(blank));
  if (!head) return false;
  *start = (size_t)(head - s) + strlen(blank);
  const char *close = memmem(s + *start, length - *start, last, strlen(last));
  *end = close ? (size_t)(close - s) : length;
  return *end > *start;
}

static size_t skip_blanks(const char *s, size_t length, size_t at) {
  while (at < length && strchr(" \t\r\n", s[at]))
    at++;
  return at;
}

/* The place behind `"word":` and blanks; 0 if it is not there. The quote of the value follows. */
static size_t behind_member(const char *s, size_t length, size_t at, const char *word) {
  if (!begins(s, length, at, word)) return 0;
  at = skip_blanks(s, length, at + strlen(word));
  if (at == length || s[at] != ':') return 0;
  at = skip_blanks(s, length, at + 1);
  return at < length && s[at] == '"' ? at + 1 : 0;
}

/* Where a string ends that is not encoded twice. */
static size_t string_stop(const char *s, size_t length, size_t at) {
  while (at < length && s[at] != '"')
    at += s[at] == '\\' && at + 1 < length ? 2 : 1;
  return at < length ? at : length;
}

bool pair_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  const size_t name = behind_member(s, length, at, "\"name\"");
  if (!name) return false;
  size_t stop = string_stop(s, length, name);
  if (stop == length || stop - name > MAX_NAME || !secret_name(s + name, stop - name)) return false;
  const size_t near = length - stop < NEAR ? length : stop + NEAR;
  for (size_t next = stop + 1; next < near && s[next] != '{' && s[next] != '}'; next++) {
    if (s[next] != '"') continue;
    if ((*start = behind_member(s, length, next, "\"value\""))) {
      *end = string_stop(s, length, *start);
      return true;
    }
    next = string_stop(s, near, next + 1);
  }
  return false;
}

static size_t word_of(const char *s, size_t length, size_t at, const char *others) {
  while (at < length && s[at] && (isalnum((unsigned char)s[at]) || strchr(others, s[at])))
    at++;
  return at;
}

/* "eyJ….eyJ….signature" */
static bool is_web_token(const char *s, size_t length, size_t at, size_t *end) {
  for (int part = 0; part < 3; part++) {
    if (part < 2 && !begins(s, length, at, "eyJ")) return false;
    const size_t stop = word_of(s, length, at, "-_");
    if (stop - at < 8) return false;
    *end = stop;
    if (part < 2 && (stop == length || s[stop] != '.')) return false;
    at = stop + 1;
  }
  return true;
}

bool encoded_secret(const char *s, size_t length, size_t at, size_t *end) {
  static const char pem[] = "LS0tLS1CRUdJTi"; /* "-----BEGIN " */
  if (s[at] == 'e') return is_web_token(s, length, at, end);
  if (!begins(s, length, at, pem)) return false;
  size_t stop = word_of(s, length, at, "+/");
  const size_t whole = (stop - at) / 4 * 4;
  text plain = {0};
  bool is_key = base64_read(&plain, s + at, whole) &&
                memmem(text_string(&plain), plain.length, "PRIVATE KEY-----", 16);
  secret_text_free(&plain);
  while (stop < length && s[stop] == '=')
    stop++;
  *end = stop;
  return is_key;
}
