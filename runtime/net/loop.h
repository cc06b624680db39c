/* The event loop over epoll: timers, descriptors, the network and wake-ups. One for each
 * process.
 *
 * Does not use Lua. Everything runs on one thread. Only loop_wake may be called from elsewhere (a
 * signal handler, another thread). Completions are C callbacks. loop_turn calls them, never from
 * inside a callback of libcurl.
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

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* A member of the struct that owns it. Initialise it with zeros: not running. loop_turn calls
 * `fire` once, after it stopped the timer. */
typedef struct loop_timer {
  void (*fire)(struct loop_timer *timer);
  uint64_t due;  /* loop_now, milliseconds */
  uint32_t slot; /* position in the heap + 1; 0: not running */
} loop_timer;

/* Creates a loop. NULL if out of memory or file descriptors. Does not initialise libcurl, which
 * takes milliseconds: see http.h. */
loop *loop_new(void);
/* First cancel all requests and stop all timers. */
void loop_delete(loop *l);

/* Monotonic clock, in milliseconds. */
uint64_t loop_now(const loop *l);

void loop_timer_start(loop *l, loop_timer *timer, uint64_t delay_ms);
void loop_timer_stop(loop *l, loop_timer *timer); /* does nothing if it is not running */

/* One turn: waits for the network, a timer, a watched descriptor or a wake-up, at most max_wait_ms
 * (-1: no limit), and calls the callbacks that are due. Returns how many. */
int loop_turn(loop *l, int max_wait_ms);

/* Work that has time until the loop waits: `work` does a part of it and returns whether there is
 * more. loop_turn calls it before it waits, so it costs no time while a server answers; with more
 * work it does not wait. One for each loop. */
void loop_set_idle(loop *l, bool (*work)(void *data), void *data);

/* Whether there is something to wait for: a timer, a request or a watched descriptor. */
bool loop_pending(const loop *l);

/* Makes loop_turn call `ready` while fd is readable. The console reads its terminal like this. */
void loop_watch(loop *l, int fd, void (*ready)(void *data, int fd), void *data);
/* The same for LOOP_READ, LOOP_WRITE or both. */
void loop_watch_for(loop *l, int fd, unsigned events, void (*ready)(void *data, int fd),
                    void *data);
void loop_unwatch(loop *l, int fd);

/* Ends the wait of loop_turn. Async-signal-safe and thread-safe. */
void loop_wake(loop *l);

#endif
