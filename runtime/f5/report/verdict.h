/* The one table that maps an answer of the device to a kind of error and to a retry rule.
 */
#ifndef F5_VERDICT_H
#define F5_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "f5/report/error_kinds.h"

typedef enum f5_retry {
  RETRY_NEVER,
  RETRY_READ,   /* retry reads only; a write may have been carried out */
  RETRY_ALWAYS, /* the device has certainly done nothing */
  RETRY_LOGIN   /* retry once, with a new token */
} f5_retry;

typedef struct f5_verdict {
  f5_kind kind;
  f5_retry retry;
  bool unknown; /* a write may have been carried out; the message reports it */
} f5_verdict;

/* For an answer with an error status; message and api_error come from a JSON body. */
f5_verdict verdict_of(long status, bool json, int64_t api_error, const char *message);

#endif
