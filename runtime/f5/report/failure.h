/* The description of a failed call, made from the device's answer or from the transport error.
 * Independent of Lua. */
#ifndef F5_FAILURE_H
#define F5_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "f5/report/verdict.h"
#include "net/http.h"

/* Strings are owned. */
typedef struct f5_failure f5_failure;
struct f5_failure {
  f5_verdict verdict;
  long status;             /* 0: no answer */
  int64_t code, api_error; /* from the body; 0 if it has none */
  char *message;           /* masked */
  char *error_stack;       /* the JSON array as text, masked; NULL if absent or empty */
  char *body;              /* the answer, masked; of a text that is not JSON the start; or NULL */
  unsigned attempts;       /* 0: use the number of the call */
  bool transient;          /* a device that is starting may cause it: waiting may help */
  char *method, *path;     /* set only if they differ from those of the call */
  f5_failure *cause;       /* owned */
};

/* Fills the failure (cleared before) from an answer with an error status. `body` may have any
 * format. */
void failure_from_answer(f5_failure *failure, long status, const char *body, size_t length);
/* Fills it from an exchange without an answer. `where` is "host:port"; `write`: the call changes
 * the device; `reached`: this device has answered before. Until then, a wrong name, port or
 * certificate is taken for a mistake, which a retry does not fix. */
void failure_from_transport(f5_failure *failure, const http_request *request, const char *where,
                            bool write, bool reached);
/* Fills it from a redirect (3xx). Redirects are never followed, because password and token would be
 * sent to the new address. `location` is the value of that header, or "". */
void failure_from_redirect(f5_failure *failure, long status, const char *location,
                           const char *where);
/* Fills it with a message of f5lua's own. */
void failure_set(f5_failure *failure, f5_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prepends text to the message. */
void failure_prefix(f5_failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void failure_copy(f5_failure *to, const f5_failure *from);
void failure_clear(f5_failure *failure);

#endif
