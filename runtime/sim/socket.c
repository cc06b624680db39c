#include "sim/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char SIM_SOCKET_FLEET[] = "0.0.0.0";

static int open_socket(const char *bind_address, uint16_t port, uint16_t *bound_port, char *error,
                       size_t size) {
  char service[8];
  snprintf(service, sizeof service, "%u", (unsigned)port);
  struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM},
                  *found = NULL;
  int failure = getaddrinfo(bind_address, service, &hints, &found);
  if (failure) {
    snprintf(error, size, "cannot listen on %s: %s", bind_address, gai_strerror(failure));
    return -1;
  }
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int on = 1;
  bool ok = fd >= 0;
  if (ok) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Accepted sockets inherit it. Without it each answer would wait for the ACK of its first half:
     * 44 ms. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind_address == SIM_SOCKET_FLEET)
      ok = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0;
    ok = ok && bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
         listen(fd, SIM_SOCKET_BACKLOG) == 0;
  }
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (ok && getsockname(fd, (struct sockaddr *)&address, &length) == 0) {
    *bound_port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                      : ((struct sockaddr_in *)&address)->sin_port);
  }
  freeaddrinfo(found);
  if (ok) return fd;
  snprintf(error, size, "cannot listen on %s port %u: %s", bind_address, (unsigned)port,
           strerror(errno));
  if (fd >= 0) close(fd);
  return -1;
}

/* A port that the kernel chose is lost when the socket stops listening; a port that was asked for
 * stays. So ask for the port that the kernel chose. */
int sim_socket_open(const char *bind_address, uint16_t port, uint16_t *bound_port, char *error,
                    size_t size) {
  for (int attempt = 0; port == 0 && attempt < 20; attempt++) {
    uint16_t chosen = 0;
    int fd = open_socket(bind_address, 0, &chosen, error, size);
    if (fd < 0) return -1;
    close(fd);
    fd = open_socket(bind_address, chosen, bound_port, error, size);
    if (fd >= 0) return fd;
  }
  return port ? open_socket(bind_address, port, bound_port, error, size) : -1;
}
