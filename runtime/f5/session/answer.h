/* Checks that a success (2xx) is an answer of the REST service. A web server in front of it, or a
 * broken connection, may send 200 with no body, with a page, or with part of the JSON. Then the
 * result of the call is unknown.
 *
 * These answers may have no body: DELETE, unless it is queued in a transaction; a write that is
 * answered with 204; PATCH of a user, for which F5's guide promises only a 200; and below
 * /mgmt/shared a GET with 204 (AS3 without a declaration). All other answers must be JSON. */
#ifndef F5_ANSWER_H
#define F5_ANSWER_H

#include <stdbool.h>

#include "f5/report/failure.h"
#include "net/http.h"

typedef enum answer_to { ANSWER_TO_READ, ANSWER_TO_WRITE, ANSWER_TO_QUEUED_WRITE } answer_to;

/* Fills the failure (cleared before) if the answer is not valid. */
void answer_check(f5_failure *failure, const http_request *http, answer_to what);

#endif
