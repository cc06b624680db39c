/* How sessions end: running calls fail, open transactions are abandoned, tokens are deleted. */
#ifndef F5_SHUTDOWN_H
#define F5_SHUTDOWN_H

#include "f5/session/session.h"

/* Ends it. Returns at once; phase becomes SESSION_CLOSED later. */
void session_end(f5_session *session);
/* The script has lost it: it ends from the loop (a finalizer does no network I/O). */
void session_orphan(f5_session *session);
/* Ends all sessions and turns the loop until they are closed, at most so long; then they are
 * abandoned. */
void session_end_all(f5_core *core, unsigned timeout_ms);
/* Closes all sessions without a call; tokens that stay are told. */
void session_abandon_all(f5_core *core);

#endif
