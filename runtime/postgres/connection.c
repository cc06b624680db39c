#include "postgres/connection.h"

#include <stdlib.h>
#include <string.h>

#include "base/owner.h"

enum { MAX_NOTICES = 8192 };

static void go_on(pq_connection *c);
static void lose(pq_connection *c, const char *reason);

/* -- statements -- */

static void leave_line(pq_statement *s) {
  pq_statement **at = &s->connection->first;
  while (*at && *at != s)
    at = &(*at)->next;
  if (*at) *at = s->next;
  s->next = NULL;
}

static void free_statement(pq_statement *s) {
  if (s->result) pq.PQclear(s->result);
  free(s);
}

/* It has a result or a failure. */
static void finish(pq_statement *s) {
  s->finished = true;
  if (s->done)
    s->done(s);
  else
    free_statement(s);
}

static void fail(pq_statement *s) {
  if (s->result) pq.PQclear(s->result);
  s->result = NULL;
  s->failure = text_string(&s->connection->lost);
  finish(s);
}

void pq_statement_end(pq_statement *s) {
  if (s->finished) {
    if (s->takes_hold && !s->failure) pq_connection_release(s->connection, s->hold);
    free_statement(s);
    return;
  }
  s->done = NULL;
  if (s == s->connection->running) return;
  leave_line(s);
  free_statement(s);
}

void pq_statement_queue(pq_connection *c, pq_statement *s, unsigned hold) {
  s->connection = c;
  s->hold = hold;
  pq_statement **at = &c->first;
  while (*at)
    at = &(*at)->next;
  *at = s;
  go_on(c);
}

/* -- the socket -- */

static void ready(void *data, int fd);

static void unwatch(pq_connection *c) {
  if (c->fd >= 0) loop_unwatch(c->l, c->fd);
  c->fd = -1;
}

/* An idle connection is not watched: nobody would do anything about what happens to it. */
static void watch(pq_connection *c, bool writes) {
  unsigned events = writes ? LOOP_READ | LOOP_WRITE : LOOP_READ;
  if (!c->c || (!c->running && !c->waiters)) {
    unwatch(c);
  } else if (c->fd < 0 || c->events != events) {
    unwatch(c);
    c->fd = pq.PQsocket(c->c);
    c->events = events;
    loop_watch_for(c->l, c->fd, events, ready, c);
  }
}

static void drop(pq_connection *c) {
  unwatch(c);
  loop_timer_stop(c->l, &c->timer);
  if (c->c) pq.PQfinish(c->c);
  c->c = NULL;
}

/* The connection is of no use any more. */
static void lose(pq_connection *c, const char *reason) {
  if (!c->c) return;
  if (!c->lost.length) pq_put_message(&c->lost, reason && *reason ? reason : "connection lost");
  drop(c);
  pq_statement *s = c->running;
  c->running = NULL;
  if (s) fail(s);
  go_on(c);
  fiber_event_signal(&c->changed);
}

static void is_dead(loop_timer *timer) {
  lose(OWNER(timer, pq_connection, timer), "the database does not answer");
}

/* -- answers -- */

static void take_notifications(pq_connection *c) {
  pq_notification **at = &c->queued;
  while (*at)
    at = &(*at)->next;
  bool any = false;
  for (PGnotify *notify; c->c && (notify = pq.PQnotifies(c->c)) != NULL; any = true) {
    pq_notification *n = calloc(1, sizeof *n);
    if (!n) {
      pq.PQfreemem(notify);
      continue;
    }
    n->notify = notify;
    *at = n;
    at = &n->next;
  }
  if (any) fiber_event_signal(&c->changed);
}

PGnotify *pq_connection_take(pq_connection *c) {
  pq_notification *n = c->queued;
  if (!n) return NULL;
  PGnotify *notify = n->notify;
  c->queued = n->next;
  free(n);
  return notify;
}

/* Several results belong to a script of several statements: its first error counts, else the last
 * result. */
static void keep_result(pq_statement *s, PGresult *result) {
  if (s->result && pq.PQresultStatus(s->result) == PGRES_FATAL_ERROR) {
    pq.PQclear(result);
    return;
  }
  if (s->result) pq.PQclear(s->result);
  s->result = result;
}

static void complete(pq_connection *c) {
  pq_statement *s = c->running;
  c->running = NULL;
  loop_timer_stop(c->l, &c->timer);
  if (pq.PQstatus(c->c) == CONNECTION_BAD) {
    bool told = s->result && pq.PQresultErrorField(s->result, PG_DIAG_SQLSTATE);
    text reason = {0};
    text_put(&reason, told ? pq.PQresultErrorMessage(s->result) : pq.PQerrorMessage(c->c));
    c->running = told ? NULL : s;
    if (told) finish(s); /* such as 57P01: the server says why it ends the connection */
    lose(c, text_string(&reason));
    text_free(&reason);
    return;
  }
  finish(s);
}

/* Takes what has arrived. */
static void read_results(pq_connection *c) {
  while (c->running && !pq.PQisBusy(c->c)) {
    PGresult *result = pq.PQgetResult(c->c);
    if (!result) {
      complete(c);
      return;
    }
    ExecStatusType status = pq.PQresultStatus(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      pq.PQclear(result);
      lose(c, "COPY is not possible here");
      return;
    }
    keep_result(c->running, result);
  }
}

static void ready(void *data, int fd) {
  (void)fd;
  pq_connection *c = data;
  if (!pq.PQconsumeInput(c->c)) {
    /* What came before the end of the connection may say why. */
    if (c->running) read_results(c);
    if (c->c) lose(c, pq.PQerrorMessage(c->c));
    return;
  }
  int unsent = c->running ? pq.PQflush(c->c) : 0;
  if (unsent < 0) {
    lose(c, pq.PQerrorMessage(c->c));
    return;
  }
  read_results(c);
  take_notifications(c);
  if (!c->c) return;
  if (c->running)
    watch(c, unsent > 0);
  else
    go_on(c);
}

/* -- the line -- */

/* The first statement that may go next. */
static pq_statement *next_of(const pq_connection *c) {
  pq_statement *s = c->first;
  while (s && (s->takes_hold ? c->held != 0 : s->hold != c->held))
    s = s->next;
  return s;
}

static bool send(pq_connection *c, const pq_statement *s) {
  int sent = s->simple ? pq.PQsendQuery(c->c, s->text)
                       : pq.PQsendQueryParams(c->c, s->text, s->count, s->types, s->values,
                                              s->lengths, s->formats, 0);
  return sent == 1;
}

static void start(pq_connection *c, pq_statement *s) {
  c->running = s;
  s->sent = true;
  int unsent = send(c, s) ? pq.PQflush(c->c) : -1;
  if (unsent < 0) {
    lose(c, pq.PQerrorMessage(c->c));
    return;
  }
  loop_timer_start(c->l, &c->timer, c->limit_ms);
  watch(c, unsent > 0);
}

/* Starts what may go next. Without a connection, all that wait fail. */
static void go_on(pq_connection *c) {
  while (!c->running) {
    pq_statement *s = c->c ? next_of(c) : c->first;
    if (!s) break;
    leave_line(s);
    if (!c->c) {
      fail(s);
    } else if (s->takes_hold) {
      c->held = s->hold;
      finish(s);
    } else {
      start(c, s);
      return;
    }
  }
  if (c->c) watch(c, false);
}

unsigned pq_connection_next_hold(pq_connection *c) {
  return ++c->last_hold;
}

void pq_connection_release(pq_connection *c, unsigned hold) {
  if (!hold || c->held != hold) return;
  if (c->c && !c->running && pq.PQtransactionStatus(c->c) != PQTRANS_IDLE)
    lose(c, "a transaction was left open");
  else if (c->c && c->running && c->running->hold == hold)
    lose(c, "a transaction was left before its statement ended");
  c->held = 0;
  go_on(c);
}

void pq_connection_wait(pq_connection *c, bool waits) {
  if (waits)
    c->waiters++;
  else
    c->waiters--;
  if (!c->running) watch(c, false);
}

/* -- life -- */

/* Never to standard error, where libpq writes them by itself. */
static void note(void *data, const char *message) {
  pq_connection *c = data;
  if (c->notices.length >= MAX_NOTICES) return;
  text_put(&c->notices, message);
  text_cut(&c->notices, MAX_NOTICES);
}

void pq_connection_open(pq_connection *c, loop *l, PGconn *opened, unsigned limit_ms) {
  c->l = l;
  c->c = opened;
  c->fd = -1;
  c->limit_ms = limit_ms;
  c->timer.fire = is_dead;
  pq.PQsetnonblocking(opened, 1);
  pq.PQsetNoticeProcessor(opened, note, c);
}

void pq_connection_close(pq_connection *c) {
  if (!c->l) return;
  lose(c, "the connection was closed");
  for (PGnotify *notify; (notify = pq_connection_take(c)) != NULL;)
    pq.PQfreemem(notify);
}
