/* How the network takes part in a turn of the loop. Only for http.c and http_sockets.c. */
#ifndef NET_LOOP_NETWORK_H
#define NET_LOOP_NETWORK_H

#include "net/loop.h"

#define LOOP_NEVER UINT64_MAX

typedef struct loop_network {
  uint64_t due; /* when perform must run next, in loop_now's clock */
  /* Continues the exchanges. Returns the number of callbacks called. */
  int (*perform)(struct loop_network *self);
  bool (*busy)(const struct loop_network *self); /* whether an exchange is running */
  void (*destroy)(struct loop_network *self);
  /* A socket is ready for LOOP_READ, LOOP_WRITE or both. Must not call callbacks of owners: perform
   * does that, later in the turn. */
  void (*ready)(struct loop_network *self, int fd, unsigned events);
} loop_network;

/* NULL until loop_attach. */
loop_network *loop_attached(const loop *l);
/* Sets the network of the loop, once. loop_delete destroys it. */
void loop_attach(loop *l, loop_network *network);
/* Makes the next turn call perform before it waits: there is work that no descriptor announces,
 * such as a new handle. */
void loop_perform_soon(loop *l);

/* Watches these events of a socket. False if out of memory; loop_socket_opened has reserved memory
 * for its sockets. */
bool loop_socket_watch(loop *l, int fd, unsigned events);
/* Stops watching a socket, but keeps it registered with epoll: so a connection with one request
 * after another needs no system call for each. Only for sockets whose end is reported with
 * loop_socket_closed. */
void loop_socket_pause(loop *l, int fd);
/* Stops watching a socket. */
void loop_socket_unwatch(loop *l, int fd);
/* A new socket has this number: forgets what was known about the number. False if out of memory. */
bool loop_socket_opened(loop *l, int fd);
/* The socket was closed. */
void loop_socket_closed(loop *l, int fd);

#endif
