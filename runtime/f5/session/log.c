#include "f5/session/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/printable.h"
#include "base/text.h"
#include "f5/report/secret.h"

#define BODY_SHOWN 16384 /* bytes of a body that -vv shows */
#define MAX_SECRET 1024

static void (*before_line)(void);

void f5_log_set_before(void (*before)(void)) {
  before_line = before;
}

/* One write, so that the lines of two processes do not mix. */
static void write_out(text *line, bool json) {
  text_char(line, '\n');
  if (before_line) before_line();
  if (!line->failed &&
      printable_write(stderr, line->data, line->length, json ? PRINTABLE_JSON : PRINTABLE_TEXT))
    fflush(stderr);
  text_free(line);
}

/* A field of a plain line has no line breaks: they would forge lines of the log. */
static void put_field(text *line, const char *string, size_t length) {
  text masked = {0};
  secret_mask(&masked, string, length);
  printable_put(line, text_string(&masked), masked.length, PRINTABLE_LINE);
  text_free(&masked);
}

static void put_json(text *line, const char *string, size_t length) {
  text masked = {0};
  secret_mask(&masked, string, length);
  text_json(line, text_string(&masked), masked.length);
  text_free(&masked);
}

static void json_member(text *line, const char *name, const char *value) {
  text_printf(line, ",\"%s\":\"", name);
  put_json(line, value, strlen(value));
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
    printable_put(line, text_string(&masked), shown, PRINTABLE_INDENT);
  if (shown < whole || seen < length) text_printf(line, "… (%zu bytes)", length);
  text_free(&masked);
}

static void line_plain(text *line, const f5_session *session, const http_request *request,
                       unsigned attempt) {
  put_field(line, session->label, strlen(session->label));
  text_printf(line, " %s ", request->method);
  put_field(line, request->path, strlen(request->path));
  uint64_t took = request->finished > request->started ? request->finished - request->started : 0;
  if (request->failure == HTTP_OK)
    text_printf(line, " %ld %zu bytes %llu ms", request->status, request->answer_length,
                (unsigned long long)took);
  else
    text_printf(line, " %s %llu ms", http_failure_name(request->failure), (unsigned long long)took);
  if (attempt > 1) text_printf(line, " attempt %u", attempt);
  if (request->failure != HTTP_OK && *request->error) {
    text_put(line, ": ");
    put_field(line, request->error, strlen(request->error));
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
    text_put(&line, before);
    put_field(&line, session->label, strlen(session->label));
    text_printf(&line, "%s ", after);
    put_field(&line, message, strlen(message));
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
