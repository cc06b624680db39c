#include "f5/observe/har.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/json_text.h"
#include "base/printable.h"
#include "f5/report/base64.h"

#define NEVER "-1"

/* Bytes of another text. */
typedef struct slice {
  const char *bytes;
  size_t length;
} slice;

static slice slice_of(const text *t) {
  return (slice){text_string(t), t->length};
}

static slice slice_of_string(const char *string) {
  return (slice){string, strlen(string)};
}

/* -- values -- */

/* Whether JSON can have these bytes in a string. */
static bool is_unicode(slice s) {
  const char *at = s.bytes, *end = s.bytes + s.length;
  while (at < end) {
    uint64_t eight;
    if (end - at >= 8) {
      memcpy(&eight, at, sizeof eight);
      if (!(eight & 0x8080808080808080u)) {
        at += 8;
        continue;
      }
    }
    size_t size = (unsigned char)*at < 0x80 ? 1 : json_utf8_length(at, end);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

/* The inside of a string. Bytes that JSON cannot have are shown as \xHH: no device is known to send
 * them in a header. */
static void put_inside(text *out, slice s) {
  if (is_unicode(s)) {
    text_json(out, s.bytes, s.length);
    return;
  }
  text shown = {0};
  printable_put(&shown, s.bytes, s.length, PRINTABLE_LINE);
  text_json(out, text_string(&shown), shown.length);
  out->failed = out->failed || shown.failed;
  text_free(&shown);
}

static void put_string(text *out, slice s) {
  text_char(out, '"');
  put_inside(out, s);
  text_char(out, '"');
}

static void put_number(text *out, uint64_t number) {
  char digits[20];
  size_t first = sizeof digits;
  do
    digits[--first] = (char)('0' + number % 10);
  while (number /= 10);
  text_add(out, digits + first, sizeof digits - first);
}

/* A number of so many digits, and what comes behind it. */
static void put_padded(text *out, unsigned number, size_t width, const char *behind) {
  char digits[8];
  for (size_t i = width; i-- > 0; number /= 10)
    digits[i] = (char)('0' + number % 10);
  text_add(out, digits, width);
  text_put(out, behind);
}

/* Microseconds as milliseconds. */
static void put_ms(text *out, uint64_t us) {
  put_number(out, us / 1000);
  text_char(out, '.');
  put_padded(out, (unsigned)(us % 1000), 3, "");
}

/* A member, unless the value is "" or NULL. It begins with a comma. */
static void put_member(text *out, const char *name, const char *value) {
  if (!value || !*value) return;
  text_put(out, ",\"");
  text_put(out, name);
  text_put(out, "\":");
  put_string(out, slice_of_string(value));
}

/* -- headers -- */

static slice trimmed(slice s) {
  while (s.length && strchr(" \t\r", s.bytes[s.length - 1]))
    s.length--;
  while (s.length && strchr(" \t", *s.bytes)) {
    s.bytes++;
    s.length--;
  }
  return s;
}

/* Takes the next line of the headers; returns whether it is a header, and not the status line or
 * the empty line at the end. */
static bool next_header(slice *rest, slice *name, slice *value) {
  while (rest->length) {
    const char *stop = memchr(rest->bytes, '\n', rest->length);
    size_t length = stop ? (size_t)(stop - rest->bytes) : rest->length;
    slice line = {rest->bytes, length};
    rest->bytes += length + (stop != NULL);
    rest->length -= length + (stop != NULL);
    const char *colon = memchr(line.bytes, ':', line.length);
    if (!colon || colon == line.bytes) continue;
    *name = (slice){line.bytes, (size_t)(colon - line.bytes)};
    if (memchr(name->bytes, ' ', name->length)) continue; /* "HTTP/1.1 200 a: b" */
    *value = trimmed((slice){colon + 1, line.length - name->length - 1});
    return true;
  }
  return false;
}

static void put_headers(text *out, const text *headers) {
  slice rest = slice_of(headers), name, value;
  const char *comma = "{\"name\":";
  text_put(out, ",\"cookies\":[],\"headers\":[");
  while (next_header(&rest, &name, &value)) {
    text_put(out, comma);
    put_string(out, name);
    text_put(out, ",\"value\":");
    put_string(out, value);
    text_char(out, '}');
    comma = ",{\"name\":";
  }
  text_char(out, ']');
}

static slice header_of(const text *headers, const char *wanted) {
  slice rest = slice_of(headers), name, value;
  while (next_header(&rest, &name, &value))
    if (name.length == strlen(wanted) && strncasecmp(name.bytes, wanted, name.length) == 0)
      return value;
  return slice_of_string("");
}

/* -- bodies -- */

/* Puts a body behind `before`, as text or in base64. */
static bool put_body(text *out, const char *before, const text *body) {
  slice s = slice_of(body);
  text_put(out, before);
  bool plain = is_unicode(s) && !memchr(s.bytes, '\0', s.length);
  if (plain) {
    put_string(out, s);
  } else {
    text_char(out, '"');
    base64_put(out, s.bytes, s.length);
    text_char(out, '"');
  }
  return plain;
}

/* What stands for a body that is not in the file. */
static void put_absent(text *out, const exchange_side *side) {
  text_printf(out, ",\"_size\":%" PRIu64, side->size);
  put_member(out, "_sha256", side->digest);
  text_printf(out, ",\"comment\":\"a body of %" PRIu64 " bytes is not recorded\"", side->size);
}

static void put_post_data(text *out, const exchange_side *side) {
  if (side->size == 0) return;
  text_put(out, ",\"postData\":{\"mimeType\":");
  put_string(out, header_of(&side->headers, "Content-Type"));
  if (!side->kept) {
    text_put(out, ",\"text\":\"\"");
    put_absent(out, side);
  } else if (!put_body(out, ",\"text\":", &side->body)) {
    text_put(out, ",\"_encoding\":\"base64\"");
  }
  text_char(out, '}');
}

static void put_content(text *out, const exchange_side *side) {
  text_put(out, ",\"content\":{\"size\":");
  put_number(out, side->size);
  text_put(out, ",\"mimeType\":");
  put_string(out, header_of(&side->headers, "Content-Type"));
  if (side->kept) {
    if (!put_body(out, ",\"text\":", &side->body)) text_put(out, ",\"encoding\":\"base64\"");
  } else if (side->size > 0) {
    put_absent(out, side);
  }
  text_char(out, '}');
}

/* -- the request -- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put_decoded(text *out, slice s) {
  text plain = {0};
  for (size_t i = 0; i < s.length; i++) {
    int high = -1, low = -1;
    if (s.bytes[i] == '%' && i + 2 < s.length) {
      high = hex_digit(s.bytes[i + 1]);
      low = hex_digit(s.bytes[i + 2]);
    }
    if (high >= 0 && low >= 0) {
      text_char(&plain, (char)(high * 16 + low));
      i += 2;
    } else {
      text_char(&plain, s.bytes[i] == '+' ? ' ' : s.bytes[i]);
    }
  }
  put_string(out, slice_of(&plain));
  out->failed = out->failed || plain.failed;
  text_free(&plain);
}

static void put_query(text *out, const text *path) {
  const char *at = strchr(text_string(path), '?'), *comma = "{\"name\":";
  text_put(out, ",\"queryString\":[");
  while (at && *++at) {
    const size_t length = strcspn(at, "&");
    if (length > 0) {
      const char *equals = memchr(at, '=', length);
      const size_t name = equals ? (size_t)(equals - at) : length;
      text_put(out, comma);
      put_decoded(out, (slice){at, name});
      text_put(out, ",\"value\":");
      put_decoded(out, equals ? (slice){equals + 1, length - name - 1} : slice_of_string(""));
      text_char(out, '}');
      comma = ",{\"name\":";
    }
    at = at[length] ? at + length : NULL;
  }
  text_char(out, ']');
}

static void put_request(text *out, const f5_exchange *e) {
  const exchange_side *side = &e->request;
  text_put(out, ",\"request\":{\"method\":");
  put_string(out, slice_of(&e->method));
  text_put(out, ",\"url\":\"https://");
  put_inside(out, slice_of(&e->where));
  put_inside(out, slice_of(&e->path));
  text_put(out, "\",\"httpVersion\":\"HTTP/1.1\"");
  put_headers(out, &side->headers);
  put_query(out, &e->path);
  put_post_data(out, side);
  text_put(out, ",\"headersSize\":-1,\"bodySize\":");
  put_number(out, side->size);
  text_char(out, '}');
}

/* -- the answer -- */

/* The words of "HTTP/1.1 404 Not Found", and its version. */
static void status_line(const text *headers, slice *version, slice *words) {
  const char *s = text_string(headers);
  const size_t length = strcspn(s, "\r\n");
  *version = *words = slice_of_string("");
  if (strncmp(s, "HTTP/", 5) != 0) return;
  version->bytes = s;
  version->length = strcspn(s, " \r\n");
  size_t at = version->length;
  while (at < length && (s[at] == ' ' || isdigit((unsigned char)s[at])))
    at++;
  *words = (slice){s + at, length - at};
}

static void put_response(text *out, const f5_exchange *e) {
  const exchange_side *side = &e->response;
  const bool answered = e->status > 0;
  slice version, words;
  status_line(&side->headers, &version, &words);
  text_put(out, ",\"response\":{\"status\":");
  put_number(out, answered ? (uint64_t)e->status : 0);
  text_put(out, ",\"statusText\":");
  put_string(out, words);
  text_put(out, ",\"httpVersion\":");
  put_string(out, version);
  put_headers(out, &side->headers);
  put_content(out, side);
  text_put(out, ",\"redirectURL\":");
  put_string(out, header_of(&side->headers, "Location"));
  if (answered) {
    text_put(out, ",\"headersSize\":");
    put_number(out, side->headers.length);
    text_put(out, ",\"bodySize\":");
    put_number(out, side->size);
  } else {
    text_put(out, ",\"headersSize\":-1,\"bodySize\":-1");
    put_member(out, "_error", text_string(&e->message));
  }
  text_char(out, '}');
}

/* -- about the exchange -- */

/* "2026-11-28T14:34:38.123456Z" */
static void put_stamp(text *out, uint64_t us) {
  const time_t second = (time_t)(us / 1000000);
  struct tm t;
  gmtime_r(&second, &t);
  put_padded(out, (unsigned)t.tm_year + 1900, 4, "-");
  put_padded(out, (unsigned)t.tm_mon + 1, 2, "-");
  put_padded(out, (unsigned)t.tm_mday, 2, "T");
  put_padded(out, (unsigned)t.tm_hour, 2, ":");
  put_padded(out, (unsigned)t.tm_min, 2, ":");
  put_padded(out, (unsigned)t.tm_sec, 2, ".");
  put_padded(out, (unsigned)(us % 1000000), 6, "Z");
}

static void put_time(text *out, const char *name, bool known, uint64_t us) {
  text_put(out, name);
  if (known)
    put_ms(out, us);
  else
    text_put(out, NEVER);
}

/* HAR's connect contains ssl. libcurl does not say when the request was sent: `wait` contains that.
 */
static void put_times(text *out, const exchange_times *t) {
  put_time(out, ",\"cache\":{},\"timings\":{\"blocked\":", true, t->queued);
  put_time(out, ",\"dns\":", t->connected, t->lookup);
  put_time(out, ",\"connect\":", t->connected, t->connect + t->ssl);
  put_time(out, ",\"ssl\":", t->secured, t->ssl);
  put_time(out, ",\"send\":0,\"wait\":", true, t->wait);
  put_time(out, ",\"receive\":", true, t->receive);
  text_char(out, '}');
}

static void put_comment(text *out, const f5_exchange *e) {
  text_put(out, ",\"comment\":\"");
  put_inside(out, slice_of(&e->device));
  if (e->line.length) {
    text_put(out, ", ");
    put_inside(out, slice_of(&e->line));
  }
  if (e->attempt > 1) text_printf(out, ", attempt %u", e->attempt);
  if (e->failure) text_printf(out, ", %s", e->failure);
  if (e->retry) {
    text_put(out, ", tried again after ");
    put_ms(out, e->pause_ms);
    text_put(out, " s");
  }
  text_char(out, '"');
}

/* What HAR does not have a place for. */
static void put_own(text *out, const f5_exchange *e) {
  text_put(out, ",\"_device\":");
  put_string(out, slice_of(&e->device));
  text_put(out, ",\"_attempt\":");
  put_number(out, e->attempt);
  put_member(out, "_line", text_string(&e->line));
  text_put(out, ",\"_resourceType\":\"fetch\""); /* for the network tab of browsers */
  put_member(out, "_failure", e->failure);
  put_member(out, "_message", text_string(&e->message));
  put_member(out, "_retry", e->retry);
  put_member(out, "_transport", e->transport);
  if (e->transport && e->arrived) text_put(out, ",\"_sent\":true");
  if (e->retry) put_time(out, ",\"_pause\":", true, e->pause_ms * 1000);
  if (e->internal) text_put(out, ",\"_internal\":true");
}

void har_put(text *out, const f5_exchange *e) {
  const exchange_times t = exchange_times_of(e);
  text_put(out, "{\"startedDateTime\":\"");
  put_stamp(out, t.started - t.queued);
  text_put(out, "\",\"time\":");
  put_ms(out, t.queued + t.lookup + t.connect + t.ssl + t.wait + t.receive);
  put_comment(out, e);
  put_own(out, e);
  put_request(out, e);
  put_response(out, e);
  put_times(out, &t);
  text_char(out, '}');
}
