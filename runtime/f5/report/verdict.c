#include "f5/report/verdict.h"

#include <stdint.h>
#include <string.h>

typedef enum body_form { ANY, JSON, OTHER } body_form; /* OTHER: HTML, text, empty */

typedef struct rule {
  long status; /* 0: any; 1 to 9: the whole class */
  body_form form;
  int64_t api_error;   /* 0: any */
  const char *pattern; /* a substring of the message; NULL: any; "": the message is empty */
  f5_kind kind;
  f5_retry retry;
  bool unknown;
} rule;

/* The first match counts. If a device reports that it does not know the path, is restarting or is
 * busy, it has done nothing, so a write may be retried. If the connection was lost in the middle,
 * it may have done everything. */
static const rule rules[] = {
    /* with any status */
    {0, JSON, 32964609, NULL, KIND_BUSY, RETRY_ALWAYS, false},
    {0, JSON, 0, "active asynchronous task", KIND_BUSY, RETRY_ALWAYS, false},
    {0, JSON, 32768001, NULL, KIND_NOT_READY, RETRY_READ, true},
    {0, JSON, 0, "connection to mcpd has been lost", KIND_NOT_READY, RETRY_READ, true},
    {0, JSON, 0, "an't get object count from mcpd", KIND_NOT_READY, RETRY_READ, true},
    {0, JSON, 0, "transaction failed:", KIND_TRANSACTION, RETRY_NEVER, false},
    {0, JSON, 0, "no command to commit in the transaction", KIND_TRANSACTION, RETRY_NEVER, false},
    {0, JSON, 0, "Found invalid command id", KIND_TRANSACTION, RETRY_NEVER, false},
    {0, JSON, 0, "is not allowed to be added to transaction", KIND_TRANSACTION, RETRY_NEVER, false},

    {400, JSON, 0, "TimeoutException", KIND_TIMEOUT, RETRY_NEVER, true},
    {400, JSON, 0, "remoteSender:", KIND_TIMEOUT, RETRY_NEVER, true},
    {400, JSON, 0, "maximum active login tokens", KIND_AUTH, RETRY_NEVER, false},
    {400, JSON, 0, "loginProviderName is invalid", KIND_AUTH, RETRY_NEVER, false},
    {400, JSON, 0, "loginReference is invalid", KIND_AUTH, RETRY_NEVER, false},
    {400, ANY, 0, NULL, KIND_INVALID, RETRY_NEVER, false},

    /* F5's guide uses 401 for missing rights too; a new token does not help then */
    {401, JSON, 0, "assword expired", KIND_AUTH, RETRY_NEVER, false}, /* nor here */
    {401, JSON, 0, "Authorization failed: user=", KIND_FORBIDDEN, RETRY_NEVER, false},
    {401, ANY, 0, NULL, KIND_AUTH, RETRY_LOGIN, false},
    {403, ANY, 0, NULL, KIND_FORBIDDEN, RETRY_NEVER, false},

    {404, JSON, 0, "not registered", KIND_NOT_READY, RETRY_ALWAYS, false},
    {404, JSON, 0, "", KIND_NOT_READY, RETRY_ALWAYS, false},
    {404, JSON, 0, NULL, KIND_NOT_FOUND, RETRY_NEVER, false},
    {404, OTHER, 0, NULL, KIND_UNSUPPORTED, RETRY_NEVER,
     false}, /* from the web server in front, which has no REST service */

    {405, ANY, 0, NULL, KIND_UNSUPPORTED, RETRY_NEVER, false},
    {408, ANY, 0, NULL, KIND_TIMEOUT, RETRY_READ, true},
    {409, ANY, 0, NULL, KIND_CONFLICT, RETRY_NEVER, false},
    {410, ANY, 0, NULL, KIND_NOT_FOUND, RETRY_NEVER, false},
    {412, ANY, 0, NULL, KIND_CONFLICT, RETRY_NEVER, false},
    {429, ANY, 0, NULL, KIND_BUSY, RETRY_ALWAYS, false},
    {4, ANY, 0, NULL, KIND_INVALID, RETRY_NEVER, false},

    {500, JSON, 0, "Configuration error", KIND_INVALID, RETRY_NEVER, false},
    {500, JSON, 3, NULL, KIND_INVALID, RETRY_NEVER, false},
    {501, ANY, 0, NULL, KIND_UNSUPPORTED, RETRY_NEVER, false},
    {502, ANY, 0, NULL, KIND_TRANSPORT, RETRY_READ, true},
    {503, ANY, 0, NULL, KIND_NOT_READY, RETRY_ALWAYS, false},
    {504, ANY, 0, NULL, KIND_TRANSPORT, RETRY_READ, true},
    {5, ANY, 0, NULL, KIND_PROTOCOL, RETRY_READ, false},

    {0, ANY, 0, NULL, KIND_PROTOCOL, RETRY_NEVER,
     false}, /* 1xx, 3xx: not used by the REST service */
};

static bool has_pattern(const char *message, const char *pattern) {
  if (!pattern) return true;
  return *pattern ? strstr(message, pattern) != NULL : *message == '\0';
}

f5_verdict verdict_of(long status, bool json, int64_t api_error, const char *message) {
  const rule *r = rules;
  for (;; r++) { /* the last rule matches everything */
    if (r->status && r->status != status && r->status != status / 100) continue;
    if (r->form != ANY && (r->form == JSON) != json) continue;
    if (r->api_error && r->api_error != api_error) continue;
    if (!has_pattern(message, r->pattern)) continue;
    return (f5_verdict){r->kind, r->retry, r->unknown};
  }
}
