#include "f5/report/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/scan.h"
#include "base/text.h"
#include "f5/report/secret.h"

#define PAGE_READ 65536 /* bytes of an answer that is not JSON to search for text */

/* Returns a masked copy; NULL if there is not enough memory. */
static char *masked_copy(const char *string, size_t length) {
  text out = {0};
  secret_mask(&out, string, length);
  if (out.failed) text_free(&out);
  return out.data;
}

void failure_clear(f5_failure *failure) {
  if (failure->cause) {
    failure_clear(failure->cause);
    free(failure->cause);
  }
  free(failure->message);
  free(failure->error_stack);
  free(failure->body);
  free(failure->method);
  free(failure->path);
  *failure = (f5_failure){0};
}

static char *copy_string(const char *string) {
  return string ? strdup(string) : NULL;
}

void failure_copy(f5_failure *to, const f5_failure *from) {
  *to = *from;
  to->message = copy_string(from->message);
  to->error_stack = copy_string(from->error_stack);
  to->body = copy_string(from->body);
  to->method = copy_string(from->method);
  to->path = copy_string(from->path);
  to->cause = from->cause ? malloc(sizeof *to->cause) : NULL;
  if (to->cause) failure_copy(to->cause, from->cause);
}

void failure_set(f5_failure *failure, f5_kind kind, const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  *failure = (f5_failure){.verdict = {kind, RETRY_NEVER, false}};
  failure->message = masked_copy(message, strlen(message));
}

void failure_prefix(f5_failure *failure, const char *format, ...) {
  char words[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  text message = {0};
  text_put(&message, words);
  text_put(&message, failure->message ? failure->message : "not enough memory for the message");
  if (message.failed) return;
  free(failure->message);
  failure->message = message.data;
}

/* Extracts the text of an HTML page, or of anything else that is not JSON, as one short line. */
static void plain_words(text *out, const char *body, size_t length) {
  const size_t most = 200;
  bool space = false;
  for (size_t i = 0; i < length && out->length < most; i++) {
    char c = body[i];
    if (c == '<') {
      const char *end = memchr(body + i, '>', length - i);
      if (end) {
        i = (size_t)(end - body);
        space = true;
        continue;
      }
    }
    if ((unsigned char)c <= ' ') {
      space = true;
      continue;
    }
    if (space && out->length) text_char(out, ' ');
    space = false;
    text_char(out, c);
  }
}

void failure_from_answer(f5_failure *failure, long status, const char *body, size_t length) {
  *failure = (f5_failure){.status = status};
  scan_value value;
  text message = {0}, stack = {0};
  bool json = scan_looks_json(body, length);
  if (json) {
    if (scan_find(body, length, "message", &value)) scan_string(&value, &message);
    if (scan_find(body, length, "code", &value)) scan_integer(&value, &failure->code);
    if (scan_find(body, length, "apiError", &value)) scan_integer(&value, &failure->api_error);
    if (scan_find(body, length, "errorStack", &value) && value.length > 2 && *value.start == '[')
      secret_mask(&stack, value.start, value.length);
    failure->verdict = verdict_of(status, true, failure->api_error, text_string(&message));
    if (!message.length && status == 404)
      text_put(&message,
               "nothing answers at this path (a service of the device is down or still starting)");
  } else {
    failure->verdict = verdict_of(status, false, 0, "");
    /* mask before removing tags and truncating: part of a secret must not be shown either */
    text page = {0};
    secret_mask(&page, body, length < PAGE_READ ? length : PAGE_READ);
    plain_words(&message, text_string(&page), page.length);
    text_free(&page);
  }
  if (status == 401 && strstr(text_string(&message), "assword expired"))
    text_put(&message, " (bip:change_password{ new = … } sets a new one)");
  if (!message.length) text_printf(&message, "the device answered %ld without a message", status);
  if (strstr(text_string(&message), "TimeoutException") ||
      strncmp(text_string(&message), "remoteSender:", 13) == 0) {
    /* the device's own text is a Java stack trace */
    text_clear(&message);
    text_put(&message, "the device ended the call because it took too long (check what was done; "
                       "bip:task runs long work without this limit)");
  }
  f5_kind kind = failure->verdict.kind;
  failure->transient = error_kind_is_transient(kind) || (status >= 500 && kind == KIND_PROTOCOL);
  failure->message = masked_copy(text_string(&message), message.length);
  if (length) failure->body = masked_copy(body, json || length < PAGE_READ ? length : PAGE_READ);
  if (stack.failed) text_free(&stack);
  failure->error_stack = stack.data;
  text_free(&message);
}

/* Returns whether the URL "https://host:port/path" is at `where`, "host:port". */
static bool leads_to(const char *location, const char *where) {
  if (strncasecmp(location, "https://", 8) != 0) return location[0] == '/' && location[1] != '/';
  size_t length = strcspn(location + 8, "/?#"),
         name = strrchr(where, ':') ? (size_t)(strrchr(where, ':') - where) : 0;
  if (strncasecmp(location + 8, where, length) != 0) return false;
  return length == strlen(where) || (length == name && strcmp(where + name, ":443") == 0);
}

void failure_from_redirect(f5_failure *failure, long status, const char *location,
                           const char *where) {
  *failure = (f5_failure){.status = status, .verdict = {KIND_PROTOCOL, RETRY_NEVER, false}};
  text message = {0};
  if (*location)
    text_printf(&message,
                "%s redirects to %s, which f5lua does not follow: it would send the password or "
                "token there",
                where, location);
  else
    text_printf(&message, "%s redirects without naming a location", where);
  if (strncasecmp(location, "http://", 7) == 0)
    text_put(&message,
             ", unencrypted. iControl REST uses HTTPS only: check that this host is the management "
             "address of a BIG-IP");
  else if (!*location || leads_to(location, where))
    text_put(&message,
             ". The answer does not come from the REST service: check that host and port are those "
             "of a BIG-IP's management");
  else
    text_put(&message, ". If the device is there, use host = \"NAME:PORT\"");
  failure->message = masked_copy(text_string(&message), message.length);
  text_free(&message);
}

/* Returns whether a device that is starting may be the reason. A wrong name, certificate or
 * password stays wrong. */
static bool is_transient(const http_request *request) {
  static const char *const lasting[] = {" alert ", "wrong version number", "resolve proxy",
                                        "Unsupported proxy"};
  if (request->untrusted) return false;
  switch (request->failure) {
  case HTTP_CONNECT:
  case HTTP_TLS:
  case HTTP_PROXY:
    if (request->failure == HTTP_PROXY && request->status) return request->status / 100 == 5;
    for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
      if (strstr(request->error, lasting[i])) return false;
    return true;
  default:
    return request->failure == HTTP_TIMEOUT || request->failure == HTTP_BROKEN;
  }
}

/* With TLS 1.3 a server rejects the client's certificate after the request was sent, and ignores
 * the request. After any other alert it may have processed it. */
static bool refuses_certificate(const char *error) {
  static const char *const words[] = {"certificate", "unknown ca", "access denied", "handshake"};
  if (!strstr(error, " alert ")) return false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strstr(error, words[i])) return true;
  return false;
}

static const char *source_of_proxy(const http_request *request) {
  bool option = strcmp(request->proxy_source, "proxy") == 0;
  return option ? "the option proxy" : request->proxy_source;
}

static void proxy_message(text *message, const http_request *request, const char *where) {
  if (request->status == 407)
    text_printf(message,
                "the proxy for %s rejected the user and password, or requires them: "
                "proxy = \"http://USER:PASSWORD@HOST:PORT\"",
                where);
  else if (request->status)
    text_printf(message, "the proxy cannot connect to %s", where);
  else
    text_printf(message, "cannot connect to the proxy (from %s), which leads to %s",
                source_of_proxy(request), where);
}

static void timeout_message(text *message, const http_request *request, const char *where) {
  text_printf(message, "no answer from %s in time", where);
  if (request->proxy_source) /* or no_proxy names this host */
    text_printf(message, ", perhaps because of the proxy (from %s)", source_of_proxy(request));
}

/* A replay has the whole message in `error`. */
static void fill_internal(f5_failure *failure, text *message, const http_request *request) {
  bool unrecorded = request->failure == HTTP_UNRECORDED;
  failure->verdict =
      (f5_verdict){unrecorded ? KIND_NOT_RECORDED : KIND_TRANSPORT, RETRY_NEVER, request->sent};
  if (!unrecorded)
    text_put(message, request->sent ? "cannot store the answer" : "cannot send the request");
}

void failure_from_transport(f5_failure *failure, const http_request *request, const char *where,
                            bool write, bool reached) {
  text message = {0};
  *failure = (f5_failure){.verdict = {KIND_TRANSPORT, RETRY_READ, false}};
  f5_retry if_reached = reached ? RETRY_ALWAYS : RETRY_NEVER;
  bool cancelled = request->failure == HTTP_CANCELLED;
  switch (request->failure) {
  case HTTP_RESOLVE:
  case HTTP_CONNECT:
    text_printf(&message, "cannot %s %s",
                request->failure == HTTP_RESOLVE ? "resolve the name of" : "connect to", where);
    failure->verdict.retry = if_reached;
    break;
  case HTTP_PROXY:
    proxy_message(&message, request, where);
    failure->verdict.retry =
        request->status == 0 || request->status / 100 == 5 ? if_reached : RETRY_NEVER;
    break;
  case HTTP_TLS:
    text_printf(&message, "cannot make a secure connection to %s", where);
    failure->verdict = (f5_verdict){KIND_TLS, request->sent && reached ? RETRY_READ : if_reached,
                                    request->sent && !refuses_certificate(request->error)};
    break;
  case HTTP_TIMEOUT:
    timeout_message(&message, request, where);
    failure->verdict =
        (f5_verdict){KIND_TIMEOUT, request->sent ? RETRY_READ : if_reached, request->sent};
    break;
  case HTTP_BROKEN:
    text_printf(&message, "the connection to %s was lost", where);
    failure->verdict.retry = request->sent ? RETRY_READ : RETRY_ALWAYS;
    failure->verdict.unknown = request->sent;
    break;
  case HTTP_UNREADABLE:
    text_printf(&message, "cannot read the answer of %s", where);
    failure->verdict = (f5_verdict){KIND_PROTOCOL, RETRY_READ, request->sent};
    break;
  case HTTP_TOO_LARGE:
    text_put(&message, request->sink_to_fd ? "the answer exceeds the file or body_limit"
                                           : "the answer exceeds the option body_limit");
    failure->verdict = (f5_verdict){KIND_PROTOCOL, RETRY_NEVER, request->sent};
    break;
  case HTTP_FILE:
  case HTTP_CANCELLED:
    text_put(&message, cancelled ? "cancelled" : "cannot read or write a local file");
    failure->verdict =
        (f5_verdict){cancelled ? KIND_CANCELLED : KIND_TRANSFER, RETRY_NEVER, request->sent};
    break;
  case HTTP_UNRECORDED:
  case HTTP_INTERNAL:
  case HTTP_OK:
    fill_internal(failure, &message, request);
    break;
  }
  if (*request->error) text_printf(&message, message.length ? " (%s)" : "%s", request->error);
  if (!write) failure->verdict.unknown = false;
  failure->transient = is_transient(request);
  failure->message = masked_copy(text_string(&message), message.length);
  text_free(&message);
}
