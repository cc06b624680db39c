/* How sessions end: running calls fail, open transactions are abandoned, tokens are deleted. */
#ifndef F5_SHUTDOWN_H
#define F5_SHUTDOWN_H

#include "f5/session/session.h"

/* Starts to close the session and returns at once; its phase becomes SESSION_CLOSED later. */
void session_end(f5_session *session);
/* For a session that was garbage collected: closes it from the loop, because a finalizer must not
 * do network I/O. */
void session_orphan(f5_session *session);
/* Closes all sessions and runs the loop until they are closed. Sessions that are open after the
 * timeout are abandoned. */
void session_end_all(f5_core *core, unsigned timeout_ms);
/* Closes all sessions without network traffic, and warns about each token that remains valid. */
void session_abandon_all(f5_core *core);

#endif
