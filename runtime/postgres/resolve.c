#include "postgres/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024 };

typedef struct answer {
  char *name;
  text addresses;
  int problem; /* of getaddrinfo */
} answer;

/* Owned by the loop's side and by the thread; the last one frees it. */
typedef struct shared {
  atomic_int owners;
  int ended; /* an eventfd: readable when all answers are there */
  unsigned count;
  answer answers[];
} shared;

struct pq_lookup {
  loop *l;
  shared *shared;
  void (*done)(void *data);
  void *data;
};

bool pq_is_address(const char *name) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *list = NULL;
  if (getaddrinfo(name, NULL, &hints, &list) != 0) return false;
  freeaddrinfo(list);
  return true;
}

static void leave(shared *s) {
  if (atomic_fetch_sub(&s->owners, 1) > 1) return;
  if (s->ended >= 0) close(s->ended);
  for (unsigned i = 0; i < s->count; i++) {
    free(s->answers[i].name);
    text_free(&s->answers[i].addresses);
  }
  free(s);
}

static void look_up(answer *a) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
  a->problem = getaddrinfo(a->name, NULL, &hints, &list);
  if (a->problem) return;
  for (const struct addrinfo *at = list; at; at = at->ai_next) {
    char address[NI_MAXHOST];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof address, NULL, 0,
                    NI_NUMERICHOST) != 0)
      continue;
    if (a->addresses.length) text_char(&a->addresses, ',');
    text_put(&a->addresses, address);
  }
  freeaddrinfo(list);
  if (!a->addresses.length) a->problem = EAI_NONAME;
}

static void *work(void *data) {
  shared *s = data;
  for (unsigned i = 0; i < s->count; i++)
    look_up(&s->answers[i]);
  uint64_t one = 1;
  ssize_t written = write(s->ended, &one, sizeof one);
  (void)written; /* it cannot be full */
  leave(s);
  return NULL;
}

/* Signals are for the main thread. */
static bool start_thread(shared *s) {
  pthread_attr_t how;
  pthread_t thread;
  sigset_t all, before;
  if (pthread_attr_init(&how) != 0) return false;
  pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&how, STACK_BYTES);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(&thread, &how, work, s) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&how);
  return started;
}

static shared *make_shared(const char *const *names, unsigned count) {
  shared *s = calloc(1, sizeof *s + count * sizeof s->answers[0]);
  if (!s) return NULL;
  atomic_init(&s->owners, 1);
  s->count = count;
  s->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  bool whole = s->ended >= 0;
  for (unsigned i = 0; i < count; i++) {
    s->answers[i].name = strdup(names[i]);
    whole = whole && s->answers[i].name;
  }
  if (whole) return s;
  leave(s);
  return NULL;
}

static void ready(void *data, int fd) {
  pq_lookup *lookup = data;
  loop_unwatch(lookup->l, fd);
  lookup->done(lookup->data);
}

pq_lookup *pq_lookup_start(loop *l, const char *const *names, unsigned count,
                           void (*done)(void *data), void *data) {
  pq_lookup *lookup = calloc(1, sizeof *lookup);
  shared *s = lookup ? make_shared(names, count) : NULL;
  if (!s) {
    free(lookup);
    return NULL;
  }
  atomic_store(&s->owners, 2);
  if (!start_thread(s)) {
    leave(s);
    leave(s);
    free(lookup);
    return NULL;
  }
  *lookup = (pq_lookup){.l = l, .shared = s, .done = done, .data = data};
  loop_watch(l, s->ended, ready, lookup);
  return lookup;
}

const char *pq_lookup_addresses(const pq_lookup *lookup, unsigned name) {
  return text_string(&lookup->shared->answers[name].addresses);
}

const char *pq_lookup_problem(const pq_lookup *lookup, unsigned name) {
  return gai_strerror(lookup->shared->answers[name].problem);
}

void pq_lookup_end(pq_lookup *lookup) {
  if (!lookup) return;
  loop_unwatch(lookup->l, lookup->shared->ended);
  leave(lookup->shared);
  free(lookup);
}
