/* A transaction, independent of Lua: its lifetime, its keep-alive, and how it is abandoned.
 *
 * References: one is held by the userdata, one by the session's list of open transactions. Its own
 * call (one at a time) is a call that no fiber waits for.
 */
#ifndef F5_TRANSACTION_STATE_H
#define F5_TRANSACTION_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "f5/session/call.h"
#include "f5/session/session.h"
#include "fiber/fiber_event.h"

#define TRANSACTION_MAX 64

/* What its own call is doing. */
typedef enum step { STEP_NONE, STEP_ADD, STEP_REMOVE, STEP_BEGIN, STEP_ABANDON } step;

typedef struct f5_transaction f5_transaction;
struct f5_transaction {
  f5_session *session;
  f5_transaction *next, **link; /* in the session's open ones, which hold a reference */
  unsigned references;
  bool open; /* on the device, as far as is known */
  bool held; /* no keep-alive for now */
  bool committing;
  bool late; /* the fiber that began it was cancelled before the answer */
  step step;
  int64_t id;
  int64_t timeout, execution_timeout; /* seconds, from the device */
  bool validates;                     /* the device supports validateOnly */
  char header[TRANSACTION_MAX], path[TRANSACTION_MAX], command[2 * TRANSACTION_MAX];
  uint64_t keep_ms; /* 0: no keep-alive */
  loop_timer timer;
  f5_call call;
  unsigned started,
      answered; /* commands that were sent; that the device has certainly queued or rejected */
  const char *last_method; /* the last command, for the keep-alive; NULL: none is left */
  char *last_path, *last_body;
  size_t last_length;
  fiber_event settled; /* its own call has ended */
};

/* Returns an open transaction in the session's list, with two references and no timer running. NULL
 * if there is not enough memory. */
f5_transaction *transaction_new(f5_session *session, int64_t id);
void transaction_release(f5_transaction *tx);
/* It no longer exists on the device, or does not matter any more. */
void transaction_ended(f5_transaction *tx);
/* The session no longer waits for a begin that was cancelled, or for its transaction. */
void transaction_late_ended(f5_session *session);
/* Deletes it on the device without any change. Does nothing if it is not open. */
void transaction_abandon(f5_transaction *tx);
/* For a transaction that was garbage collected: abandons it from the loop, because a finalizer must
 * not do network I/O. */
void transaction_orphan(f5_transaction *tx);
/* Restarts the time of the keep-alive, if there is one. */
void transaction_restart_timer(f5_transaction *tx);
/* Sets the last command, for the keep-alive; NULL: there is none. Does nothing while the keep-alive
 * sends an older one. */
void transaction_set_last(f5_transaction *tx, const http_request *request);
/* Abandons every open transaction of a session that closes, while its token is still valid. */
void transaction_end_all(f5_session *session);
/* Removes them without a call. */
void transaction_drop_all(f5_session *session);

#endif
