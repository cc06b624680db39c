/* A failed call, without Lua: what is known of it, from the device's answer or its absence. */
#ifndef F5_FAILURE_H
#define F5_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "f5/report/verdict.h"
#include "net/http.h"

/* What is known of a failed call. Strings are owned. */
typedef struct f5_failure f5_failure;
struct f5_failure {
  f5_verdict verdict;
  long status;             /* 0: no answer */
  int64_t code, api_error; /* of the body; 0 if it has none */
  char *message;           /* masked */
  char *error_stack;       /* the JSON array as text, masked; NULL if absent or empty */
  unsigned attempts;       /* 0: those of the call */
  bool passing;            /* a device that is not up yet does so: wait may help */
  char *method, *path;     /* only when not those of the call itself */
  f5_failure *cause;       /* owned */
};

/* Fills the failure (cleared before) from an answer that is no success. `body` may be anything. */
void failure_from_answer(f5_failure *failure, long status, const char *body, size_t length);
/* … from an exchange that brought no answer. `where` is "host:port", `write` whether the call
 * changes the device, `reached` whether this device has ever answered: before that, a wrong name,
 * port or certificate is a mistake and not a moment's trouble. */
void failure_from_transport(f5_failure *failure, const http_request *request, const char *where,
                            bool write, bool reached);
/* … from an answer that points elsewhere (3xx), which is never followed: password and token would
 * go there. `location` is what it names, "" if nothing. */
void failure_from_redirect(f5_failure *failure, long status, const char *location,
                           const char *where);
/* … from words of our own. */
void failure_set(f5_failure *failure, f5_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts words of ours before the message. */
void failure_prefix(f5_failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void failure_copy(f5_failure *to, const f5_failure *from);
void failure_clear(f5_failure *failure);

#endif
