/* The log on stderr. Every exchange with a device passes log_exchange.
 *
 * -v:  bigip1 GET /mgmt/tm/ltm/pool 200 1534 bytes 12 ms
 * -vv: the same with both bodies, masked.  JSON: one object per line.
 */
#ifndef F5_LOG_H
#define F5_LOG_H

#include "f5/session/session.h"
#include "net/http.h"

/* Sets a function to call before each line of the log is written, so that a console can clear its
 * prompt; NULL: none. */
void f5_log_set_before(void (*before)(void));
/* Logs an exchange that has ended. attempt: counts from 1. */
void log_exchange(const f5_session *session, const http_request *request, unsigned attempt);
/* Logs a masked line about a session, at level 1 and above. */
void log_note(const f5_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Like log_note, for warnings that users must see without -v; only level -1 silences it. */
void log_warning(const f5_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
