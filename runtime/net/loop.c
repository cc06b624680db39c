#include "net/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net/loop_network.h"

typedef struct watch {
  int fd;
  void (*ready)(void *data, int fd);
  void *data;
} watch;

struct loop {
  int wake_fd;
  loop_network *network;
  bool perform_first;
  loop_timer **heap; /* binary, earliest first; heap[i]->slot == i + 1 */
  uint32_t timers, heap_size;
  watch *watches;
  unsigned watch_count, watch_size;
  /* The descriptors of the present wait: the wake-up, then the watches. Both lists grow together. */
  struct curl_waitfd *wait_fds;
  struct pollfd *poll_fds;
};

static bool watch_reserve(loop *l, unsigned size) {
  watch *watches = realloc(l->watches, size * sizeof *watches);
  if (watches == NULL) return false;
  l->watches = watches;
  struct curl_waitfd *wait_fds = realloc(l->wait_fds, (size + 1) * sizeof *wait_fds);
  if (wait_fds == NULL) return false;
  l->wait_fds = wait_fds;
  struct pollfd *poll_fds = realloc(l->poll_fds, (size + 1) * sizeof *poll_fds);
  if (poll_fds == NULL) return false;
  l->poll_fds = poll_fds;
  l->watch_size = size;
  return true;
}

static bool heap_reserve(loop *l, uint32_t size) {
  loop_timer **heap = realloc(l->heap, size * sizeof *heap);
  if (heap == NULL) return false;
  l->heap = heap;
  l->heap_size = size;
  return true;
}

loop *loop_new(void) {
  loop *l = calloc(1, sizeof *l);
  if (l == NULL) return NULL;
  l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (l->wake_fd < 0 || !watch_reserve(l, 4) || !heap_reserve(l, 16)) {
    loop_delete(l);
    return NULL;
  }
  return l;
}

void loop_delete(loop *l) {
  if (l == NULL) return;
  if (l->network != NULL) l->network->destroy(l->network);
  if (l->wake_fd >= 0) close(l->wake_fd);
  free(l->heap);
  free(l->watches);
  free(l->wait_fds);
  free(l->poll_fds);
  free(l);
}

uint64_t loop_now(const loop *l) {
  (void)l;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

loop_network *loop_attached(const loop *l) {
  return l->network;
}

void loop_attach(loop *l, loop_network *network) {
  l->network = network;
}

void loop_perform_soon(loop *l) {
  l->perform_first = true;
}

/* -- timers ------------------------------------------------------------------------------------------------------ */

static void heap_put(loop *l, uint32_t i, loop_timer *timer) {
  l->heap[i] = timer;
  timer->slot = i + 1;
}

static void heap_up(loop *l, uint32_t i, loop_timer *timer) {
  while (i > 0 && l->heap[(i - 1) / 2]->due > timer->due) {
    heap_put(l, i, l->heap[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  heap_put(l, i, timer);
}

static void heap_down(loop *l, uint32_t i, loop_timer *timer) {
  for (;;) {
    uint32_t child = 2 * i + 1;
    if (child >= l->timers) break;
    if (child + 1 < l->timers && l->heap[child + 1]->due < l->heap[child]->due) child++;
    if (l->heap[child]->due >= timer->due) break;
    heap_put(l, i, l->heap[child]);
    i = child;
  }
  heap_put(l, i, timer);
}

void loop_timer_start(loop *l, loop_timer *timer, uint64_t delay_ms) {
  loop_timer_stop(l, timer);
  /* a timer that never fires would hang its owner for ever */
  if (l->timers == l->heap_size && !heap_reserve(l, l->heap_size * 2)) abort();
  uint64_t now = loop_now(l);
  timer->due = delay_ms > UINT64_MAX - now ? UINT64_MAX : now + delay_ms;
  heap_up(l, l->timers++, timer);
}

void loop_timer_stop(loop *l, loop_timer *timer) {
  if (timer->slot == 0) return;
  uint32_t i = timer->slot - 1;
  loop_timer *last = l->heap[--l->timers];
  timer->slot = 0;
  if (last == timer) return;
  if (i > 0 && l->heap[(i - 1) / 2]->due > last->due)
    heap_up(l, i, last);
  else
    heap_down(l, i, last);
}

/* Only timers that were due when the turn came to them: one that starts itself again with 0 does not hold the turn. */
static int fire_timers(loop *l) {
  if (l->timers == 0) return 0;
  uint64_t now = loop_now(l);
  int called = 0;
  for (uint32_t budget = l->timers; budget > 0 && l->timers > 0 && l->heap[0]->due <= now; budget--) {
    loop_timer *timer = l->heap[0];
    loop_timer_stop(l, timer);
    timer->fire(timer);
    called++;
  }
  return called;
}

/* -- waiting ----------------------------------------------------------------------------------------------------- */

void loop_watch(loop *l, int fd, void (*ready)(void *data, int fd), void *data) {
  loop_unwatch(l, fd);
  if (l->watch_count == l->watch_size && !watch_reserve(l, l->watch_size * 2)) abort();
  l->watches[l->watch_count++] = (watch){fd, ready, data};
}

void loop_unwatch(loop *l, int fd) {
  for (unsigned i = 0; i < l->watch_count; i++)
    if (l->watches[i].fd == fd) {
      l->watch_count--;
      memmove(&l->watches[i], &l->watches[i + 1], (l->watch_count - i) * sizeof *l->watches);
      return;
    }
}

void loop_wake(loop *l) {
  int saved = errno;
  uint64_t one = 1;
  ssize_t written = write(l->wake_fd, &one, sizeof one);
  (void)written; /* it fails only when a wake-up is pending already */
  errno = saved;
}

static void drain_wake(loop *l) {
  uint64_t count;
  ssize_t got = read(l->wake_fd, &count, sizeof count);
  (void)got;
}

/* Calls what is readable. A callback may watch and unwatch, so each descriptor is looked up again when its turn comes.
 */
static int call_ready(loop *l, unsigned waited) {
  int called = 0;
  for (unsigned i = 1; i <= waited; i++) {
    if (l->poll_fds[i].revents == 0) continue;
    for (unsigned j = 0; j < l->watch_count; j++)
      if (l->watches[j].fd == l->poll_fds[i].fd) {
        watch found = l->watches[j];
        found.ready(found.data, found.fd);
        called++;
        break;
      }
  }
  return called;
}

/* Waits at most timeout_ms and returns how many watches were waited for. Their state is in poll_fds. */
static unsigned wait_fds(loop *l, int timeout_ms) {
  unsigned count = l->watch_count;
  bool with_curl = l->network != NULL && l->network->multi != NULL;
  for (unsigned i = 0; i <= count; i++) {
    int fd = i == 0 ? l->wake_fd : l->watches[i - 1].fd;
    l->poll_fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    l->wait_fds[i] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
  }
  int ready = 0;
  if (with_curl) {
    /* curl_multi_poll: unlike curl_multi_wait it also waits the whole time when it has no descriptor of its own. It has
     * no "for ever"; a long wait that ends early is only an empty turn. */
    curl_multi_poll(l->network->multi, l->wait_fds, count + 1, timeout_ms < 0 ? 3600 * 1000 : timeout_ms, &ready);
    /* libcurl hides a hang-up of a watched descriptor, which also ended the wait: without a second look that would
     * spin. */
    if (ready > 0 && count > 0)
      poll(l->poll_fds, count + 1, 0);
    else if (ready > 0)
      l->poll_fds[0].revents = l->wait_fds[0].revents;
  } else {
    ready = poll(l->poll_fds, count + 1, timeout_ms);
    if (ready < 0)
      for (unsigned i = 0; i <= count; i++)
        l->poll_fds[i].revents = 0;
  }
  if (ready > 0 && l->poll_fds[0].revents != 0) drain_wake(l);
  return count;
}

bool loop_pending(const loop *l) {
  return l->timers > 0 || l->watch_count > 0 || (l->network != NULL && l->network->busy(l->network));
}

static int perform(loop *l) {
  l->perform_first = false;
  return l->network->perform(l->network);
}

int loop_turn(loop *l, int max_wait_ms) {
  /* What was submitted since the last turn goes out before the wait: otherwise libcurl answers the wait at once, one
   * system call for nothing. */
  int called = l->perform_first ? perform(l) : 0;
  int timeout = called > 0 ? 0 : max_wait_ms;
  if (l->timers > 0 && timeout != 0) {
    uint64_t now = loop_now(l), due = l->heap[0]->due;
    uint64_t until = due > now ? due - now : 0;
    if (until > 3600 * 1000) until = 3600 * 1000;
    if (timeout < 0 || until < (uint64_t)timeout) timeout = (int)until;
  }
  /* Callbacks have something for their waiters to do: do not spend a system call on a look at the descriptors. The next
   * turn does. */
  if (called == 0) {
    unsigned waited = wait_fds(l, timeout);
    called += call_ready(l, waited);
    if (l->network != NULL) called += perform(l);
  }
  return called + fire_timers(l);
}
