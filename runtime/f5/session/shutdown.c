/* The half of a session that needs no Lua: who keeps it, and how it ends. */
#include "f5/session/session.h"

#include <stddef.h>
#include <stdlib.h>

#include "f5/change/transaction.h"
#include "f5/report/api_status.h"

f5_session *session_new(f5_core *core) {
  f5_session *session = calloc(1, sizeof *session);
  if (!session) return NULL;
  session->core = core;
  session->references = 1;
  session->next = core->sessions;
  session->link = &core->sessions;
  if (session->next) session->next->link = &session->next;
  core->sessions = session;
  core_open_sessions++;
  return session;
}

f5_session *session_retain(f5_session *session) {
  session->references++;
  return session;
}

static void unlist(f5_session *session) {
  if (!session->link) return;
  *session->link = session->next;
  if (session->next) session->next->link = session->link;
  session->link = NULL;
  core_open_sessions--;
}

static void destroy(f5_session *session) {
  if (session->core) loop_timer_stop(session->core->loop, &session->reaper);
  unlist(session);
  auth_clear(&session->auth);
  api_status_clear(session);
  if (session->peer) http_peer_release(session->peer);
  free(session->label);
  free(session->where);
  free(session->ver);
  free(session);
}

void session_release(f5_session *session) {
  /* while it is listed, it may still have tokens to delete */
  if (--session->references == 0 && !session->link) destroy(session);
}

static void closed(f5_session *session) {
  session->phase = SESSION_CLOSED;
  unlist(session);
  session->references++; /* a waiter's fiber may drop the last one */
  while (session->waiters) {
    session_waiter *waiter = session->waiters;
    session->waiters = waiter->next;
    waiter->session = NULL;
    fiber_wake(&waiter->wait);
  }
  session_release(session);
}

void session_step(f5_session *session) {
  if (session->phase == SESSION_CLOSING && session->last_calls == 0 && auth_ended(session))
    closed(session);
}

void session_end(f5_session *session) {
  if (session->phase != SESSION_OPEN) return;
  transaction_end_all(session);
  session->phase = SESSION_CLOSING;
  loop_timer_stop(session->core->loop, &session->reaper);
  if (session->running) { /* making an error masks its text against the secrets of every session:
                             not for nothing */
    f5_failure failure;
    failure_set(&failure, KIND_CANCELLED, "the session was closed");
    for (f5_call *call = session->running, *next; call; call = next) {
      next = call->next;
      bool waits = call == &session->auth.call &&
                   call->state == CALL_PAUSES; /* for a device that may not come up */
      bool may_end = (call->internal && !waits) || (call->last && call->state == CALL_SENT);
      if (!may_end) call_fail(call, &failure);
    }
    failure_clear(&failure);
  }
  session->references++;
  auth_end(session);
  session_step(session);
  session_release(session);
}

static void reap(loop_timer *timer) {
  session_end((f5_session *)(void *)((char *)timer - offsetof(f5_session, reaper)));
}

void session_orphan(f5_session *session) {
  if (session->phase != SESSION_OPEN) return;
  session->reaper.fire = reap;
  loop_timer_start(session->core->loop, &session->reaper, 0);
}

void session_abandon_all(f5_core *core) {
  while (core->sessions) {
    f5_session *session = core->sessions;
    session->phase = SESSION_CLOSING;
    session->references++;
    loop_timer_stop(core->loop, &session->reaper);
    auth_tell_left(session);
    transaction_drop_all(session);
    while (session->running)
      call_clear(session->running);
    closed(session);
    session->core = NULL; /* the loop may be gone before the last userdata */
    session_release(session);
  }
}

void session_end_all(f5_core *core, unsigned timeout_ms) {
  uint64_t deadline = loop_now(core->loop) + timeout_ms;
  for (f5_session *session = core->sessions, *next; session; session = next) {
    next = session->next;
    session_end(session);
  }
  while (core->sessions) {
    uint64_t now = loop_now(core->loop);
    if (now >= deadline) break;
    uint64_t wait = deadline - now;
    loop_turn(core->loop, wait > 1000 ? 1000 : (int)wait);
  }
  session_abandon_all(core);
}
