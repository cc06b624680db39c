#include "f5/session/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "f5/report/secret.h"

#define BODY_SHOWN 16384 /* bytes of a body that -vv shows */
#define MAX_SECRET 1024

static void (*before_line)(void);

void f5_log_set_before(void (*before)(void)) {
  before_line = before;
}

/* Returns the length of the control character at `bytes`; 0 if there is none, or one that is
 * allowed in a log. U+0080 to U+009F count: xterm reads U+009B as the start of an escape sequence.
 */
static size_t control_at(const char *bytes, size_t length) {
  unsigned char first = (unsigned char)bytes[0], second = length > 1 ? (unsigned char)bytes[1] : 0;
  if (first == 0xC2 && second >= 0x80 && second <= 0x9F) return 2;
  return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
}

/* Escapes control characters, so that the terminal does not execute what a device sends. In JSON
 * they occur only in strings. */
static void put_shown(text *out, const text *line, bool json) {
  size_t from = 0, at = 0;
  while (at < line->length) {
    size_t control = control_at(line->data + at, line->length - at);
    if (control) {
      text_add(out, line->data + from, at - from);
      text_printf(out, json ? "\\u%04x" : "\\x%02x", (unsigned char)line->data[at + control - 1]);
      from = at + control;
    }
    at += control ? control : 1;
  }
  text_add(out, text_string(line) + from, line->length - from);
}

/* One write, so that the lines of two processes do not mix. */
static void write_out(text *line, bool json) {
  text shown = {.failed = line->failed};
  put_shown(&shown, line, json);
  text_char(&shown, '\n');
  if (before_line) before_line();
  if (!shown.failed && fwrite(shown.data, 1, shown.length, stderr) == shown.length) fflush(stderr);
  text_free(&shown);
  text_free(line);
}

static void put_masked(text *line, const char *string, size_t length, bool json) {
  if (!json) {
    secret_mask(line, string, length);
    return;
  }
  text masked = {0};
  secret_mask(&masked, string, length);
  text_json(line, text_string(&masked), masked.length);
  text_free(&masked);
}

static void json_member(text *line, const char *name, const char *value) {
  text_printf(line, ",\"%s\":\"", name);
  put_masked(line, value, strlen(value), true);
  text_char(line, '"');
}

static void json_start(text *line, const char *event, const f5_session *session) {
  struct timespec now;
  struct tm utc;
  char stamp[32];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  text_printf(line, "{\"time\":\"%s.%03ldZ\",\"event\":\"%s\"", stamp, now.tv_nsec / 1000000,
              event);
  json_member(line, "device", session->label);
}

/* Binary data is not shown, only its size. */
static bool is_text(const char *body, size_t length) {
  return !memchr(body, '\0', length < BODY_SHOWN ? length : BODY_SHOWN);
}

/* Masks before truncating: part of a secret must not be shown either. Dropping MAX_SECRET bytes
 * removes a secret that crosses the end of the masked part. */
static void put_body(text *line, const char *body, size_t length, bool json) {
  if (!is_text(body, length)) {
    text_printf(line, "(%zu bytes)", length);
    return;
  }
  size_t seen = length < 2 * BODY_SHOWN ? length : 2 * BODY_SHOWN;
  text masked = {0};
  secret_mask(&masked, body, seen);
  size_t whole = masked.length;
  if (seen < length) text_cut(&masked, masked.length > MAX_SECRET ? masked.length - MAX_SECRET : 0);
  text_cut(&masked, BODY_SHOWN);
  size_t shown = masked.length;
  if (json)
    text_json(line, text_string(&masked), shown);
  else
    text_add(line, text_string(&masked), shown);
  if (shown < whole || seen < length) text_printf(line, "… (%zu bytes)", length);
  text_free(&masked);
}

static void line_plain(text *line, const f5_session *session, const http_request *request,
                       unsigned attempt) {
  text_printf(line, "%s %s ", session->label, request->method);
  put_masked(line, request->path, strlen(request->path), false);
  uint64_t took = request->finished > request->started ? request->finished - request->started : 0;
  if (request->failure == HTTP_OK)
    text_printf(line, " %ld %zu bytes %llu ms", request->status, request->answer_length,
                (unsigned long long)took);
  else
    text_printf(line, " %s %llu ms", http_failure_name(request->failure), (unsigned long long)took);
  if (attempt > 1) text_printf(line, " attempt %u", attempt);
  if (request->failure != HTTP_OK && *request->error) {
    text_put(line, ": ");
    put_masked(line, request->error, strlen(request->error), false);
  }
  if (session->core->log_level < 2) return;
  if (request->body) {
    text_put(line, "\n  > ");
    put_body(line, request->body, request->body_length, false);
  }
  if (request->answer && request->answer_length) {
    text_put(line, "\n  < ");
    put_body(line, request->answer, request->answer_length, false);
  }
}

static void line_json(text *line, const f5_session *session, const http_request *request,
                      unsigned attempt) {
  json_start(line, "exchange", session);
  json_member(line, "method", request->method);
  json_member(line, "path", request->path);
  uint64_t took = request->finished > request->started ? request->finished - request->started : 0;
  text_printf(
      line,
      ",\"status\":%ld,\"bytes_sent\":%llu,\"bytes_received\":%llu,\"ms\":%llu,\"attempt\":%u",
      request->status, (unsigned long long)request->bytes_sent,
      (unsigned long long)request->bytes_received, (unsigned long long)took, attempt);
  if (request->failure != HTTP_OK) {
    json_member(line, "failure", http_failure_name(request->failure));
    json_member(line, "error", request->error);
  }
  if (session->core->log_level >= 2) {
    if (request->body) {
      text_put(line, ",\"request\":\"");
      put_body(line, request->body, request->body_length, true);
      text_char(line, '"');
    }
    if (request->answer && request->answer_length) {
      text_put(line, ",\"answer\":\"");
      put_body(line, request->answer, request->answer_length, true);
      text_char(line, '"');
    }
  }
  text_char(line, '}');
}

void log_exchange(const f5_session *session, const http_request *request, unsigned attempt) {
  if (session->core->log_level < 1) return;
  text line = {0};
  if (session->core->log_json)
    line_json(&line, session, request, attempt);
  else
    line_plain(&line, session, request, attempt);
  write_out(&line, session->core->log_json);
}

static void write_message(const f5_session *session, const char *event, const char *before,
                          const char *after, const char *message) {
  text line = {0};
  if (session->core->log_json) {
    json_start(&line, event, session);
    json_member(&line, "message", message);
    text_char(&line, '}');
  } else {
    text_printf(&line, "%s%s%s ", before, session->label, after);
    put_masked(&line, message, strlen(message), false);
  }
  write_out(&line, session->core->log_json);
}

void log_note(const f5_session *session, const char *format, ...) {
  if (session->core->log_level < 1) return;
  char note[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(note, sizeof note, format, arguments);
  va_end(arguments);
  write_message(session, "note", "", "", note);
}

void log_warning(const f5_session *session, const char *format, ...) {
  if (session->core->log_level < 0) return;
  char warning[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(warning, sizeof warning, format, arguments);
  va_end(arguments);
  write_message(session, "warning", "f5lua: warning: ", ":", warning);
}
