/* One call to a device, including login and retries: it gets a token if needed, sends the request
 * and checks the answer. Failures that may be retried are, with growing pauses, until the call
 * succeeds or the attempts or the time are used up.
 *
 * A state machine driven by callbacks of the loop, independent of Lua and of fibers. The owner
 * embeds it.
 *
 *   call_init(&op->call, session, "GET", "/mgmt/tm/sys/version");
 *   op->call.done = wake_fiber;  op->call.owner = op;
 *   call_start(&op->call);      -- done is called later, once
 *   call_clear(&op->call);      -- at any time; ends the call without done
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

struct f5_exchange;
struct f5_session;
struct f5_token;

typedef enum call_state {
  CALL_IDLE,
  CALL_WAITS_FOR_TOKEN,
  CALL_SENT,
  CALL_PAUSES,
  CALL_PROBES, /* finds out why the device does not know the path */
  CALL_ENDS,
  CALL_DONE
} call_state;

typedef struct f5_call f5_call;
struct f5_call {
  http_request
      http; /* the owner sets method, path, body, sinks and limits; call.c sets the headers */
  struct f5_session *session;
  const char *coordination; /* header line of a transaction, or NULL */
  const char *content_type; /* header line; NULL: JSON when there is a body */
  const char *const
      *headers;  /* further header lines, NULL at the end; at most CALL_HEADERS - 5; may be NULL */
  bool write;    /* not retried unless the device has certainly done nothing */
  bool internal; /* login and logout: sent without the session's token, also while it closes */
  bool only_login;      /* ends when the session has a token; sends nothing */
  bool any_status;      /* every answer counts as success (raw requests) */
  bool own_check;       /* the owner judges what a success holds (the login) */
  bool once;            /* never retried */
  bool quiet;           /* neither logged nor counted: queries of the console itself */
  bool harmless;        /* the script says that this write changes nothing: not counted as one */
  bool repeatable;      /* a write that may be retried: twice has the same effect as once */
  uint64_t wait_budget; /* ms to retry while the device starts; 0: no special limit */
  bool last;            /* may be sent, and end, while the session closes */
  void (*arrived)(
      f5_call *call); /* called when an answer arrived, before it is logged; may be NULL */
  void (*done)(f5_call *call);
  void *owner;

  /* -- result -- */
  f5_failure failure; /* kind KIND_NONE: success, the answer is in http */
  unsigned attempts;

  /* -- private to call.c, login.c and token.c -- */
  call_state state;
  struct f5_token *token; /* sent with the request */
  bool renewed;           /* the one retry with a new token was made */
  struct f5_probe *probe; /* started once; NULL before */
  uint64_t began;
  loop_timer timer;
  f5_call *next, **link; /* in the session's running calls */
  f5_call *next_waiter;  /* in the calls that wait for a token */
  const char *lines[CALL_HEADERS];
  char *line; /* of the script, if somebody observes exchanges; owned, may be NULL */
  struct f5_exchange *exchange; /* that has ended; what follows is not known yet; or NULL */
};

/* Also for a call that was cleared. Holds the session until call_clear. The owner keeps the strings
 * until then. */
void call_init(f5_call *call, struct f5_session *session, const char *method, const char *path);
/* Starts it, or starts it again after done (next page, next chunk) with changed fields. */
void call_start(f5_call *call);
/* Ends it without calling done and frees the result. */
void call_clear(f5_call *call);
/* Ends it without calling done. Returns whether the device may have received the last attempt. */
bool call_stop(f5_call *call);
/* Ends it, calling done, with a copy of this failure. The outcome of a write that was sent is
 * unknown then. */
void call_fail(f5_call *call, const f5_failure *failure);
/* For login.c: the session has a token, or (failure) will not get one. */
void call_authorized(f5_call *call, const f5_failure *failure);
/* Pushes the error object of a failed call. */
void call_push_error(lua_State *L, const f5_call *call);

#endif
