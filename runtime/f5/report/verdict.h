/* The one table that maps an answer of the device to a kind of error and to "may be tried again".
 */
#ifndef F5_VERDICT_H
#define F5_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "f5/report/error_kinds.h"

typedef enum f5_again {
  AGAIN_NEVER,
  AGAIN_READ,   /* a read may be repeated; a write may have been carried out */
  AGAIN_ALWAYS, /* the device certainly did nothing */
  AGAIN_LOGIN   /* with a new token, once */
} f5_again;

typedef struct f5_verdict {
  f5_kind kind;
  f5_again again;
  bool unknown; /* a write may have been carried out: the message says so */
} f5_verdict;

/* Of an answer that is no success; message and api_error are those of a JSON body. */
f5_verdict verdict_of(long status, bool json, int64_t api_error, const char *message);

#endif
