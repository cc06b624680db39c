/* One exchange with a server: what is sent and, in and after `done`, its result. */
#ifndef NET_HTTP_REQUEST_H
#define NET_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http_failure.h"

/* Answers to a login carry the token; no trace of them may stay. They are short: what is longer is
 * no secret, and wiping it would only take time. */
enum { HTTP_SECRET_LENGTH = 64 * 1024 };

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
  struct http_peer *peer;
  http_request *next;
};

/* Frees the result (not the struct), and wipes it when it is short; the answer may be taken before
 * by setting request->answer to NULL. Requests and short answers leave no trace in the memory of
 * libcurl once they are done, and answers that were called secret none in that of OpenSSL. */
void http_request_clear(http_request *request);
/* Value of an answer's header, trimmed, into buffer (truncated to size); false if absent. Names
 * ignore case. */
bool http_answer_header(const http_request *request, const char *name, char *buffer, size_t size);

#endif
