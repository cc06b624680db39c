#include "f5/session/session.h"

#include <stdlib.h>
#include <time.h>

#include "base/list.h"

f5_session *session_new(f5_core *core) {
  f5_session *session = calloc(1, sizeof *session);
  if (!session) return NULL;
  session->core = core;
  session->references = 1;
  session->serial = ++core->serial;
  LIST_ADD(&core->sessions, session);
  core_open_sessions++;
  return session;
}

f5_session *session_retain(f5_session *session) {
  session->references++;
  return session;
}

static void unlist(f5_session *session) {
  if (!session->link) return;
  LIST_REMOVE(session);
  core_open_sessions--;
}

static void destroy(f5_session *session) {
  if (session->core) loop_timer_stop(session->core->loop, &session->reaper);
  unlist(session);
  if (session->auth) session->auth->destroy(session);
  credentials_clear(&session->credentials);
  api_status_clear(&session->api_statuses);
  if (session->peer) http_peer_release(session->peer);
  free(session->label);
  free(session->where);
  free(session->ver);
  free(session);
}

void session_release(f5_session *session) {
  /* while it is in the list, it may have tokens to delete */
  if (--session->references == 0 && !session->link) destroy(session);
}

void session_closed(f5_session *session) {
  session->phase = SESSION_CLOSED;
  unlist(session);
  session->references++; /* the fiber of a waiter may release the last one */
  fiber_event_signal(&session->closed);
  session_release(session);
}

void session_step(f5_session *session) {
  if (session->phase == SESSION_CLOSING && session->last_calls == 0 &&
      (!session->auth || session->auth->ended(session)))
    session_closed(session);
}

uint64_t session_boot_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
