#include "f5/report/foreign_secret.h"

#include <ctype.h>
#include <string.h>

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

/* What may stand before the name of a parameter: "?", "&", the quote of a string that is a form, or
 * "&" as other programs write it in JSON and XML. */
static bool separates(const char *s, size_t at) {
  if (at == 0) return true; /* of a form */
  if (strchr("?&\"", s[at - 1])) return true;
  return at >= 5 && memcmp(s + at - 5, "&amp;", 5) == 0;
}

bool parameter_secret(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  size_t from = at;
  while (from > 0 && at - from <= MAX_NAME && is_name_byte(s[from - 1]))
    from--;
  if (at - from > 5 && from > 0 && s[from - 1] == '\\' && memcmp(s + from, "u0026", 5) == 0)
    from += 5;
  else if (!separates(s, from))
    return false;
  if (from == at || !secret_name(s + from, at - from)) return false;
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
