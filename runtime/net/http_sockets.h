/* The sockets that libcurl opens for a peer. */
#ifndef NET_HTTP_SOCKETS_H
#define NET_HTTP_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "net/loop.h"

/* The sockets that libcurl opened for a peer. They outlive the peer, because libcurl closes some
 * later. */
typedef struct http_socket {
  curl_socket_t fd;
  ino_t inode;
} http_socket;

typedef struct http_sockets {
  loop *l;
  bool orphan; /* the peer is gone: free this when the last socket is closed */
  unsigned count, size;
  http_socket *list;
} http_sockets;

/* Forgets sockets that were closed without the callback: libcurl 7.88 does this if a connection
 * timed out or was given up. Something else may have the number by now. */
void http_sockets_check(http_sockets *sockets);
/* CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION. `user` is the http_sockets. */
curl_socket_t http_sockets_open(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int http_sockets_close(void *user, curl_socket_t fd);
/* NULL if it is not one of these sockets. */
http_socket *http_sockets_find(const http_sockets *sockets, curl_socket_t fd);

#endif
