/* One exchange with a server: what is sent, and its result. */
#ifndef NET_HTTP_REQUEST_H
#define NET_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http_failure.h"

/* Answers up to this length are wiped: the answer to a login contains the token. Longer answers are
 * not secret, and wiping them would take time. */
enum { HTTP_SECRET_LENGTH = 64 * 1024 };

/* When the parts of an exchange ended, in microseconds from its start; 0: the part did not take
 * place, or was not reached. */
typedef struct http_times {
  uint64_t submitted; /* since 1970: http_submit was called */
  uint64_t started;   /* since 1970: it left the queue of the peer; 0: it did not */
  uint64_t lookup, connect, tls, first, total;
} http_times;

typedef struct http_request http_request;
struct http_request {
  /* -- set by the owner before http_submit; must stay valid until `done` or http_cancel -- */
  const char *method;         /* "GET" … */
  const char *path;           /* path and query, encoded; appended to the base of the peer */
  const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
  const void *body;           /* request body in memory, or NULL */
  size_t body_length;         /* bytes */
  /* With body_from_fd: sends body_length bytes of this file, from body_offset (pread). */
  int body_fd;
  bool body_from_fd;
  uint64_t body_offset;
  /* With sink_to_fd: writes a 2xx body to this file, from sink_offset (pwrite). */
  int sink_fd;
  bool sink_to_fd;
  uint64_t sink_offset;
  /* sink_size bytes, to write to the file in large pieces. NULL: writes pieces as they arrive. */
  char *sink_buffer;
  size_t sink_size;
  uint64_t sink_limit; /* bytes of the largest body for the file; 0: no limit */
  /* Ends when the connection is made, certificates included, and sends nothing. */
  bool only_connect;
  /* The answer contains a secret: OpenSSL wipes its copy, too. */
  bool secret;
  bool timed;      /* fills `times` */
  long timeout_ms; /* 0: the limit of the peer */
  void (*done)(http_request *request);
  void *owner;
  /* May be NULL. Called from loop_turn. */
  void (*progress)(http_request *request, uint64_t sent, uint64_t received);

  /* -- the result, valid from `done` on -- */
  /* With HTTP_TLS: the reason is a certificate or key, not a handshake that broke off. */
  bool untrusted;
  http_failure failure;
  /* What names a proxy: "proxy", the option, or a variable such as "https_proxy". NULL if nothing
   * does, or if the request got past the proxy. Lives as long as the program. */
  const char *proxy_source;
  char error[320]; /* message of libcurl; empty if HTTP_OK */
  long status;     /* 0: there is none */
  /* At least part of the request was sent: the server may have acted on it. */
  bool sent;
  /* The body, writable, with a NUL behind answer_length. Owned by the request. NULL if it went to a
   * file. */
  char *answer;
  size_t answer_length;
  /* How many bytes at the end of a body that went to the file are still in sink_buffer. */
  size_t sink_kept;
  uint64_t sink_length; /* bytes of the body that went to the file */
  /* Raw header block of the final answer, ended by NUL. NULL if there is none. */
  char *answer_headers;
  uint64_t bytes_sent, bytes_received; /* bodies and headers */
  uint64_t started, finished;          /* loop_now; without the time in the queue */
  http_times times;                    /* if it is `timed` */
  bool reused;                         /* went over an existing connection */

  /* -- private to http.c -- */
  struct http_transfer *transfer;
  struct http_peer *peer;
  http_request *next;
};

/* Frees the result, but not the struct. Wipes a short answer. To keep the answer, take it and set
 * request->answer to NULL. When a request is done, it and a short answer leave no trace in the
 * memory of libcurl, and a `secret` answer leaves none in the memory of OpenSSL. */
void http_request_clear(http_request *request);
/* Copies the value of a header of the answer, trimmed and truncated to `size`, to `buffer`. False
 * if there is none. Ignores the case of names. */
bool http_answer_header(const http_request *request, const char *name, char *buffer, size_t size);
/* How long libcurl's buffer for sending must be; head_length: bytes before the body. */
long http_request_buffer(const http_request *request, size_t head_length);

#endif
