/* Keeps track of the sockets that libcurl opens for a peer, so that they are closed with the peer
 * and the loop knows which are closed. */
#include "net/http_sockets.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/loop_network.h"

static ino_t inode_of(curl_socket_t fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

http_socket *http_sockets_find(const http_sockets *sockets, curl_socket_t fd) {
  for (unsigned i = 0; i < sockets->count; i++)
    if (sockets->list[i].fd == fd) return &sockets->list[i];
  return NULL;
}

static void forget_socket(http_sockets *sockets, curl_socket_t fd) {
  http_socket *known = http_sockets_find(sockets, fd);
  if (known) *known = sockets->list[--sockets->count];
}

void http_sockets_check(http_sockets *sockets) {
  for (unsigned i = sockets->count; i-- > 0;)
    if (inode_of(sockets->list[i].fd) != sockets->list[i].inode)
      sockets->list[i] = sockets->list[--sockets->count];
}

curl_socket_t http_sockets_open(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
  http_sockets *sockets = user;
  (void)purpose;
  if (sockets->count == sockets->size) {
    unsigned size = sockets->size == 0 ? 8 : sockets->size * 2;
    http_socket *list = realloc(sockets->list, size * sizeof *list);
    if (!list) return CURL_SOCKET_BAD;
    sockets->list = list;
    sockets->size = size;
  }
  /* Close-on-exec: programs that the script starts must not keep connections to the device open. */
  curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd == CURL_SOCKET_BAD) return fd;
  forget_socket(sockets, fd); /* an earlier one with this number */
  if (!loop_socket_opened(sockets->l, fd)) {
    close(fd);
    return CURL_SOCKET_BAD;
  }
  sockets->list[sockets->count++] = (http_socket){.fd = fd, .inode = inode_of(fd)};
  return fd;
}

int http_sockets_close(void *user, curl_socket_t fd) {
  http_sockets *sockets = user;
  forget_socket(sockets, fd);
  loop_socket_closed(sockets->l, fd);
  if (sockets->orphan && sockets->count == 0) {
    free(sockets->list);
    free(sockets);
  }
  return close(fd);
}
