/* What went wrong: the one table that maps an answer of the device, or its absence, to a kind and
 * to "may be tried again", and the error objects that scripts see.
 */
#ifndef F5_ERROR_H
#define F5_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "net/http.h"

typedef enum f5_kind {
  KIND_NONE,
  KIND_NOT_FOUND,
  KIND_CONFLICT,
  KIND_INVALID,
  KIND_AUTH,
  KIND_FORBIDDEN,
  KIND_UNSUPPORTED,
  KIND_NOT_READY,
  KIND_BUSY,
  KIND_TIMEOUT,
  KIND_TRANSPORT,
  KIND_TLS,
  KIND_TRANSACTION,
  KIND_TASK,
  KIND_TRANSFER,
  KIND_CANCELLED,
  KIND_PROTOCOL,
  KIND_USAGE,
  KIND_COUNT
} f5_kind;

typedef enum f5_again {
  AGAIN_NEVER,
  AGAIN_READ,   /* a read may be repeated; a write may have been carried out */
  AGAIN_ALWAYS, /* the device certainly did nothing */
  AGAIN_LOGIN   /* with a new token, once */
} f5_again;

typedef struct f5_verdict {
  f5_kind kind;
  f5_again again;
  bool unknown; /* a write may have been carried out: the message says so */
} f5_verdict;

/* What is known of a failed call. Strings are owned. */
typedef struct f5_failure f5_failure;
struct f5_failure {
  f5_verdict verdict;
  long status;             /* 0: no answer */
  int64_t code, api_error; /* of the body; 0 if it has none */
  char *message;           /* masked */
  char *error_stack;       /* the JSON array as text, masked; NULL if absent or empty */
  unsigned attempts;       /* 0: those of the call */
  bool passing;            /* a device that is not up yet does so: wait may help */
  char *method, *path;     /* only when not those of the call itself */
  f5_failure *cause;       /* owned */
};

const char *error_kind_name(f5_kind kind);

/* Fills the failure (cleared before) from an answer that is no success. `body` may be anything. */
void error_from_answer(f5_failure *failure, long status, const char *body, size_t length);
/* … from an exchange that brought no answer. `where` is "host:port", `write` whether the call
 * changes the device, `reached` whether this device has ever answered: before that, a wrong name,
 * port or certificate is a mistake and not a moment's trouble. */
void error_from_transport(f5_failure *failure, const http_request *request, const char *where,
                          bool write, bool reached);
/* … from an answer that points elsewhere (3xx), which is never followed: password and token would
 * go there. `location` is what it names, "" if nothing. */
void error_from_redirect(f5_failure *failure, long status, const char *location, const char *where);
/* … from words of our own. */
void error_set(f5_failure *failure, f5_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts words of ours before the message. */
void error_prefix(f5_failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void error_copy(f5_failure *to, const f5_failure *from);
void error_clear(f5_failure *failure);

/* -- error objects -- */
typedef struct error_place {
  const char *device, *method, *path; /* masked here; may be NULL */
  unsigned attempts;                  /* 0: not told */
} error_place;

/* Pushes the error object. */
void error_push(lua_State *L, const f5_failure *failure, const error_place *place);
/* The same, and clears the failure, also when there is no memory for the object. */
void error_push_and_clear(lua_State *L, f5_failure *failure, const error_place *place);
/* Raises an error of kind "usage" whose message starts with the place in the script that made the
 * mistake. */
int error_usage(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Raises an error of kind "usage" that says `what` (an option, a method …) is unknown and which
 * known one is nearest. known: names, NULL at the end. */
int error_unknown(lua_State *L, const char *what, const char *name, const char *const *known);
/* Pushes an error object of kind "cancelled"; for fiber_set_cancel_error. */
int error_push_cancelled(lua_State *L);
/* Lua: error_new(table) -> the table as an error object; kind is checked. */
int error_lua_new(lua_State *L);
/* Lua: usage(message) raises a usage error at the script's line. */
int error_lua_usage(lua_State *L);
/* Pushes "playbook.lua:12: ", the innermost line that is the script's own; "" if there is none. */
void error_push_script_line(lua_State *L);
/* Whether the value is an error object. */
bool error_is(lua_State *L, int index);
void error_setup(lua_State *L); /* makes the metatable; leaves the stack as it was */

#endif
