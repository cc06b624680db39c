/* The one observer that every exchange with a device passes, and the log on stderr.
 *
 * -v:  bigip1 GET /mgmt/tm/ltm/pool 200 1534 bytes 12 ms
 * -vv: the same with both bodies, masked.  JSON: one object a line.
 */
#ifndef F5_LOG_H
#define F5_LOG_H

#include "f5/session/call.h"
#include "f5/session/core.h"

void log_exchange_start(const f5_call *call);
void log_exchange_end(const f5_call *call);
/* A line of our own about a session, from level 1 on. Masked. */
void log_note(const f5_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for what a user must know although nobody asked for a log; level -1 silences it, too. */
void log_warning(const f5_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
