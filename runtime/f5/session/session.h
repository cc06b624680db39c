/* A session: one device, one user. Knows no Lua; session_lua.c makes it a userdata.
 *
 * Lifetime: the userdata and every call keep it (references). It stays in the core's list until its
 * tokens are deleted, also when the script forgot it.
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

/* How the calls of a session are authenticated: what call.c and session.c need of login.c, which
 * makes calls itself. */
typedef struct session_auth {
  /* True: call->token is set as far as needed, send it. False: call_authorized will be called. */
  bool (*prepare)(struct f5_call *call);
  /* The header line for this call; NULL: none. */
  const char *(*header)(const struct f5_call *call);
  /* The call that had its token has ended. */
  void (*release)(struct f5_call *call);
  /* The device refused the call's token. Whether a new one may help. */
  bool (*renewable)(struct f5_call *call);
  /* Takes a call that ends early out of the line. */
  void (*forget)(struct f5_call *call);
  /* Nothing under way and nothing left to delete. */
  bool (*ended)(const f5_session *session);
  void (*destroy)(f5_session *session);
} session_auth;

struct f5_session {
  f5_core *core;
  f5_session *next, **link; /* in the core's list; link NULL when not in it */
  unsigned references;
  session_phase phase;
  http_peer *peer;
  char *label; /* how messages name the device */
  char *where; /* "host:port" */
  char *ver;   /* NULL, or what every call asks for */
  long timeout_ms;
  uint64_t body_limit; /* bytes of an answer, also of one that goes to a file */
  unsigned retries;
  uint64_t delay_ms,
      budget_ms;    /* first pause, and when after its start a call is not tried again */
  bool reached;     /* the device has answered */
  uint64_t wait_ms; /* how long the first login tries a device that is not up; 0 from then on */
  f5_credentials credentials;
  const session_auth *auth; /* NULL until login_attach */
  struct f5_login *login;   /* its state */
  struct f5_call *running;
  struct f5_transaction *transactions; /* that are open */
  unsigned last_calls;                 /* that the end waits for, besides the tokens' */
  fiber_event closed;
  api_status *api_statuses; /* what the device said of its API */
  loop_timer reaper;
  struct {
    uint64_t calls, writes, sent, received;
  } usage;
};

f5_session *session_new(f5_core *core); /* one reference, in the core's list; NULL without memory */
f5_session *session_retain(f5_session *session);
void session_release(f5_session *session);
/* Something ended; is the session, which is closing, closed now? */
void session_step(f5_session *session);
/* It is closed, whatever is left: it leaves the core's list, and who waits for it goes on. */
void session_closed(f5_session *session);

#endif
