/* A session: one device, one user. Independent of Lua; session_lua.c makes it a userdata.
 *
 * Lifetime: the userdata and every call hold a reference. It stays in the core's list until its
 * tokens are deleted, even if the script no longer refers to it.
 */
#ifndef F5_SESSION_H
#define F5_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "f5/report/api_status.h"
#include "f5/session/core.h"
#include "f5/session/credentials.h"
#include "fiber/fiber_event.h"
#include "net/http.h"

struct f5_call;

typedef enum session_phase { SESSION_OPEN, SESSION_CLOSING, SESSION_CLOSED } session_phase;

/* How the calls of a session are authenticated: the interface of login.c for call.c and session.c,
 * because login.c makes calls itself. */
typedef struct session_auth {
  /* True: the call can be sent; call->token is set if needed. False: call_authorized will be
   * called. */
  bool (*prepare)(struct f5_call *call);
  /* The header line for this call; NULL: none. */
  const char *(*header)(const struct f5_call *call);
  /* The call that held the token has ended. */
  void (*release)(struct f5_call *call);
  /* The device rejected the call's token. Returns whether a new one may help. */
  bool (*renewable)(struct f5_call *call);
  /* Removes a call that ends early from the waiting calls. */
  void (*forget)(struct f5_call *call);
  /* Returns whether nothing is in progress and nothing is left to delete. */
  bool (*ended)(const f5_session *session);
  void (*destroy)(f5_session *session);
} session_auth;

/* How a failed call finds out whether its path exists: the interface of probe.c for call.c, because
 * probe.c makes calls itself. */
typedef struct session_probe {
  /* Returns whether the device does not know the path of this failed call. */
  bool (*wanted)(const struct f5_call *call);
  /* Starts the probe; `done` is called later, once. If the path is a mistake, the call's failure is
   * then of kind KIND_NOT_FOUND. NULL if there is not enough memory. */
  struct f5_probe *(*start)(struct f5_call *call, void (*done)(struct f5_call *call));
  /* Ends it without calling `done`. */
  void (*stop)(struct f5_probe *probe);
  /* Ends and frees it. */
  void (*free)(struct f5_probe *probe);
} session_probe;

struct f5_session {
  f5_core *core;
  f5_session *next, **link; /* in the core's list; link is NULL outside of it */
  unsigned references;
  uint64_t serial; /* 1 for the first of the state */
  session_phase phase;
  http_peer *peer;
  char *label; /* the name of the device in messages */
  char *where; /* "host:port" */
  char *ver;   /* value of ?ver= for every call, or NULL */
  long timeout_ms;
  uint64_t body_limit; /* bytes of an answer, also of one that goes to a file */
  unsigned retries;
  uint64_t delay_ms,
      budget_ms;     /* first pause, and how long after its start a call may be retried */
  bool recorded;     /* record.c: writes are shown to a recorder; its address is the key of it */
  bool reached;      /* the device has answered */
  bool replayed;     /* its answers come from a recording: there is nothing to wait for */
  bool read_only;    /* sends nothing but GET, its login and what concerns its own token */
  uint64_t lease_ms; /* the end of its lease, by session_boot_time(); 0: it has none */
  uint64_t wait_ms;  /* how long the first login is retried while the device starts; then 0 */
  f5_credentials credentials;
  const session_auth *auth;   /* NULL until login_attach */
  struct f5_login *login;     /* its state */
  const session_probe *probe; /* NULL until probe_attach */
  struct f5_call *running;
  struct f5_transaction *transactions; /* open transactions */
  unsigned begins;     /* whose fiber was cancelled; their transactions are being removed */
  unsigned last_calls; /* calls that closing waits for, besides the tokens' */
  fiber_event closed;
  api_status *api_statuses; /* from X-F5-Api-Status */
  loop_timer reaper;
  struct {
    uint64_t calls, writes, sent, received;
  } usage;
};

f5_session *
session_new(f5_core *core); /* one reference, in the core's list; NULL if memory is short */
f5_session *session_retain(f5_session *session);
void session_release(f5_session *session);
/* Milliseconds of a clock that goes on while the machine sleeps. */
uint64_t session_boot_time(void);
/* Closes a closing session if nothing is left to do. */
void session_step(f5_session *session);
/* Closes it, whatever is left: removes it from the core's list and wakes its waiters. */
void session_closed(f5_session *session);

#endif
