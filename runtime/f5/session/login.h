/* Login by token: one login serves all calls of the session that wait for it; the token is renewed
 * before its end, and deleted when the session ends. */
#ifndef F5_LOGIN_H
#define F5_LOGIN_H

#include <stdbool.h>

#include "f5/session/call.h"

struct f5_session;

/* Authenticates the calls of this session with its credentials from now on. Sends nothing before
 * the first call. False if there is not enough memory. */
bool login_attach(struct f5_session *session);
/* Returns whether this is the session's login, in a pause between two attempts. */
bool login_pauses(const struct f5_session *session, const f5_call *call);
/* Deletes every valid token of the session; session_step is called when the last one is gone. */
void login_end(struct f5_session *session);
/* Warns about each token that will not be deleted because the session is abandoned. */
void login_report_left(const struct f5_session *session);
/* Seconds until the current token expires; false if there is none. */
bool login_remaining(const struct f5_session *session, double *seconds);

#endif
