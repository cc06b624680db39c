/* How an exchange can fail. */
#ifndef NET_HTTP_FAILURE_H
#define NET_HTTP_FAILURE_H

#include <stdbool.h>

typedef enum http_failure {
  HTTP_OK,         /* there is an answer, with any status */
  HTTP_RESOLVE,    /* the name was not found */
  HTTP_CONNECT,    /* refused or unreachable */
  HTTP_PROXY,      /* the proxy refuses to connect: `status` is its answer; 0: not reached */
  HTTP_TLS,        /* handshake, certificate or pin */
  HTTP_TIMEOUT,    /* a time limit: connecting, or the whole exchange */
  HTTP_BROKEN,     /* the connection ended too early, or the answer is not HTTP */
  HTTP_UNREADABLE, /* an answer came but cannot be read: its header is too long */
  HTTP_TOO_LARGE,  /* the answer is larger than body_limit */
  HTTP_FILE,       /* a local file could not be read or written */
  HTTP_CANCELLED,
  HTTP_UNRECORDED, /* a function answers for the server, and has no answer */
  HTTP_INTERNAL    /* out of memory, or libcurl refused an option; `sent` may be true */
} http_failure;

const char *http_failure_name(http_failure failure);
/* What a CURLcode means. started: whether the request was being sent. */
http_failure http_failure_of(int code, bool started);

#endif
