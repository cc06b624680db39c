/* Between loop.c and http.c only: how the network takes part in a turn of the loop. */
#ifndef NET_LOOP_NETWORK_H
#define NET_LOOP_NETWORK_H

#include <curl/curl.h>

#include "net/loop.h"

typedef struct loop_network {
  CURLM *multi;                                  /* what the loop waits with; NULL when libcurl gave none */
  int (*perform)(struct loop_network *self);     /* moves the exchanges on; returns the number of callbacks called */
  bool (*busy)(const struct loop_network *self); /* an exchange is under way */
  void (*destroy)(struct loop_network *self);
} loop_network;

/* NULL until loop_attach. */
loop_network *loop_attached(const loop *l);
/* Gives the loop its network, once. The loop destroys it in loop_delete. */
void loop_attach(loop *l, loop_network *network);
/* There is work for perform that no descriptor announces (a handle was added): the next turn performs before it waits.
 */
void loop_perform_soon(loop *l);

#endif
