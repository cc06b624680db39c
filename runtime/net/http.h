/* HTTP/1.1 requests over libcurl's multi interface: bytes in, bytes out; knows nothing of F5 and
 * nothing of Lua.
 *
 * An http_peer says how a server is reached (URL base, TLS, proxy, time limits, parallel limit); an
 * http_request is one exchange with it. The owner fills the request, http_submit starts it, `done`
 * is called once from loop_turn with the result in place, also when it failed. libcurl and OpenSSL
 * are initialised by the first http_submit.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"

typedef struct http_peer http_peer; /* reference-counted, opaque */

/* All strings are copied; NULL or 0 means the default. */
typedef struct http_peer_options {
  const char *base; /* "https://bigip1.example.net:443" */
  bool insecure;    /* do not verify the certificate */
  const char *ca;   /* CA file (PEM) for this peer alone; NULL: the system's, see http_system_ca */
  const char *cert, *key; /* client certificate and key, PEM files */
  const char *pin;        /* CURLOPT_PINNEDPUBLICKEY: "sha256//…" or a file */
  const char *proxy;      /* CURLOPT_PROXY; NULL: the environment's */
  const char *user_agent;
  long connect_timeout_ms; /* default 10,000 */
  long timeout_ms;         /* whole exchange, default 60,000 */
  size_t body_limit;       /* largest answer held in memory, bytes; default 256 MiB */
  unsigned parallel; /* exchanges at a time; more wait here, their time does not count; default 4 */
} http_peer_options;

http_peer *http_peer_new(loop *l, const http_peer_options *options); /* NULL without memory */
http_peer *http_peer_retain(http_peer *peer);
void http_peer_release(http_peer *peer); /* closes idle connections with the last reference */

typedef enum http_failure {
  HTTP_OK,        /* an answer came, whatever its status */
  HTTP_RESOLVE,   /* name not found */
  HTTP_CONNECT,   /* refused, unreachable, the proxy too */
  HTTP_PROXY,     /* the proxy does not connect us; its answer is in `status` */
  HTTP_TLS,       /* handshake, certificate, pin */
  HTTP_TIMEOUT,   /* connect or total limit */
  HTTP_BROKEN,    /* connection ended or answer was no HTTP, in mid-exchange */
  HTTP_TOO_LARGE, /* answer over body_limit */
  HTTP_FILE,      /* local file could not be read or written */
  HTTP_CANCELLED,
  HTTP_INTERNAL /* no memory, libcurl refused an option */
} http_failure;

typedef struct http_request http_request;
struct http_request {
  /* -- set by the owner before http_submit; must live until done or http_cancel -- */
  const char *method;         /* "GET" … */
  const char *path;           /* path and query, encoded, appended to the peer's base */
  const char *const *headers; /* "Name: value", NULL at the end; may be NULL */
  const void *body;           /* request body in memory, or NULL */
  size_t body_length;         /* bytes */
  int body_fd; /* with body_from_fd: send body_length bytes of this file from body_offset (pread) */
  bool body_from_fd;
  uint64_t body_offset;
  int sink_fd; /* with sink_to_fd: a 2xx body is written here from sink_offset (pwrite), not to
                  memory */
  bool sink_to_fd;
  uint64_t sink_offset;
  char *
      sink_buffer; /* sink_size bytes of the owner's, to write in large pieces; NULL: as it comes */
  size_t sink_size;
  bool secret; /* the answer holds what nobody may find afterwards: OpenSSL wipes its copy, too */
  long timeout_ms; /* 0: the peer's */
  void (*done)(http_request *request);
  void *owner;
  void (*progress)(http_request *request, uint64_t sent,
                   uint64_t received); /* may be NULL; called from loop_turn */

  /* -- the result, valid in and after done -- */
  bool untrusted; /* HTTP_TLS because of a certificate or key, and not because the handshake broke
                     off */
  http_failure failure;
  char error[256]; /* libcurl's words, empty when HTTP_OK */
  long status;     /* 0: none came */
  bool sent;       /* the request went out at least in part: the server may have acted on it */
  char *answer; /* body, writable, a NUL behind answer_length; owned by the request; NULL when to fd
                 */
  size_t answer_length;
  size_t sink_kept;     /* how many bytes of the end of a body that went to the file are still in
                           sink_buffer */
  char *answer_headers; /* raw header block of the final answer, NUL-terminated; NULL if none */
  uint64_t bytes_sent, bytes_received; /* bodies and headers */
  uint64_t started, finished; /* loop_now, milliseconds: after waiting for the parallel limit */
  bool reused;                /* went over a connection that was there already */

  /* -- private to http.c -- */
  struct http_transfer *transfer;
  http_peer *peer;
  http_request *next;
};

/* Starts (or queues, behind the peer's parallel limit) the request. Never calls done before it
 * returns. */
void http_submit(http_peer *peer, http_request *request);
/* Ends it without calling done; nothing if it is not running. */
void http_cancel(http_request *request);
/* Frees the result (not the struct), and wipes it when it is short; the answer may be taken before
 * by setting request->answer to NULL. Requests and short answers leave no trace in the memory of
 * libcurl once they are done, and answers that were called secret none in that of OpenSSL. */
void http_request_clear(http_request *request);
/* Value of an answer's header, trimmed, into buffer (truncated to size); false if absent. Names
 * ignore case. */
bool http_answer_header(const http_request *request, const char *name, char *buffer, size_t size);

/* Connections opened since the start; a spec asserts reuse with it. */
uint64_t http_connections_opened(const loop *l);
/* Where the system keeps its CA certificates: a hashed directory (preferred) or a bundle, probed
 * once for Debian, RHEL, SUSE and Alpine; SSL_CERT_DIR and SSL_CERT_FILE win. Either may be NULL.
 */
void http_system_ca(const char **directory, const char **bundle);
const char *http_failure_name(http_failure failure);

#endif
