#include "f5/session/shutdown.h"

#include "base/owner.h"
#include "f5/change/transaction_state.h"
#include "f5/session/call.h"
#include "f5/session/login.h"

void session_end(f5_session *session) {
  if (session->phase != SESSION_OPEN) return;
  transaction_end_all(session);
  session->phase = SESSION_CLOSING;
  loop_timer_stop(session->core->loop, &session->reaper);
  if (session->running) { /* only if needed: making an error masks its text against the secrets of
                             all sessions */
    f5_failure failure;
    failure_set(&failure, KIND_CANCELLED, "the session was closed");
    for (f5_call *call = session->running, *next; call; call = next) {
      next = call->next;
      bool waits = login_pauses(session, call); /* for a device that may never start */
      bool may_end = (call->internal && !waits) || (call->last && call->state == CALL_SENT);
      if (!may_end) call_fail(call, &failure);
    }
    failure_clear(&failure);
  }
  session->references++;
  if (session->begins == 0) login_end(session); /* else the last of them does it */
  session_step(session);
  session_release(session);
}

static void reap(loop_timer *timer) {
  session_end(OWNER(timer, f5_session, reaper));
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
    login_report_left(session);
    transaction_drop_all(session);
    while (session->running)
      call_clear(session->running);
    session_closed(session);
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
