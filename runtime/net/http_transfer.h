/* One easy handle of libcurl: its options, its callbacks, and what its end means. */
#ifndef NET_HTTP_TRANSFER_H
#define NET_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "net/http_request.h"
#include "net/http_settings.h"

/* What is sent, to know which options of the easy handle the last exchange left behind. */
typedef enum transfer_shape {
  SHAPE_NONE,
  SHAPE_GET,
  SHAPE_HEAD,
  SHAPE_MEMORY,
  SHAPE_FILE
} transfer_shape;

/* An easy handle set up for one peer, used again and again: only what differs from the exchange
 * before is set anew. */
typedef struct http_transfer {
  CURL *easy;
  http_sockets *sockets; /* the peer's */
  http_request *request; /* NULL when idle */
  struct http_transfer *next,
      *prev; /* in the peer's list of idle ones, or the network's of running ones */
  transfer_shape shape;
  bool custom_method; /* CURLOPT_CUSTOMREQUEST is set */
  long timeout_ms;
  char *url; /* base, then the path */
  size_t base_length, url_size;
  struct curl_slist *nodes; /* the header list, pointing to the owner's strings: nothing is copied,
                               nothing to wipe */
  size_t node_size;
  size_t answer_size, headers_length, headers_size, body_limit;
  bool started;         /* the request line was handed to the connection (again) */
  bool repeatable;      /* reading the same twice changes nothing */
  bool to_sink;         /* this answer's body goes to the file */
  bool answer_begun;    /* first byte of the body was seen */
  http_failure aborted; /* why a callback ended the exchange, HTTP_OK if none did */
  int aborted_errno;
  long size_before; /* CURLINFO_REQUEST_SIZE when the request began: what a proxy's CONNECT took */
  uint64_t body_sent, sink_written;
  size_t sink_buffered; /* bytes in the owner's buffer that are not in the file yet */
  uint64_t reported;    /* sum last given to progress */
  int local_port;
  curl_socket_t fd;   /* what it waits for, CURL_SOCKET_BAD for nothing */
  bool answering;     /* an answer has begun to come over this connection */
  bool headers_ended; /* of the last of its header blocks */
  struct http_transfer *next_ran,
      **ran;   /* in the network's list of those that libcurl has worked at; its head */
  bool listed; /* in that list */
  char error[CURL_ERROR_SIZE];
} http_transfer;

/* NULL without memory, or when libcurl refuses an option: then its words are in error,
 * CURL_ERROR_SIZE bytes. */
http_transfer *http_transfer_new(const http_peer_settings *settings, char *error);
void http_transfer_delete(http_transfer *transfer);
/* Sets the handle up for request, which must not be bound to another. */
bool http_transfer_bind(http_transfer *transfer, http_request *request,
                        const http_peer_settings *settings);
/* Takes the result of a finished exchange into the request and unbinds. */
void http_transfer_collect(http_transfer *transfer, CURLcode code);
/* Unbinds without a result. */
void http_transfer_unbind(http_transfer *transfer);
/* Whether OpenSSL has bytes of the socket that nobody has asked it for: nothing will announce them.
 */
bool http_transfer_read_ahead(const http_transfer *transfer);
/* Bytes of both directions so far, bodies only. */
void http_transfer_progress(const http_transfer *transfer, uint64_t *sent, uint64_t *received);

#endif
