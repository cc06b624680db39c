/* One call to a device, from the wish to the result: a token is there or is fetched, the request
 * goes out, the answer is judged, and what can be tried again is, with growing pauses, until it
 * succeeded or attempts or time are used up.
 *
 * A state machine over callbacks of the loop: it needs no Lua and no fiber. The owner embeds it.
 *
 *   call_init(&op->call, session, "GET", "/mgmt/tm/sys/version");
 *   op->call.done = wake_fiber;  op->call.owner = op;
 *   call_start(&op->call);      -- done is called later, once
 *   call_clear(&op->call);      -- at any time; ends it without done
 */
#ifndef F5_CALL_H
#define F5_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "f5/report/failure.h"
#include "net/http.h"
#include "net/loop.h"

#define CALL_HEADERS 12

struct f5_session;
struct f5_token;

typedef enum call_state {
  CALL_IDLE,
  CALL_WAITS_FOR_TOKEN,
  CALL_SENT,
  CALL_PAUSES,
  CALL_LOOKS, /* what the path is that the device does not know */
  CALL_ENDS,
  CALL_DONE
} call_state;

typedef struct f5_call f5_call;
struct f5_call {
  http_request
      http; /* method, path, body, sinks and limits are the owner's to set; headers are ours */
  struct f5_session *session;
  const char *coordination; /* header line of a transaction, or NULL */
  const char *content_type; /* header line; NULL: JSON when there is a body */
  const char *const
      *headers;  /* further header lines, NULL at the end; at most CALL_HEADERS - 5; may be NULL */
  bool write;    /* not repeated unless the device certainly did nothing */
  bool internal; /* login and logout: without the session's token, also while it closes */
  bool only_login;   /* ends when the session has a token; nothing is sent */
  bool any_status;   /* every answer is a success (raw requests) */
  bool own_check;    /* the owner judges what a success holds (the login) */
  bool once;         /* never repeated */
  bool quiet;        /* neither logged nor counted: a console's own looks at the device */
  bool repeatable;   /* a write that may be repeated: twice is the same as once */
  uint64_t patience; /* ms that a device may take to come up; it is tried until then. 0: does not
                        matter */
  bool last;         /* sent while the session was open, it may end while it closes */
  void (*arrived)(f5_call *call); /* an answer is there, before it is logged; may be NULL */
  void (*done)(f5_call *call);
  void *owner;

  /* -- result -- */
  f5_failure failure; /* kind KIND_NONE: success, the answer is in http */
  unsigned attempts;

  /* -- private to call.c, login.c and token.c -- */
  call_state state;
  struct f5_token *token; /* that went with the request */
  bool renewed;           /* had its one new token */
  struct f5_probe *probe; /* what the path is; asked once, NULL before */
  uint64_t began;
  loop_timer timer;
  f5_call *next, **link; /* of the session's running calls */
  f5_call *next_waiter;  /* of those that wait for a token */
  const char *lines[CALL_HEADERS];
};

/* Also of a call that was cleared. Keeps the session until call_clear. The strings are the owner's
 * until then. */
void call_init(f5_call *call, struct f5_session *session, const char *method, const char *path);
/* Starts it, or starts it again after done (next page, next chunk) with the fields that changed. */
void call_start(f5_call *call);
/* Ends it without done and frees the result. */
void call_clear(f5_call *call);
/* Ends it, with done, as failed for this reason (copied). */
void call_fail(f5_call *call, const f5_failure *failure);
/* login.c: the session has a token, or (failure) will not get one. */
void call_authorized(f5_call *call, const f5_failure *failure);
/* Pushes the error object of a failed call. */
void call_push_error(lua_State *L, const f5_call *call);

#endif
