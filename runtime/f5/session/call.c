#include "f5/session/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/owner.h"
#include "f5/report/api_status.h"
#include "f5/observe/exchange.h"
#include "f5/report/error.h"
#include "f5/rest/uri.h"
#include "f5/session/answer.h"
#include "f5/session/log.h"
#include "f5/session/session.h"

#define MAX_PAUSE 10000      /* ms; a Retry-After header may ask for more */
#define MAX_START_PAUSE 3000 /* ms; the same while waiting for a device to start */
#define MIN_TIMEOUT 1000     /* ms; timeout of the last attempt at such a device */
#define LEASE_MARGIN 5000    /* ms; between the latest end of a write and that of the lease */

static void proceed(f5_call *call);

void call_init(f5_call *call, f5_session *session, const char *method, const char *path) {
  memset(call, 0, sizeof *call);
  call->session = session_retain(session);
  call->http.method = method;
  call->http.path = path;
}

static void leave(f5_call *call) {
  if (call->link) {
    LIST_REMOVE(call);
  }
  call->session->auth->release(call);
}

/* Counts a change that the device made, or may have made. Commands of a transaction are changes
 * only after the commit, and calls that manage a transaction never are: transaction.c counts them.
 */
static void count_change(const f5_call *call) {
  if (call->write && !call->harmless && !call->coordination &&
      strncmp(call->http.path, URI_TRANSACTION, sizeof URI_TRANSACTION - 1) != 0)
    call->session->usage.writes++;
}

/* Hands the exchange that has ended to the observers. again: the call is tried again after this
 * time. */
static void tell_observers(f5_call *call, bool again, uint64_t pause) {
  f5_exchange *exchange = call->exchange;
  call->exchange = NULL;
  exchange_commit(exchange, again ? error_kind_name(call->failure.verdict.kind) : NULL, pause);
}

static void end(f5_call *call) {
  bool answered = call->state == CALL_SENT && call->http.failure == HTTP_OK;
  bool refused =
      call->any_status ? call->http.status / 100 == 4 : call->failure.verdict.kind != KIND_NONE;
  if ((answered && !refused) || call->failure.verdict.unknown) count_change(call);
  call->state = CALL_DONE;
  tell_observers(call, false, 0);
  leave(call);
  call->done(call);
}

static void fire(loop_timer *timer) {
  f5_call *call = OWNER(timer, f5_call, timer);
  if (call->state == CALL_ENDS)
    end(call);
  else
    proceed(call);
}

/* done is called from the loop, never from inside call_start. */
static void end_soon(f5_call *call) {
  call->state = CALL_ENDS;
  loop_timer_start(call->session->core->loop, &call->timer, 0);
}

/* -- after an answer -- */

static uint64_t pause_before_next(const f5_call *call) {
  const f5_session *session = call->session;
  if (session->replayed) return 0;
  unsigned doublings = call->attempts > 16 ? 16 : call->attempts - 1;
  uint64_t pause = session->delay_ms << doublings;
  uint64_t max = call->wait_budget ? MAX_START_PAUSE : MAX_PAUSE;
  if (pause > max) pause = max;
  /* half of it random, so that the workers of a fleet do not retry all at once */
  pause = pause - pause / 2 + core_random(session->core, pause / 2 + 1);
  char value[32];
  if (call->http.status && http_answer_header(&call->http, "Retry-After", value, sizeof value)) {
    long seconds = strtol(value, NULL, 10); /* a date gives 0: keep the default pause */
    if (seconds > 0 && seconds < 86400 && (uint64_t)seconds * 1000 > pause)
      pause = (uint64_t)seconds * 1000;
  }
  return pause;
}

/* Starts another attempt if the failure may be retried and the limits allow it. */
static bool retry(f5_call *call) {
  f5_session *session = call->session;
  f5_retry when = call->failure.verdict.retry;
  if (when == RETRY_LOGIN && session->phase == SESSION_OPEN && !call->internal && !call->renewed &&
      session->auth->renewable(call)) {
    call->renewed = true;
    tell_observers(call, true, 0);
    session->auth->release(call);
    proceed(call);
    return true;
  }
  bool waits = call->wait_budget && call->failure.transient;
  if (call->once || session->phase != SESSION_OPEN) return false;
  if (!waits && call->attempts > session->retries) return false;
  if (!waits && when != RETRY_ALWAYS && !(when == RETRY_READ && (!call->write || call->repeatable)))
    return false;
  uint64_t pause = pause_before_next(call), now = loop_now(session->core->loop);
  if (now + pause > call->began + (waits ? call->wait_budget : session->budget_ms)) return false;
  if (waits && call->attempts == 1)
    log_note(session, "is not up; retrying for %g s", (double)call->wait_budget / 1000);
  tell_observers(call, true, pause);
  session->auth->release(call);
  call->state = CALL_PAUSES;
  loop_timer_start(session->core->loop, &call->timer, pause);
  return true;
}

static void forget_probe(f5_call *call) {
  if (call->probe) call->session->probe->free(call->probe);
  call->probe = NULL;
}

static void probed(f5_call *call) {
  if (call->failure.verdict.kind != KIND_NOT_FOUND && retry(call)) return;
  end(call);
}

/* A path that the device does not know may be a mistake; then a retry cannot help. */
static bool probe(f5_call *call) {
  f5_session *session = call->session;
  if (call->probe || call->any_status || !session->probe->wanted(call)) return false;
  session->auth->release(call);
  call->state = CALL_PROBES;
  call->probe = session->probe->start(call, probed);
  return call->probe != NULL;
}

static void redirected(f5_call *call) {
  char location[300];
  if (!http_answer_header(&call->http, "Location", location, sizeof location)) *location = '\0';
  failure_from_redirect(&call->failure, call->http.status, location, call->session->where);
}

static void observe_api_status(f5_call *call) {
  const api_status *entry = api_status_observe(&call->session->api_statuses, &call->http);
  if (entry)
    log_note(call->session, "warning: the API status of %s is %s", api_status_path(entry),
             api_status_text(entry));
}

static void exchanged(http_request *request) {
  f5_call *call = OWNER(request, f5_call, http);
  f5_session *session = call->session;
  bool reached = session->reached;
  session->usage.sent += request->bytes_sent;
  session->usage.received += request->bytes_received;
  if (request->failure == HTTP_OK) {
    session->reached = true;
    if (call->arrived) call->arrived(call);
    observe_api_status(call);
    bool refused_token = request->status == 401 && !call->internal;
    if (request->status / 100 == 3 && !call->any_status)
      redirected(call);
    else if (request->status / 100 != 2 && (!call->any_status || refused_token))
      failure_from_answer(&call->failure, request->status, request->answer ? request->answer : "",
                          request->answer_length);
    else if (!call->any_status && !call->own_check && !request->sink_to_fd)
      answer_check(&call->failure, request,
                   !call->write         ? ANSWER_TO_READ
                   : call->coordination ? ANSWER_TO_QUEUED_WRITE
                                        : ANSWER_TO_WRITE);
  } else {
    failure_from_transport(&call->failure, request, session->where, call->write, reached);
  }
  if (!call->write) call->failure.verdict.unknown = false;
  if (!call->quiet) {
    log_exchange(session, request, call->attempts);
    call->exchange = exchange_new(session, request, &call->failure, call->attempts, call->line);
  }
  if (call->failure.verdict.kind != KIND_NONE && (probe(call) || retry(call))) return;
  if (call->any_status && call->http.failure == HTTP_OK) failure_clear(&call->failure);
  end(call);
}

/* -- before the answer -- */

static void send(f5_call *call) {
  unsigned n = 0;
  const char *header = call->session->auth->header(call);
  if (header) call->lines[n++] = header;
  if (call->coordination) call->lines[n++] = call->coordination;
  if (call->content_type)
    call->lines[n++] = call->content_type;
  else if (call->http.body || call->http.body_from_fd)
    call->lines[n++] = "Content-Type: application/json";
  for (const char *const *extra = call->headers; extra && *extra && n < CALL_HEADERS - 1; extra++)
    call->lines[n++] = *extra;
  call->lines[n] = NULL;
  http_request_clear(&call->http);
  failure_clear(&call->failure);
  call->http.headers = call->lines;
  call->http.done = exchanged;
  if (call->wait_budget) { /* the last attempt must not exceed the budget */
    uint64_t passed = loop_now(call->session->core->loop) - call->began;
    uint64_t left =
        passed + MIN_TIMEOUT < call->wait_budget ? call->wait_budget - passed : MIN_TIMEOUT;
    call->http.timeout_ms =
        left < (uint64_t)call->session->timeout_ms ? (long)left : call->session->timeout_ms;
  }
  call->http.secret = call->internal; /* the answers contain the token */
  call->http.timed = exchange_wanted(call->session->core);
  call->attempts++;
  call->state = CALL_SENT;
  http_submit(call->session->peer, &call->http);
}

/* The one gate of a session with read_only: every attempt of every call passes it. Internal calls
 * are the login, and the extension and the deletion of the session's own token. */
static bool is_forbidden(const f5_call *call) {
  return call->session->read_only && !call->internal && !call->only_login &&
         strcmp(call->http.method, "GET") != 0;
}

/* A session may have a lease: the work it belongs to may be given to somebody else when it ends. No
 * write is sent that could still be under way then. The time goes on while the machine sleeps. */
static bool is_too_late(const f5_call *call) {
  const f5_session *session = call->session;
  if (!session->lease_ms || call->internal || call->only_login) return false;
  if (strcmp(call->http.method, "GET") == 0) return false;
  return session_boot_time() + (uint64_t)session->timeout_ms + LEASE_MARGIN > session->lease_ms;
}

static void proceed(f5_call *call) {
  if (is_forbidden(call)) {
    failure_set(&call->failure, KIND_USAGE,
                "the session is read-only (option read_only): %s %s was not sent",
                call->http.method, call->http.path);
    end_soon(call);
  } else if (is_too_late(call)) {
    failure_clear(&call->failure);
    failure_set(&call->failure, KIND_CANCELLED,
                "the lease of this job ends too soon for another write: %s %s was not sent",
                call->http.method, call->http.path);
    end_soon(call);
  } else if (call->session->phase != SESSION_OPEN && !call->internal &&
             !(call->last && call->session->begins)) {
    failure_clear(&call->failure);
    failure_set(&call->failure, KIND_CANCELLED, "the session was closed");
    end_soon(call);
  } else if (call->internal || call->session->auth->prepare(call)) {
    if (call->only_login)
      end_soon(call);
    else
      send(call);
  } else {
    call->state = CALL_WAITS_FOR_TOKEN;
  }
}

void call_authorized(f5_call *call, const f5_failure *failure) {
  if (!failure) {
    proceed(call);
    return;
  }
  failure_clear(&call->failure);
  if (call->attempts == 0) {
    failure_copy(&call->failure, failure);
  } else { /* the renewal failed, so the first failure is no longer the reason */
    failure_set(&call->failure, failure->verdict.kind, "the session could not log in again");
    call->failure.status = failure->status;
    call->failure.cause = malloc(sizeof *call->failure.cause);
    if (call->failure.cause) failure_copy(call->failure.cause, failure);
  }
  end_soon(call);
}

void call_start(f5_call *call) {
  f5_session *session = call->session;
  failure_clear(&call->failure);
  call->attempts = 0;
  call->renewed = false;
  forget_probe(call);
  call->began = loop_now(session->core->loop);
  call->timer.fire = fire;
  if (!call->internal && !call->only_login) {
    if (!call->quiet) session->usage.calls++;
  }
  LIST_ADD(&session->running, call);
  proceed(call);
}

/* Returns whether the device may have received the request of the last attempt: the peer may still
 * have queued it, or be about to connect. */
static bool stop(f5_call *call) {
  bool sent = false;
  if (call->state == CALL_IDLE || call->state == CALL_DONE) return false;
  if (call->state == CALL_SENT) {
    http_cancel(&call->http);
    sent = call->http.sent;
    if (!call->quiet)
      call->exchange =
          exchange_new(call->session, &call->http, &call->failure, call->attempts, call->line);
  }
  tell_observers(call, false, 0);
  if (call->state == CALL_WAITS_FOR_TOKEN) call->session->auth->forget(call);
  if (call->state == CALL_PROBES) call->session->probe->stop(call->probe);
  loop_timer_stop(call->session->core->loop, &call->timer);
  call->state = CALL_DONE;
  return sent;
}

bool call_stop(f5_call *call) {
  if (!stop(call)) return false;
  count_change(call);
  return true;
}

void call_fail(f5_call *call, const f5_failure *failure) {
  if (call->state == CALL_IDLE || call->state == CALL_DONE) return;
  bool sent = stop(call);
  failure_clear(&call->failure);
  failure_copy(&call->failure, failure);
  call->failure.verdict.unknown = sent && call->write && !call->harmless;
  end_soon(call);
}

void call_clear(f5_call *call) {
  if (!call->session) return;
  call_stop(call);
  leave(call);
  forget_probe(call);
  http_request_clear(&call->http);
  failure_clear(&call->failure);
  free(call->line);
  call->line = NULL;
  f5_session *session = call->session;
  call->session = NULL;
  call->state = CALL_IDLE;
  session_release(session);
}

void call_push_error(lua_State *L, const f5_call *call) {
  error_place place = {call->session->label, call->http.method, call->http.path, call->attempts};
  error_push(L, &call->failure, &place);
}
