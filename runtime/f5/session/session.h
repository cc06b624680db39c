/* A session: one device, one user. The C half knows no Lua; session.c makes it a userdata.
 *
 * Lifetime: the userdata and every call keep it (references). It stays in the core's list until its
 * tokens are deleted, also when the script forgot it.
 */
#ifndef F5_SESSION_H
#define F5_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "f5/session/auth.h"
#include "f5/session/call.h"
#include "f5/session/core.h"
#include "fiber/fiber.h"
#include "net/http.h"

#define SESSION_NAME "f5.session"

typedef enum session_phase { SESSION_OPEN, SESSION_CLOSING, SESSION_CLOSED } session_phase;

/* Somebody who waits for the end of a session. */
typedef struct session_waiter session_waiter;
struct session_waiter {
  fiber_wait wait;
  session_waiter *next;
  f5_session *session; /* NULL when it ended */
};

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
  unsigned retries;
  uint64_t delay_ms,
      budget_ms;    /* first pause, and when after its start a call is not tried again */
  bool reached;     /* the device has answered */
  uint64_t wait_ms; /* how long the first login tries a device that is not up; 0 from then on */
  f5_auth auth;
  f5_call *running;
  struct f5_transaction *transactions; /* that are open */
  unsigned last_calls;                 /* that the end waits for, besides the tokens' */
  session_waiter *waiters;
  struct api_status *api_statuses; /* what the device said of its API */
  loop_timer reaper;
  struct {
    uint64_t calls, writes, sent, received;
  } usage;
};

/* -- without Lua (shutdown.c) -- */
f5_session *session_new(f5_core *core); /* one reference, in the core's list; NULL without memory */
f5_session *session_retain(f5_session *session);
void session_release(f5_session *session);
/* Ends it: running calls fail, tokens are deleted. Returns at once; phase becomes SESSION_CLOSED
 * later. */
void session_end(f5_session *session);
/* The script has lost it: it ends from the loop (a finalizer does no network I/O). */
void session_orphan(f5_session *session);
/* auth.c: something ended; is the session closed now? */
void session_step(f5_session *session);
/* Ends all sessions and turns the loop until they are closed, at most so long; then they are
 * abandoned. */
void session_end_all(f5_core *core, unsigned timeout_ms);
void session_abandon_all(f5_core *core);

/* -- Lua: one operation of a fiber (session.c) -- */

/* A call and the fiber that waits for it: a userdata on the stack of the C function that makes the
 * call. */
typedef struct f5_operation {
  f5_call call;
  fiber_wait wait;
  text path; /* when the path is not somebody else's */
  int body;  /* transaction.c: index of the body's table, or 0 */
} f5_operation;

/* Pushes an operation that is not started. */
f5_operation *operation_new(lua_State *L, f5_session *session, const char *method,
                            const char *path);
/* Starts it and waits; `finish` gets the operation as its context. A GET, HEAD or OPTIONS. */
int session_read(lua_State *L, f5_operation *op, lua_KFunction finish);
/* The same for every call that changes a device. All of them come through here. body: index of a
 * table, or 0. */
int session_write(lua_State *L, f5_operation *op, int body, lua_KFunction finish);
/* In `finish`: raises the error of a failed call; else pushes the decoded answer (nil if there is
 * none) and frees it.
 */
void operation_result(lua_State *L, f5_operation *op);
/* finish: the answer is the one result. */
int operation_answer(lua_State *L, int status, lua_KContext context);

/* The open session at index, or a usage error. */
f5_session *session_check(lua_State *L, int index);
/* Raises a usage error if the session is closed. */
void session_check_open(lua_State *L, const f5_session *session);
/* Pushes the userdata, empty; returns where it keeps its session, whose reference it takes over. */
f5_session **session_push(lua_State *L);
/* Makes the metatables; pushes the table of methods, which Lua parts add to. */
void session_setup(lua_State *L);

/* Lua: set_password(session, string or secret). What the session logs in with from now on. */
int session_lua_set_password(lua_State *L);

/* -- Lua (connect.c) -- */
/* connect(options) -> session, logged in */
int session_lua_connect(lua_State *L);
/* preset{host, port, ca, username, password}: where f5.connect goes in a simulated run; nil ends it
 */
int session_lua_preset(lua_State *L);

#endif
