/* The one observer that every exchange with a device passes, and the log on stderr.
 *
 * -v:  bigip1 GET /mgmt/tm/ltm/pool 200 1534 bytes 12 ms
 * -vv: the same with both bodies, masked.  JSON: one object a line.
 */
#ifndef F5_LOG_H
#define F5_LOG_H

#include "f5/session/session.h"
#include "net/http.h"

/* Called before each line of the log is written, so that a console can make room for it; NULL:
 * nothing. */
void f5_log_set_before(void (*before)(void));
/* An exchange has ended. attempt: counts from 1. */
void log_exchange(const f5_session *session, const http_request *request, unsigned attempt);
/* A line of our own about a session, from level 1 on. Masked. */
void log_note(const f5_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for what a user must know although nobody asked for a log; level -1 silences it, too. */
void log_warning(const f5_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
