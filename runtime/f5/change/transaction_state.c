#include "f5/change/transaction_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/owner.h"
#include "base/scan.h"
#include "f5/report/secret.h"
#include "f5/rest/uri.h"
#include "f5/session/log.h"
#include "f5/session/login.h"

#define ABANDON_TIMEOUT 5000 /* ms; ms; short, because the device drops the transaction anyway */

/* -- lifetime -- */

static void forget_last(f5_transaction *tx) {
  if (tx->last_body) secret_wipe(tx->last_body, tx->last_length);
  free(tx->last_body);
  free(tx->last_path);
  tx->last_body = tx->last_path = NULL;
  tx->last_method = NULL;
}

void transaction_release(f5_transaction *tx) {
  if (--tx->references) return;
  forget_last(tx);
  session_release(tx->session);
  free(tx);
}

void transaction_ended(f5_transaction *tx) {
  tx->open = false;
  loop_timer_stop(tx->session->core->loop, &tx->timer);
  if (!tx->link) return;
  LIST_REMOVE(tx);
  transaction_release(tx);
}

static void set_id(f5_transaction *tx, int64_t id) {
  tx->id = id;
  snprintf(tx->header, sizeof tx->header, "X-F5-REST-Coordination-Id: %" PRId64, id);
  snprintf(tx->path, sizeof tx->path, URI_TRANSACTION "/%" PRId64, id);
}

/* -- its own calls -- */

void transaction_restart_timer(f5_transaction *tx) {
  if (tx->open && !tx->held && tx->keep_ms)
    loop_timer_start(tx->session->core->loop, &tx->timer, tx->keep_ms);
}

static void settle(f5_transaction *tx) {
  call_clear(&tx->call);
  tx->step = STEP_NONE;
  transaction_restart_timer(tx);
  fiber_event_signal(&tx->settled);
}

static void start_step(f5_transaction *tx, step next, const char *method, const char *path,
                       void (*done)(f5_call *)) {
  tx->step = next;
  call_init(&tx->call, tx->session, method, path);
  tx->call.owner = tx;
  tx->call.done = done;
}

static bool failed(const f5_call *call) {
  return call->failure.verdict.kind != KIND_NONE;
}

static void removed(f5_call *call) {
  f5_transaction *tx = call->owner;
  if (!failed(call))
    tx->answered++; /* the copy was queued and removed */
  else
    log_note(tx->session, "transaction %" PRId64 ": cannot remove a command of the keep-alive: %s",
             tx->id, call->failure.message);
  settle(tx);
}

static void added(f5_call *call) {
  f5_transaction *tx = call->owner;
  scan_value value;
  int64_t id;
  if (failed(call)) {
    if (!call->failure.verdict.unknown) tx->answered++;
    log_note(tx->session, "transaction %" PRId64 ": the keep-alive failed: %s", tx->id,
             call->failure.message);
    settle(tx);
  } else if (!call->http.answer ||
             !scan_find(call->http.answer, call->http.answer_length, "commandId", &value) ||
             !scan_integer(&value, &id)) {
    settle(tx); /* the copy is found and removed before the commit */
  } else {
    snprintf(tx->command, sizeof tx->command, "%s/commands/%" PRId64, tx->path, id);
    call_clear(call);
    start_step(tx, STEP_REMOVE, "DELETE", tx->command, removed);
    call_start(&tx->call);
  }
}

static void old_removed(f5_call *call) {
  settle(call->owner); /* if that failed: it is empty and expires */
}

static void begun_again(f5_call *call) {
  f5_transaction *tx = call->owner;
  scan_value value;
  int64_t id;
  if (!failed(call) && call->http.answer &&
      scan_find(call->http.answer, call->http.answer_length, "transId", &value) &&
      scan_integer(&value, &id)) {
    snprintf(tx->command, sizeof tx->command, "%s", tx->path);
    set_id(tx, id);
    call_clear(call);
    start_step(tx, STEP_REMOVE, "DELETE", tx->command, old_removed);
    call_start(&tx->call);
  } else {
    settle(tx);
  }
}

static void keep_alive(loop_timer *timer) {
  f5_transaction *tx = OWNER(timer, f5_transaction, timer);
  if (!tx->open || tx->step != STEP_NONE || tx->session->phase != SESSION_OPEN) return;
  if (tx->last_method) {
    start_step(tx, STEP_ADD, tx->last_method, tx->last_path, added);
    tx->call.coordination = tx->header;
    tx->call.http.body = tx->last_body;
    tx->call.http.body_length = tx->last_length;
    tx->call.write = true;
    tx->started++;
    call_start(&tx->call);
  } else if (tx->started != tx->answered) { /* the first command is in progress */
    transaction_restart_timer(tx);
  } else {
    start_step(tx, STEP_BEGIN, "POST", URI_TRANSACTION, begun_again);
    tx->call.http.body = "{}";
    tx->call.http.body_length = 2;
    call_start(&tx->call);
  }
}

void transaction_late_ended(f5_session *session) {
  session->begins--;
  if (session->phase == SESSION_CLOSING && session->begins == 0) login_end(session);
}

static void abandoned(f5_call *call) {
  f5_transaction *tx = call->owner;
  f5_session *session = tx->session;
  f5_kind kind = call->failure.verdict.kind;
  if (kind != KIND_NONE && kind != KIND_NOT_FOUND)
    log_note(session, "transaction %" PRId64 ": cannot abandon it, it will expire: %s", tx->id,
             call->failure.message);
  session->last_calls--;
  session_retain(session);
  if (tx->late) transaction_late_ended(session);
  tx->references++;
  settle(tx);
  transaction_ended(tx);
  transaction_release(tx);
  session_step(session);
  session_release(session);
}

void transaction_abandon(f5_transaction *tx) {
  if (!tx->open) return;
  tx->open = false;
  loop_timer_stop(tx->session->core->loop, &tx->timer);
  call_clear(&tx->call);
  start_step(tx, STEP_ABANDON, "DELETE", tx->path, abandoned);
  tx->call.http.timeout_ms = ABANDON_TIMEOUT;
  tx->call.last = true;
  tx->session->last_calls++;
  call_start(&tx->call);
}

void transaction_end_all(f5_session *session) {
  for (f5_transaction *tx = session->transactions, *next; tx; tx = next) {
    next = tx->next;
    transaction_abandon(tx);
  }
}

void transaction_drop_all(f5_session *session) {
  while (session->transactions) {
    f5_transaction *tx = session->transactions;
    if (tx->step == STEP_ABANDON) session->last_calls--;
    call_clear(&tx->call);
    tx->step = STEP_NONE;
    fiber_event_signal(&tx->settled);
    transaction_ended(tx);
  }
}

static void reap(loop_timer *timer) {
  transaction_abandon(OWNER(timer, f5_transaction, timer));
}

void transaction_orphan(f5_transaction *tx) {
  tx->timer.fire = reap;
  if (tx->open && tx->step == STEP_NONE) loop_timer_start(tx->session->core->loop, &tx->timer, 0);
}

f5_transaction *transaction_new(f5_session *session, int64_t id) {
  f5_transaction *tx = calloc(1, sizeof *tx);
  if (!tx) return NULL;
  tx->references = 2; /* the userdata's, the list's */
  tx->session = session_retain(session);
  tx->open = true;
  tx->timer.fire = keep_alive;
  LIST_ADD(&session->transactions, tx);
  set_id(tx, id);
  return tx;
}

void transaction_set_last(f5_transaction *tx, const http_request *request) {
  if (tx->step == STEP_ADD) return;
  forget_last(tx);
  if (!request) return;
  char *path = strdup(request->path), *body = malloc(request->body_length + 1);
  if (!path || !body) {
    free(path);
    free(body);
    return;
  }
  if (request->body_length) memcpy(body, request->body, request->body_length);
  body[request->body_length] = '\0';
  tx->last_method = request->method;
  tx->last_path = path;
  tx->last_body = body;
  tx->last_length = request->body_length;
}
