/* The sockets that libcurl opens for a peer. */
#ifndef NET_HTTP_SOCKETS_H
#define NET_HTTP_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "net/loop.h"

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

#endif
