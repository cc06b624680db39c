#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net/loop_network.h"

enum { BATCH = 128, MAX_WAIT_MS = 3600 * 1000, FIRST_DESCRIPTORS = 256 };

typedef struct watch {
  void (*ready)(void *data, int fd); /* NULL: a socket of the network */
  void *data;
  uint32_t generation; /* of the registration; events of earlier ones are ignored */
  uint8_t wanted;      /* LOOP_READ and LOOP_WRITE, 0: not watched */
  uint8_t registered;  /* what epoll watches */
  /* epoll does not watch it (regular files are always ready): called in every turn. */
  bool always;
} watch;

struct loop {
  int epoll_fd, wake_fd;
  loop_network *network;
  bool perform_first;
  loop_timer **heap; /* a binary heap, the earliest first; heap[i]->slot == i + 1 */
  uint32_t timers, heap_size;
  watch *watches; /* by descriptor */
  unsigned watch_size;
  unsigned watched;         /* how many are wanted, except for those of the network */
  unsigned always;          /* how many of all are always ready */
  bool (*idle)(void *data); /* see loop_set_idle; may be NULL */
  void *idle_data;
};

static bool watch_wake(loop *l);
static watch *watch_make(loop *l, int fd);

static bool heap_reserve(loop *l, uint32_t size) {
  loop_timer **heap = realloc(l->heap, size * sizeof *heap);
  if (!heap) return false;
  l->heap = heap;
  l->heap_size = size;
  return true;
}

loop *loop_new(void) {
  loop *l = calloc(1, sizeof *l);
  if (!l) return NULL;
  l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (l->epoll_fd < 0 || l->wake_fd < 0 || !watch_wake(l) || !heap_reserve(l, 16) ||
      !watch_make(l, FIRST_DESCRIPTORS - 1)) {
    loop_delete(l);
    return NULL;
  }
  return l;
}

void loop_delete(loop *l) {
  if (!l) return;
  if (l->network) l->network->destroy(l->network);
  if (l->wake_fd >= 0) close(l->wake_fd);
  if (l->epoll_fd >= 0) close(l->epoll_fd);
  free(l->heap);
  free(l->watches);
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

/* -- timers -- */

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
  /* without its timer, the owner would hang forever */
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

/* Fires only timers that were due at the start: a timer that restarts itself with 0 must not block
 * the turn. */
static int fire_timers(loop *l) {
  if (l->timers == 0) return 0;
  uint64_t now = loop_now(l);
  int called = 0;
  for (uint32_t budget = l->timers; budget > 0 && l->timers > 0 && l->heap[0]->due <= now;
       budget--) {
    loop_timer *timer = l->heap[0];
    loop_timer_stop(l, timer);
    timer->fire(timer);
    called++;
  }
  return called;
}

/* -- watches -- */

static watch *watch_of(loop *l, int fd) {
  return fd >= 0 && (unsigned)fd < l->watch_size ? &l->watches[fd] : NULL;
}

static watch *watch_make(loop *l, int fd) {
  if (fd < 0) return NULL;
  unsigned needed = (unsigned)fd + 1;
  if (needed > l->watch_size) {
    unsigned size = l->watch_size == 0 ? FIRST_DESCRIPTORS : l->watch_size;
    while (size < needed)
      size *= 2;
    watch *watches = realloc(l->watches, size * sizeof *watches);
    if (!watches) return NULL;
    memset(watches + l->watch_size, 0, (size - l->watch_size) * sizeof *watches);
    l->watches = watches;
    l->watch_size = size;
  }
  return &l->watches[fd];
}

static void set_always_ready(loop *l, watch *w, bool always) {
  if (w->always == always) return;
  w->always = always;
  if (always)
    l->always++;
  else
    l->always--;
}

/* Updates the registration with epoll. What is known about it may be wrong: a closed descriptor
 * leaves epoll by itself. */
static void update_epoll(loop *l, watch *w, int fd) {
  if (w->registered == w->wanted) return;
  struct epoll_event event = {.events = (w->wanted & LOOP_READ ? EPOLLIN : 0) |
                                        (w->wanted & LOOP_WRITE ? EPOLLOUT : 0)};
  if (w->wanted == 0) {
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, &event);
    w->registered = 0;
    return;
  }
  if (w->registered == 0) w->generation++;
  event.data.u64 = (uint64_t)w->generation << 32 | (uint32_t)fd;
  int done = epoll_ctl(l->epoll_fd, w->registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  if (done != 0 && (errno == ENOENT || errno == EEXIST))
    done = epoll_ctl(l->epoll_fd, errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  if (done == 0) w->registered = w->wanted;
  /* A regular file, or something that cannot be watched: a read by the owner finds out. */
  set_always_ready(l, w, done != 0);
}

static void unwatch(loop *l, watch *w, int fd) {
  set_always_ready(l, w, false);
  w->wanted = 0;
  update_epoll(l, w, fd);
}

void loop_watch(loop *l, int fd, void (*ready)(void *data, int fd), void *data) {
  loop_watch_for(l, fd, LOOP_READ, ready, data);
}

void loop_watch_for(loop *l, int fd, unsigned events, void (*ready)(void *data, int fd),
                    void *data) {
  loop_unwatch(l, fd);
  watch *w = watch_make(l, fd);
  if (!w) abort(); /* the owner would never hear from this descriptor */
  w->ready = ready;
  w->data = data;
  w->wanted = (uint8_t)events;
  w->registered = 0; /* this number may have been another file */
  l->watched++;
  update_epoll(l, w, fd);
}

void loop_unwatch(loop *l, int fd) {
  watch *w = watch_of(l, fd);
  if (!w || w->wanted == 0 || !w->ready) return;
  l->watched--;
  unwatch(l, w, fd);
}

bool loop_socket_watch(loop *l, int fd, unsigned events) {
  watch *w = watch_make(l, fd);
  if (!w) return false;
  w->ready = NULL;
  w->wanted = (uint8_t)events;
  update_epoll(l, w, fd);
  return true;
}

void loop_socket_pause(loop *l, int fd) {
  watch *w = watch_of(l, fd);
  if (w && !w->always) w->wanted = 0;
}

void loop_socket_unwatch(loop *l, int fd) {
  watch *w = watch_of(l, fd);
  if (w) unwatch(l, w, fd);
}

bool loop_socket_opened(loop *l, int fd) {
  loop_socket_closed(l, fd);
  return watch_make(l, fd) != NULL;
}

void loop_socket_closed(loop *l, int fd) {
  watch *w = watch_of(l, fd);
  if (!w) return;
  set_always_ready(l, w, false);
  w->wanted = w->registered = 0;
}

/* -- waiting -- */

void loop_wake(loop *l) {
  int saved = errno;
  uint64_t one = 1;
  ssize_t written = write(l->wake_fd, &one, sizeof one);
  (void)written; /* it fails only if a wake-up is pending */
  errno = saved;
}

static bool watch_wake(loop *l) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint32_t)l->wake_fd};
  return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &event) == 0;
}

static void drain_wake(loop *l) {
  uint64_t count;
  ssize_t got = read(l->wake_fd, &count, sizeof count);
  (void)got;
}

/* Notifies the owner of the descriptor. Returns the number of callbacks called. */
static int notify_owner(loop *l, const watch *w, int fd, unsigned events) {
  if (w->ready) {
    w->ready(w->data, fd);
    return 1;
  }
  if (events != 0) l->network->ready(l->network, fd, events);
  return 0;
}

static int dispatch(loop *l, const struct epoll_event *event) {
  const uint32_t readable = EPOLLIN | EPOLLHUP | EPOLLERR,
                 writable = EPOLLOUT | EPOLLHUP | EPOLLERR;
  int fd = (int)(uint32_t)event->data.u64;
  if (fd == l->wake_fd) {
    drain_wake(l);
    return 0;
  }
  watch *w = watch_of(l, fd);
  if (!w || w->registered == 0 || w->generation != event->data.u64 >> 32) return 0;
  if (w->wanted == 0) { /* the peer closed a paused connection: its next user finds out */
    update_epoll(l, w, fd);
    return 0;
  }
  unsigned events =
      (event->events & readable ? LOOP_READ : 0u) | (event->events & writable ? LOOP_WRITE : 0u);
  return notify_owner(l, w, fd, events & w->wanted);
}

static int call_always_ready(loop *l) {
  int called = 0;
  for (unsigned fd = 0; l->always > 0 && fd < l->watch_size; fd++)
    if (l->watches[fd].always)
      called += notify_owner(l, &l->watches[fd], (int)fd, l->watches[fd].wanted);
  return called;
}

static int wait_for_events(loop *l, int timeout_ms) {
  struct epoll_event events[BATCH];
  int called = 0, count = epoll_wait(l->epoll_fd, events, BATCH, l->always > 0 ? 0 : timeout_ms);
  /* Callbacks may watch, unwatch, open and close: look up each descriptor again. */
  for (int i = 0; i < count; i++)
    called += dispatch(l, &events[i]);
  return called + call_always_ready(l);
}

bool loop_pending(const loop *l) {
  return l->timers > 0 || l->watched > 0 || (l->network && l->network->busy(l->network));
}

static int perform(loop *l) {
  l->perform_first = false;
  return l->network->perform(l->network);
}

/* How long the turn may wait, in milliseconds. -1: no limit. */
static int until_due(const loop *l, int max_wait_ms) {
  uint64_t due = l->timers > 0 ? l->heap[0]->due : LOOP_NEVER;
  if (l->network && l->network->due < due) due = l->network->due;
  if (due == LOOP_NEVER) return max_wait_ms;
  uint64_t now = loop_now(l), until = due > now ? due - now : 0;
  if (until > MAX_WAIT_MS) until = MAX_WAIT_MS;
  return max_wait_ms < 0 || until < (uint64_t)max_wait_ms ? (int)until : max_wait_ms;
}

void loop_set_idle(loop *l, bool (*work)(void *data), void *data) {
  l->idle = work;
  l->idle_data = data;
}

int loop_turn(loop *l, int max_wait_ms) {
  /* Send what was submitted since the last turn before waiting. */
  int called = l->perform_first ? perform(l) : 0;
  /* After callbacks the waiters have work. Save the system call; the next turn checks the
   * descriptors. */
  if (called == 0) {
    bool at_once = max_wait_ms == 0 || (l->idle && l->idle(l->idle_data));
    called += wait_for_events(l, at_once ? 0 : until_due(l, max_wait_ms));
    if (l->network) called += perform(l);
  }
  return called + fire_timers(l);
}
