/* The kinds of failure of an exchange. */
#ifndef NET_HTTP_FAILURE_H
#define NET_HTTP_FAILURE_H

#include <stdbool.h>

typedef enum http_failure {
  HTTP_OK,         /* an answer came, whatever its status */
  HTTP_RESOLVE,    /* name not found */
  HTTP_CONNECT,    /* refused, unreachable, the proxy too */
  HTTP_PROXY,      /* the proxy does not connect us; its answer is in `status` */
  HTTP_TLS,        /* handshake, certificate, pin */
  HTTP_TIMEOUT,    /* connect or total limit */
  HTTP_BROKEN,     /* connection ended or answer was no HTTP, in mid-exchange */
  HTTP_UNREADABLE, /* an answer that came and cannot be taken: its header is too long */
  HTTP_TOO_LARGE,  /* answer over body_limit */
  HTTP_FILE,       /* local file could not be read or written */
  HTTP_CANCELLED,
  HTTP_INTERNAL /* no memory, libcurl refused an option; `sent` may be true */
} http_failure;

const char *http_failure_name(http_failure failure);
/* What a CURLcode of libcurl means; started: whether the request was on its way. */
http_failure http_failure_of(int code, bool started);

#endif
