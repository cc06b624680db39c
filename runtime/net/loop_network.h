/* Between loop.c and http.c only: how the network takes part in a turn of the loop. */
#ifndef NET_LOOP_NETWORK_H
#define NET_LOOP_NETWORK_H

#include "net/loop.h"

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

#define LOOP_NEVER UINT64_MAX

typedef struct loop_network {
  uint64_t due; /* when perform has something to do by itself, loop_now's clock */
  int (*perform)(struct loop_network
                     *self); /* moves the exchanges on; returns the number of callbacks called */
  bool (*busy)(const struct loop_network *self); /* an exchange is under way */
  void (*destroy)(struct loop_network *self);
  /* A socket is ready for LOOP_READ, LOOP_WRITE or both. Calls nobody's callbacks: perform does,
   * later in the turn. */
  void (*ready)(struct loop_network *self, int fd, unsigned events);
} loop_network;

/* NULL until loop_attach. */
loop_network *loop_attached(const loop *l);
/* Gives the loop its network, once. The loop destroys it in loop_delete. */
void loop_attach(loop *l, loop_network *network);
/* There is work for perform that no descriptor announces (a handle was added): the next turn
 * performs before it waits.
 */
void loop_perform_soon(loop *l);

/* Waits for these events of a socket. false without memory, which loop_socket_opened has taken for
 * its sockets. */
bool loop_socket_watch(loop *l, int fd, unsigned events);
/* The socket is not waited for, but stays registered with the kernel: a connection that serves one
 * request after the other then costs no system call at each. Only for one whose end
 * loop_socket_closed tells. */
void loop_socket_pause(loop *l, int fd);
/* No longer waited for. */
void loop_socket_unwatch(loop *l, int fd);
/* This number is a new socket: what was known of it is forgotten. false without memory to watch it.
 */
bool loop_socket_opened(loop *l, int fd);
/* The socket is closed. */
void loop_socket_closed(loop *l, int fd);

#endif
