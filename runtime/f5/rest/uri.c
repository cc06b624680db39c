#include "f5/rest/uri.h"

#include <string.h>
#include <strings.h>

/* RFC 3986: unreserved, and those of sub-delims, ":" and "@" that a path may carry. The guide's set
 * (11.5, "reserved ASCII characters") is the unreserved one; devices write ":" in their own links
 * as it is. */
static bool path_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c && strchr("-_.~:@!$()*,=", c));
}

static bool query_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c && strchr("-_.~:@!$()*,/'", c));
}

#define ESCAPE 3 /* bytes of an escape, "%2F" */

static void put_escape(char *out, unsigned char c) {
  static const char digits[] = "0123456789ABCDEF";
  out[0] = '%';
  out[1] = digits[c >> 4];
  out[2] = digits[c & 15];
}

static void add_escape(text *path, unsigned char c) {
  char escape[ESCAPE];
  put_escape(escape, c);
  text_add(path, escape, sizeof escape);
}

void uri_encode(text *path, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (path_character(c))
      text_char(path, (char)c);
    else
      add_escape(path, c);
  }
}

/* Returns the length of the segment with its slash; writes it to out unless it is NULL. */
static size_t write_segment(char *out, const char *segment, size_t length, bool full_name) {
  size_t written = 1;
  if (out) out[0] = '/';
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)segment[i];
    bool slash = full_name && c == '/';
    if (slash || path_character(c)) {
      if (out) out[written] = slash ? '~' : (char)c;
      written++;
    } else {
      if (out) put_escape(out + written, c);
      written += ESCAPE;
    }
  }
  return written;
}

size_t uri_write(char *out, const char *name, size_t length) {
  if (length && name[0] == '/') {
    while (length > 1 && name[length - 1] == '/')
      length--;
    return write_segment(out, name, length, true);
  }
  size_t written = 0;
  while (length) {
    const char *slash = memchr(name, '/', length);
    size_t part = slash ? (size_t)(slash - name) : length;
    if (part) written += write_segment(out ? out + written : NULL, name, part, false);
    name += slash ? part + 1 : part;
    length -= slash ? part + 1 : part;
  }
  return written;
}

void uri_add(text *path, const char *name, size_t length) {
  char *room = text_room(path, uri_write(NULL, name, length));
  if (room) uri_write(room, name, length);
}

static size_t scheme_and_host(const char *name, size_t length) {
  size_t scheme = length > 8 && strncasecmp(name, "https://", 8) == 0  ? 8
                  : length > 7 && strncasecmp(name, "http://", 7) == 0 ? 7
                                                                       : 0;
  if (!scheme) return 0;
  const char *slash = memchr(name + scheme, '/', length - scheme);
  return slash ? (size_t)(slash - name) : 0;
}

bool uri_is_absolute(const char *name, size_t length) {
  size_t host = scheme_and_host(name, length);
  name += host;
  length -= host;
  return length >= 5 && memcmp(name, "/mgmt", 5) == 0 &&
         (length == 5 || name[5] == '/' || name[5] == '?');
}

static bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The bytes of a dot, as it is or escaped. */
static size_t dot_length(const char *s, size_t length, bool escaped) {
  if (length && *s == '.') return 1;
  return escaped && length >= 3 && strncasecmp(s, "%2e", 3) == 0 ? 3 : 0;
}

static bool is_dots(const char *segment, size_t length, bool escaped) {
  size_t first = dot_length(segment, length, escaped);
  return first && first + dot_length(segment + first, length - first, escaped) == length;
}

bool uri_leads_up(const char *name, size_t length) {
  bool whole = uri_is_absolute(name, length);
  if (!whole && length && *name == '/') return false; /* a full name is one segment */
  if (whole) {
    size_t host = scheme_and_host(name, length);
    name += host;
    length = strcspn(name, "?#") < length - host ? strcspn(name, "?#") : length - host;
  }
  for (;;) {
    const char *slash = memchr(name, '/', length);
    size_t part = slash ? (size_t)(slash - name) : length;
    if (is_dots(name, part, whole)) return true;
    if (!slash) return false;
    name += part + 1;
    length -= part + 1;
  }
}

static void add_encoded(text *out, const char *s, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)s[i];
    bool escape = c == '%' && i + 2 < length && is_hex(s[i + 1]) && is_hex(s[i + 2]);
    if (escape || path_character(c) || (c && strchr("/&;+'", c)))
      text_char(out, (char)c);
    else
      add_escape(out, c);
  }
}

void uri_absolute(text *path, text *query, const char *name, size_t length) {
  size_t host = scheme_and_host(name, length);
  name += host;
  length -= host;
  const char *fragment = memchr(name, '#', length);
  if (fragment) length = (size_t)(fragment - name);
  const char *mark = memchr(name, '?', length);
  size_t path_length = mark ? (size_t)(mark - name) : length;
  while (path_length > 1 && name[path_length - 1] == '/')
    path_length--;
  add_encoded(path, name, path_length);
  if (!mark || !query) return;
  const char *at = mark + 1, *end = name + length;
  while (at < end) {
    const char *next = memchr(at, '&', (size_t)(end - at));
    size_t part = (size_t)((next ? next : end) - at);
    if (part && !(part >= 4 && memcmp(at, "ver=", 4) == 0)) {
      text_char(query, query->length ? '&' : '?');
      add_encoded(query, at, part);
    }
    at += next ? part + 1 : part;
  }
}

size_t uri_version(const char *name, size_t length, const char **version) {
  const char *end = memchr(name, '#', length);
  if (!end) end = name + length;
  const char *at = memchr(name, '?', (size_t)(end - name));
  while (at && at < end) {
    at++;
    const char *next = memchr(at, '&', (size_t)(end - at));
    size_t part = (size_t)((next ? next : end) - at);
    if (part > 4 && memcmp(at, "ver=", 4) == 0) {
      *version = at + 4;
      return part - 4;
    }
    at = next;
  }
  return 0;
}

void uri_encode_query(text *path, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (query_character(c))
      text_char(path, (char)c);
    else
      add_escape(path, c);
  }
}

void uri_query(text *path, const char *name, const char *value, size_t length) {
  text_char(path, path->data && memchr(path->data, '?', path->length) ? '&' : '?');
  uri_encode_query(path, name, strlen(name));
  text_char(path, '=');
  uri_encode_query(path, value, length);
}

static int hex_value(char c) {
  return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

size_t uri_last_name(const char *path, size_t length, text *name) {
  size_t start = length;
  while (start && path[start - 1] != '/')
    start--;
  for (size_t i = start; i < length; i++) {
    if (path[i] == '%' && i + 2 < length && is_hex(path[i + 1]) && is_hex(path[i + 2])) {
      text_char(name, (char)(hex_value(path[i + 1]) << 4 | hex_value(path[i + 2])));
      i += 2;
    } else {
      text_char(name, path[i] == '~' && path[start] == '~' ? '/' : path[i]);
    }
  }
  return start ? start - 1 : 0;
}

bool uri_is_configuration(const char *path) {
  static const char *const others[] = {"asm/",  "live-update/", "shared/",
                                       "task/", "transaction",  "util/"};
  if (strncmp(path, URI_ROOT "/", sizeof URI_ROOT) != 0) return false;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strncmp(path + sizeof URI_ROOT, others[i], strlen(others[i])) == 0) return false;
  return true;
}

bool uri_is_extension(const char *path) {
  static const char *const names[] = {"appsvcs", "declarative-onboarding", "fast", "telemetry"};
  static const char root[] = "/mgmt/shared/";
  if (strncmp(path, root, sizeof root - 1) != 0) return false;
  path += sizeof root - 1;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const size_t length = strlen(names[i]);
    if (strncmp(path, names[i], length) == 0 && (!path[length] || strchr("/?", path[length])))
      return true;
  }
  return false;
}
