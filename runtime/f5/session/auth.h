/* Who we are for a device: login by token, its lifetime by the device's own clock, renewal, and
 * deletion of our own tokens.
 *
 * One login serves all calls of the session that wait for it. A call holds the token that it went
 * out with, so a token that was replaced is deleted when the last call that carries it has ended.
 */
#ifndef F5_AUTH_H
#define F5_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "f5/report/secret.h"
#include "f5/session/call.h"

typedef enum auth_mode { AUTH_TOKEN, AUTH_BASIC, AUTH_GIVEN } auth_mode;

typedef struct f5_token f5_token;
struct f5_token {
  struct f5_session *session;
  f5_token *next; /* of the session's replaced tokens */
  secret *value, *header, *path;
  uint64_t expires, renew; /* loop_now, milliseconds */
  unsigned users;          /* calls on their way with it */
  bool dead;               /* the device does not know it any more */
  bool deleting;
  f5_call call; /* the deletion */
};

typedef struct f5_auth {
  auth_mode mode;
  char *username, *provider, *login_reference;
  secret *password;
  secret *basic;    /* "Authorization: Basic …" */
  secret *given;    /* "X-F5-Auth-Token: …" that the script brought */
  secret *masked;   /* what of these must not show */
  secret *proxy;    /* its password, which must not show either */
  secret **retired; /* passwords and headers of before: calls on their way may still have them */
  size_t retired_count;
  long token_lifetime; /* seconds; 0: as the device gives it */
  f5_token *token;     /* in force, or NULL */
  f5_token *replaced;
  enum { LOGIN_NONE, LOGIN_SENT, LOGIN_EXTENDS } login;
  bool with_basic; /* the device wants it on the login (12.0) */
  f5_call call;    /* of the login */
  secret *body;
  uint64_t asked;  /* when the login was sent, loop_now */
  f5_token *fresh; /* its lifetime is being extended */
  f5_call *waiters, *last_waiter;
} f5_auth;

/* Makes headers from the password or the given token. False without memory. */
bool auth_init(f5_auth *auth);
/* The user's password is another one from now on. False without memory. */
bool auth_set_password(struct f5_session *session, const char *password, size_t length);
/* True: call->token is set as far as needed, send it. False: call_authorized will be called. */
bool auth_prepare(f5_call *call);
/* The header line for this call; NULL: none. */
const char *auth_header(const f5_call *call);
/* The call that had this token has ended. */
void auth_release(f5_call *call);
/* The device refused the call's token. Whether a new one may help. */
bool auth_renewable(f5_call *call);
/* Takes a call that ends early out of the line. */
void auth_forget(f5_call *call);
/* Deletes every token of the session that is alive; session_step is called when the last one is
 * gone. */
void auth_end(struct f5_session *session);
/* Warns of each token that nobody will delete any more: the session is abandoned. */
void auth_tell_left(const struct f5_session *session);
/* Nothing under way and nothing left to delete. */
bool auth_ended(const struct f5_session *session);
/* Seconds that the token in force has left; false if there is none. */
bool auth_remaining(const struct f5_session *session, double *seconds);
void auth_clear(f5_auth *auth);

#endif
