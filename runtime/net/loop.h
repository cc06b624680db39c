/* The event loop over epoll: timers, descriptors, the network and a wake-up. One a process.
 *
 * Nothing here knows Lua. Everything runs on one thread; only loop_wake may be called from
 * elsewhere (a signal handler, another thread). Completions are plain C callbacks, called from
 * loop_turn and never from inside a libcurl callback.
 *
 *   loop *l = loop_new();
 *   loop_timer_start(l, &timer, 250);
 *   while (!done) loop_turn(l, -1);
 *   loop_delete(l);
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct loop loop;

/* Embedded in its owner; zero-initialised is "not running". `fire` is called once, from loop_turn,
 * after the timer is stopped. */
typedef struct loop_timer {
  void (*fire)(struct loop_timer *timer);
  uint64_t due;  /* milliseconds of loop_now */
  uint32_t slot; /* place in the heap + 1, 0 when not running */
} loop_timer;

/* Makes a loop; NULL without memory or file descriptors. libcurl is not initialised yet (it costs
 * milliseconds: see http.h). */
loop *loop_new(void);
/* All requests must be cancelled and all timers stopped before. */
void loop_delete(loop *l);

/* Monotonic clock, milliseconds. */
uint64_t loop_now(const loop *l);

void loop_timer_start(loop *l, loop_timer *timer, uint64_t delay_ms);
void loop_timer_stop(loop *l, loop_timer *timer); /* nothing if not running */

/* One turn: waits for network, timer, watched descriptor or wake-up, at most max_wait_ms (-1: no
 * limit), and calls what is due. Returns the number of callbacks called. */
int loop_turn(loop *l, int max_wait_ms);

/* Whether anything is there to wait for: a timer, a request or a watched descriptor. */
bool loop_pending(const loop *l);

/* Calls `ready` from loop_turn while fd is readable. The console reads its terminal so. */
void loop_watch(loop *l, int fd, void (*ready)(void *data, int fd), void *data);
void loop_unwatch(loop *l, int fd);

/* Ends the wait of loop_turn. Async-signal-safe and thread-safe. */
void loop_wake(loop *l);

#endif
