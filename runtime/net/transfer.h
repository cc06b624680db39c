/* The state of one exchange with libcurl, for the files that handle it. */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include <curl/curl.h>
#include <errno.h>

#include "net/http_request.h"
#include "net/http_settings.h"

/* What is sent. Tells which options of the last exchange are still set in the easy handle. */
typedef enum transfer_shape {
  SHAPE_NONE,
  SHAPE_GET,
  SHAPE_HEAD,
  SHAPE_MEMORY,
  SHAPE_FILE
} transfer_shape;

/* An easy handle that is set up for one peer and reused. Each exchange sets only what differs from
 * the last one. */
typedef struct http_transfer {
  CURL *easy;
  http_sockets *sockets;    /* of the peer */
  const char *proxy_source; /* of the peer's settings */
  const http_trust *trust;  /* of the peer's settings; may be NULL */
  http_request *request;    /* NULL if idle */
  /* In the peer's list of idle transfers, or the network's list of running ones. */
  struct http_transfer *next, *prev;
  transfer_shape shape;
  bool custom_method; /* CURLOPT_CUSTOMREQUEST is set */
  long timeout_ms;
  char *url; /* the base, then the path */
  size_t base_length, url_size;
  /* The list of headers. It points to the strings of the owner, so there is nothing to copy and to
   * wipe. */
  struct curl_slist *nodes;
  size_t node_size;
  size_t answer_size, headers_length, headers_size, body_limit;
  bool started;         /* the request was passed to a connection, at least once */
  bool repeatable;      /* sending the request twice changes nothing */
  bool to_sink;         /* the body of this answer goes to the file */
  bool answer_begun;    /* the first byte of the body came */
  http_failure aborted; /* why a callback ended the exchange; else HTTP_OK */
  int aborted_errno;
  long size_before; /* CURLINFO_REQUEST_SIZE before the request: the size of a proxy's CONNECT */
  uint64_t body_sent, sink_written;
  size_t head_length;   /* bytes of the request without its body, at most */
  size_t sink_buffered; /* bytes in the owner's buffer, not in the file yet */
  uint64_t reported;    /* the sum last reported to progress */
  int local_port;
  curl_socket_t fd;               /* what it waits for; CURL_SOCKET_BAD: nothing */
  bool answering;                 /* an answer started to come over this connection */
  bool headers_ended;             /* the last header block of the answer is complete */
  bool length_known, two_lengths; /* a Content-Length in that block; another one that differs */
  uint64_t announced;             /* its value, if length_known */
  /* In the network's list of transfers that libcurl has worked on; `ran` is its head. */
  struct http_transfer *next_ran, **ran;
  bool listed; /* it is in that list */
  char error[CURL_ERROR_SIZE];
} http_transfer;

/* For callbacks: why they end the exchange, and the value to return. It is fewer bytes than libcurl
 * passed, so libcurl ends the transfer. */
static inline size_t transfer_fail(http_transfer *transfer, http_failure why) {
  transfer->aborted = why;
  transfer->aborted_errno = errno;
  return 0;
}

#endif
