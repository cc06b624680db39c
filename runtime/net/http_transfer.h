/* Between http.c (peers, queues, results), http_transfer.c (one easy handle and its callbacks),
 * http_sockets.c, http_memory.c and ca.c only. */
#ifndef NET_HTTP_TRANSFER_H
#define NET_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <sys/types.h>

#include "net/http.h"

/* Answers to a login carry the token; no trace of them may stay. They are short: what is longer is
 * no secret, and wiping it would only take time. */
enum { HTTP_SECRET_LENGTH = 64 * 1024 };

/* The sockets that libcurl opened for a peer. It outlives the peer: libcurl closes some of them
 * later. */
typedef struct http_socket {
  curl_socket_t fd;
  ino_t inode;
} http_socket;

typedef struct http_sockets {
  loop *l;
  bool orphan; /* the peer is gone: free this with the last socket */
  unsigned count, size;
  http_socket *list;
} http_sockets;

/* Forgets those that were closed behind our back: libcurl 7.88 closes a socket whose connection
 * timed out or was given up without the callback, and its number may be anybody's by now. */
void http_sockets_check(http_sockets *sockets);
/* CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION; `user` is the http_sockets. */
curl_socket_t http_sockets_open(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int http_sockets_close(void *user, curl_socket_t fd);
/* NULL if it is none of them. */
http_socket *http_sockets_find(const http_sockets *sockets, curl_socket_t fd);

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
  size_t sink_gathered; /* bytes in the owner's buffer that are not in the file yet */
  uint64_t reported;    /* sum last given to progress */
  int local_port;
  curl_socket_t fd; /* what it waits for, CURL_SOCKET_BAD for nothing */
  bool answering;   /* an answer has begun to come over this connection */
  struct http_transfer *next_ran,
      **ran;   /* in the network's list of those that libcurl has worked at; its head */
  bool listed; /* in that list */
  char error[CURL_ERROR_SIZE];
} http_transfer;

/* What http_transfer.c needs of a peer. Strings live as long as the peer. */
typedef struct http_peer_settings {
  http_peer_options options; /* defaults filled in */
  bool proxied;              /* a proxy is given, or the environment may name one */
  CURLU *base;               /* options.base, parsed; NULL when each request says its whole URL */
  char *user_agent;          /* "User-Agent: …", or NULL */
  char *ca_directory; /* the system's hashed directory, when certificates are looked for there; else
                         NULL */
  http_sockets *sockets;
} http_peer_settings;

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

/* ca.c: an X509_STORE for the connections that look for their CAs in the hashed directory; libcurl
 * tells it the directory. It remembers the certificates that it found, for five minutes: reading
 * and parsing the CA's is a sixth of the work for a new connection, and all devices have the same.
 * NULL without memory. */
void *http_ca_store(const char *directory);

/* http_memory.c: initialises libcurl. */
bool http_memory_init(void);

#endif
