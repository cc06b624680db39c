#include "f5/session/answer.h"

#include <string.h>

#include "base/scan.h"
#include "base/text.h"
#include "f5/report/secret.h"

#define SHOWN 80 /* bytes of an answer that is not JSON */
/* bytes of it to mask before truncating: part of a secret must not be shown either */
#define START_MASKED 4096
#define SHORT 16384 /* bytes; of a shorter answer all brackets are counted */

static bool is_below(const char *path, const char *prefix) {
  size_t length = strlen(prefix);
  return strncmp(path, prefix, length) == 0 && (!path[length] || strchr("/?", path[length]));
}

static bool may_be_empty(const http_request *http, answer_to what) {
  const char *method = http->method, *path = http->path;
  if (what == ANSWER_TO_QUEUED_WRITE) return false;
  if (http->status == 204) return strcmp(method, "GET") != 0 || is_below(path, "/mgmt/shared");
  if (strcmp(method, "PATCH") == 0) return is_below(path, "/mgmt/tm/auth/user");
  return strcmp(method, "DELETE") == 0 || strcmp(method, "HEAD") == 0 ||
         strcmp(method, "OPTIONS") == 0;
}

static bool is_empty(const char *answer, size_t length) {
  while (length && strchr(" \t\r\n", answer[length - 1]) && answer[length - 1])
    length--;
  return length == 0;
}

/* Without a length or chunks, a lost connection looks like the end of the answer. */
static bool has_length(const http_request *http) {
  char value[2];
  return http_answer_header(http, "Content-Length", value, sizeof value) ||
         http_answer_header(http, "Transfer-Encoding", value, sizeof value);
}

/* What is balanced and yet broken is found when it is decoded. */
static bool is_truncated(const http_request *http) {
  if (!scan_ends_json(http->answer, http->answer_length)) return true;
  if (has_length(http) &&
      (http->answer_length > SHORT || scan_balances(http->answer, http->answer_length)))
    return false;
  return !scan_is_whole(http->answer, http->answer_length);
}

static void reject_text(f5_failure *failure, const http_request *http) {
  text start = {0};
  size_t length = http->answer_length;
  secret_mask(&start, http->answer, length < START_MASKED ? length : START_MASKED);
  text_cut(&start, SHOWN);
  failure_set(failure, KIND_PROTOCOL, "the answer is not JSON: it starts with '%s'",
              text_string(&start));
  text_free(&start);
}

/* Whether the answer starts with the kind of an object. The kind of an error starts with a colon.
 */
static bool starts_as_object(const http_request *http) {
  static const char start[] = "{\"kind\":\"";
  size_t length = sizeof start - 1;
  return http->answer_length > length && memcmp(http->answer, start, length) == 0 &&
         http->answer[length] != ':';
}

/* Whether an answer with a good status holds the error of iControl REST. The result of a task that
 * failed is such an answer. Only short answers are looked at: errors are short. */
static bool is_error(const http_request *http, int64_t *code) {
  static const char mark[] = "\"errorStack\"";
  scan_value value;
  return http->answer_length <= SHORT && !starts_as_object(http) &&
         memmem(http->answer, http->answer_length, mark, sizeof mark - 1) &&
         !strstr(http->path, "/result") &&
         scan_find(http->answer, http->answer_length, "errorStack", &value) &&
         *value.start == '[' && scan_find(http->answer, http->answer_length, "code", &value) &&
         scan_integer(&value, code) && *code >= 400 && *code < 600;
}

void answer_check(f5_failure *failure, const http_request *http, answer_to what) {
  if (!http->answer || is_empty(http->answer, http->answer_length)) {
    if (may_be_empty(http, what)) return;
    failure_set(failure, KIND_PROTOCOL, "the answer is empty");
  } else if (!scan_looks_json(http->answer, http->answer_length)) {
    reject_text(failure, http);
  } else if (is_truncated(http)) {
    failure_set(failure, KIND_PROTOCOL, "the answer is incomplete JSON: it ends after %zu bytes",
                http->answer_length);
  } else {
    int64_t code;
    if (!is_error(http, &code)) return;
    failure_set(failure, KIND_PROTOCOL, "the device answered %ld, but the answer is an error %d",
                http->status, (int)code);
  }
  failure->status = http->status;
  failure->verdict.retry = RETRY_READ;
  failure->verdict.unknown = what != ANSWER_TO_READ;
}
