/* Login by token: one login serves all calls of the session that wait for it; the token is renewed
 * before its end, and deleted when the session ends. */
#ifndef F5_LOGIN_H
#define F5_LOGIN_H

#include <stdbool.h>

#include "f5/session/call.h"

struct f5_session;

/* The calls of this session are authenticated from now on, by its credentials. Nothing is sent
 * before the first call. False without memory. */
bool login_attach(struct f5_session *session);
/* Whether this is the session's login, in a pause between two attempts. */
bool login_pauses(const struct f5_session *session, const f5_call *call);
/* Deletes every token of the session that is alive; session_step is called when the last one is
 * gone. */
void login_end(struct f5_session *session);
/* Warns of each token that nobody will delete any more: the session is abandoned. */
void login_tell_left(const struct f5_session *session);
/* Seconds that the token in force has left; false if there is none. */
bool login_remaining(const struct f5_session *session, double *seconds);

#endif
