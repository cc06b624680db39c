/* One operation of a fiber: every call from a script to a device is made through this interface. */
#ifndef F5_OPERATION_H
#define F5_OPERATION_H

#include <lua.h>

#include "base/text.h"
#include "f5/session/call.h"
#include "f5/session/session.h"
#include "fiber/fiber.h"

/* What came of a write whose fiber was cancelled. */
typedef enum operation_cut {
  CUT_NONE,
  CUT_UNKNOWN, /* the device may have received it */
  CUT_UNSENT,  /* it was not sent: it was queued, or there was no connection yet */
  CUT_REFUSED  /* the device had refused it, and it was not sent again */
} operation_cut;

/* A call and the fiber that waits for it: a userdata on the stack of the C function that makes the
 * call. */
typedef struct f5_operation {
  f5_call call;
  fiber_wait wait;
  operation_cut cut;
  text cut_off; /* which write with an unknown outcome that was, see cut_off.h */
  text path;    /* if the operation owns the path */
  int body;     /* of a creation or a command of a transaction: index of the body's table, or 0 */
  int write;    /* of a recorded write: index of the recorder's table */
  f5_session *recorded; /* of a recorded write that was cancelled; or NULL */
  lua_KFunction finish; /* of a recorded write: what follows the recorder */
} f5_operation;

/* Pushes an operation that is not started yet. */
f5_operation *operation_new(lua_State *L, f5_session *session, const char *method,
                            const char *path);
/* Starts a GET, HEAD or OPTIONS and waits; `finish` gets the operation as its context. */
int operation_read(lua_State *L, f5_operation *op, lua_KFunction finish);
/* The same for every call that changes a device. body: index of a table, or 0. */
int operation_write(lua_State *L, f5_operation *op, int body, lua_KFunction finish);
/* In `finish`: raises the error of a failed call; else pushes the decoded answer (nil if there is
 * none) and frees it.
 */
void operation_result(lua_State *L, f5_operation *op);
/* In `finish`: raises an error of kind "protocol" for an answer that is JSON and still not what was
 * asked for; the outcome of a write is unknown then. */
void operation_refuse(lua_State *L, f5_operation *op, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* finish: the answer is the one result. */
int operation_answer(lua_State *L, int status, lua_KContext context);

void operation_setup(lua_State *L); /* creates the metatable; leaves the stack unchanged */

#endif
