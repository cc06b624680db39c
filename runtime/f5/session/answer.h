/* Whether a success (2xx) can be an answer of the REST service at all. A web server in front of it,
 * or a connection that was cut, may say 200 with nothing, with a page, or with half of the JSON:
 * then nothing is known of what was asked.
 *
 * Without a body: what is deleted, unless in a transaction (the queued command is the answer); a
 * write that is answered with 204; PATCH of a user, of which F5's guide promises a 200 alone; and
 * below /mgmt/shared a GET with 204 (AS3 without a declaration). Everything else is JSON. */
#ifndef F5_ANSWER_H
#define F5_ANSWER_H

#include <stdbool.h>

#include "f5/report/failure.h"
#include "net/http.h"

typedef enum answer_to { ANSWER_TO_READ, ANSWER_TO_WRITE, ANSWER_TO_QUEUED_WRITE } answer_to;

/* Fills the failure (cleared before) if it cannot be one. */
void answer_check(f5_failure *failure, const http_request *http, answer_to what);

#endif
