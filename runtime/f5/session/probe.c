#include "f5/session/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/text.h"
#include "f5/report/secret.h"
#include "f5/report/spelling.h"
#include "f5/rest/uri.h"
#include "f5/session/call.h"
#include "f5/session/session.h"

#define ROOT_LENGTH (sizeof URI_ROOT - 1)
#define LINK "\"link\":"
#define MAX_BUSY 3 /* how often a busy device is asked again at once */

typedef struct f5_probe f5_probe;
struct f5_probe {
  f5_call call;
  f5_call *of;
  void (*done)(f5_call *call);
  size_t length; /* of the part of the path to ask for */
  unsigned busy; /* how often the device was */
  char child[SPELLING_MAX + 1];
  char path[]; /* that part, NUL-terminated */
};

/* Returns whether a secret is in the path. The parent's path has only a part of it, which nothing
 * would mask. */
static bool has_secret(const char *path) {
  text masked = {0};
  secret_mask(&masked, path, strlen(path));
  bool found = strcmp(text_string(&masked), path) != 0;
  text_free(&masked);
  return found;
}

/* Returns whether this may be a device's answer for a path that it does not know: 404 "not
 * registered", or 501 to a POST. It also sends 501 for a command that an existing path lacks. */
static bool may_be_unknown(const f5_call *call) {
  const f5_failure *failure = &call->failure;
  if (failure->status == 501) return strcmp(call->http.method, "POST") == 0;
  return failure->status == 404 && failure->verdict.kind == KIND_NOT_READY && failure->message &&
         strstr(failure->message, "not registered") != NULL;
}

static bool wanted(const f5_call *call) {
  return may_be_unknown(call) && !call->internal && !call->quiet && !call->once &&
         strncmp(call->http.path, URI_ROOT "/", ROOT_LENGTH + 1) == 0 &&
         !has_secret(call->http.path);
}

/* Removes the last segment of the path; it becomes the child to look for. */
static bool shorten(f5_probe *probe) {
  size_t at = probe->length;
  while (at > ROOT_LENGTH && probe->path[at - 1] != '/')
    at--;
  if (at <= ROOT_LENGTH) return false;
  size_t child = probe->length - at;
  if (child > SPELLING_MAX) child = SPELLING_MAX;
  memcpy(probe->child, probe->path + at, child);
  probe->child[child] = '\0';
  probe->length = at - 1;
  probe->path[probe->length] = '\0';
  return true;
}

static size_t count_slashes(const char *at, const char *end) {
  size_t count = 0;
  for (; at < end; at++)
    count += *at == '/';
  return count;
}

/* Returns the last segment of a link, if it names a child of the path. */
static const char *child_of_link(const f5_probe *probe, const char *link, const char *end,
                                 size_t *length) {
  const char *path = link;
  for (; path < end && strncmp(path, URI_ROOT "/", ROOT_LENGTH + 1) != 0; path++)
    ;
  if (path == end) return NULL;
  const char *stop = path;
  while (stop < end && *stop != '?')
    stop++;
  size_t slashes = count_slashes(probe->path, probe->path + probe->length);
  if (count_slashes(path, stop) != slashes + 1) return NULL;
  const char *last = stop;
  while (last[-1] != '/')
    last--;
  *length = (size_t)(stop - last);
  return last;
}

/* Returns whether the parent's answer lists the child. Also finds the child with the nearest name
 * and counts the children. */
static bool is_listed(const f5_probe *probe, spelling *near, size_t *count) {
  const char *answer = probe->call.http.answer;
  bool found = false;
  for (const char *at = answer; at && (at = strstr(at, LINK)) != NULL;) {
    at += sizeof LINK - 1;
    at += strspn(at, " \t");
    if (*at != '"') continue;
    const char *end = strchr(++at, '"');
    if (!end) break;
    size_t length;
    const char *child = child_of_link(probe, at, end, &length);
    if (child) {
      (*count)++;
      found = found || (length == strlen(probe->child) && memcmp(child, probe->child, length) == 0);
      spelling_offer(near, child, length);
    }
    at = end;
  }
  return found;
}

/* Returns whether the answer is an object, not a collection. It lists its children, if it has any.
 */
static bool is_object(const http_request *http) {
  static const char state[] = "state", collection[] = "collectionstate";
  scan_value value;
  text kind = {0};
  if (http->answer && scan_find(http->answer, http->answer_length, "kind", &value))
    scan_string(&value, &kind);
  size_t length = kind.length;
  const char *end = text_string(&kind) + length;
  bool found =
      length > sizeof state - 1 && strcmp(end - (sizeof state - 1), state) == 0 &&
      !(length >= sizeof collection - 1 && strcmp(end - (sizeof collection - 1), collection) == 0);
  text_free(&kind);
  return found;
}

/* Returns whether this part of the tree exists only if its module is provisioned. */
static bool is_module(const char *name) {
  static const char *const modules[] = {"analytics", "apm",      "asm",  "gtm", "ilx",
                                        "pem",       "security", "vcmp", "wam", "wom"};
  for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
    if (strcmp(name, modules[i]) == 0) return true;
  return false;
}

/* Turns the failure into "the path does not exist". */
static void miss(f5_probe *probe, const spelling *near) {
  f5_failure *failure = &probe->of->failure;
  text message = {0};
  text_printf(&message, "%s (%s has no '%s'", failure->message, probe->path, probe->child);
  if (probe->length == ROOT_LENGTH && is_module(probe->child))
    text_put(&message, ": is the module provisioned?)");
  else if (near->edits)
    text_printf(&message, "; did you mean '%s'?)", near->nearest);
  else
    text_char(&message, ')');
  long status = failure->status;
  int64_t code = failure->code;
  failure_clear(failure);
  failure_set(failure, KIND_NOT_FOUND, "%s", text_string(&message));
  failure->status = status;
  failure->code = code;
  text_free(&message);
}

static void answered(f5_call *call) {
  f5_probe *probe = call->owner;
  const f5_failure *failure = &call->failure;
  f5_call *of = probe->of;
  if (failure->verdict.kind == KIND_NONE) {
    spelling near = {.name = probe->child};
    size_t count = 0;
    if (!is_listed(probe, &near, &count) && (count > 0 || is_object(&call->http)))
      miss(probe, &near);
  } else if (failure->verdict.kind == KIND_NOT_FOUND) { /* the object that the path is part of */
    failure_clear(&of->failure);
    failure_copy(&of->failure, failure);
  } else if (failure->status == 404 && failure->verdict.kind == KIND_NOT_READY && shorten(probe)) {
    call_start(call);
    return;
  } else if (failure->status == 503 && probe->busy++ < MAX_BUSY) {
    call_start(call);
    return;
  }
  probe->done(of);
}

static f5_probe *start(f5_call *of, void (*done)(f5_call *call)) {
  size_t length = strcspn(of->http.path, "?");
  f5_probe *probe = calloc(1, sizeof *probe + length + 1);
  if (!probe) return NULL;
  memcpy(probe->path, of->http.path, length);
  probe->of = of;
  probe->done = done;
  probe->length = length;
  shorten(probe);
  /* a collection may have too many objects to list, so look for the collection itself */
  if (probe->child[0] == '~') shorten(probe);
  call_init(&probe->call, of->session, "GET", probe->path);
  probe->call.once = true;
  probe->call.owner = probe;
  probe->call.done = answered;
  call_start(&probe->call);
  return probe;
}

static void stop(f5_probe *probe) {
  call_clear(&probe->call);
}

static void stop_and_free(f5_probe *probe) {
  stop(probe);
  free(probe);
}

void probe_attach(f5_session *session) {
  static const session_probe probe = {
      .wanted = wanted, .start = start, .stop = stop, .free = stop_and_free};
  session->probe = &probe;
}
