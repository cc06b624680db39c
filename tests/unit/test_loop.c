/* The loop without libcurl: timers, watched descriptors, wake-ups. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/loop_network.h"

static loop *l;

static int open_loop(void **state) {
  (void)state;
  l = loop_new();
  return !l;
}

static int close_loop(void **state) {
  (void)state;
  loop_delete(l);
  return 0;
}

static loop_timer *fired[2000];
static unsigned fired_count;
static void note(loop_timer *timer) {
  assert_int_equal(timer->slot, 0);
  fired[fired_count++] = timer;
}

static void timers_fire_in_order(void **state) {
  (void)state;
  loop_timer timers[5] = {{0}};
  static const unsigned delays[] = {30, 5, 20, 0, 10}, order[] = {3, 1, 4, 2, 0};
  fired_count = 0;
  assert_false(loop_pending(l));
  for (int i = 0; i < 5; i++) {
    timers[i].fire = note;
    loop_timer_start(l, &timers[i], delays[i]);
  }
  assert_true(loop_pending(l));
  uint64_t began = loop_now(l);
  while (fired_count < 5)
    loop_turn(l, -1);
  assert_in_range(loop_now(l) - began, 29, 2000);
  for (int i = 0; i < 5; i++)
    assert_ptr_equal(fired[i], &timers[order[i]]);
  assert_false(loop_pending(l));
}

/* Random starts, restarts and stops: the heap keeps what a list would. */
static void the_heap_holds(void **state) {
  (void)state;
  enum { COUNT = 500 };
  static loop_timer timers[COUNT];
  srand(7);
  for (int round = 0; round < 20000; round++) {
    loop_timer *timer = &timers[rand() % COUNT];
    timer->fire = note;
    if (rand() % 3 == 0)
      loop_timer_stop(l, timer);
    else
      loop_timer_start(l, timer, (uint64_t)(rand() % 40));
  }
  unsigned running = 0;
  for (int i = 0; i < COUNT; i++)
    running += timers[i].slot != 0;
  fired_count = 0;
  while (loop_pending(l))
    loop_turn(l, -1);
  assert_int_equal(fired_count, running);
  for (unsigned i = 1; i < fired_count; i++)
    assert_true(fired[i - 1]->due <= fired[i]->due);
}

static loop_timer *victim;
static void stop_other(loop_timer *timer) {
  note(timer);
  loop_timer_stop(l, victim);
}

static void again(loop_timer *timer) {
  note(timer);
  if (fired_count < 3) loop_timer_start(l, timer, 0);
}

static void callbacks_may_stop_and_start(void **state) {
  (void)state;
  loop_timer one = {.fire = stop_other}, two = {.fire = note}, three = {.fire = again};
  victim = &two;
  fired_count = 0;
  loop_timer_start(l, &one, 0);
  loop_timer_start(l, &two, 1);
  usleep(5000);
  loop_turn(l, 0);
  assert_int_equal(fired_count, 1);
  loop_timer_stop(l, &two); /* nothing */
  fired_count = 0;
  loop_timer_start(l, &three, 0);
  assert_int_equal(loop_turn(l, 0), 1); /* not three times in one turn */
  while (loop_pending(l))
    loop_turn(l, -1);
  assert_int_equal(fired_count, 3);
}

static void a_turn_ends_in_time(void **state) {
  (void)state;
  uint64_t began = loop_now(l);
  assert_int_equal(loop_turn(l, 20), 0);
  assert_in_range(loop_now(l) - began, 19, 2000);
  assert_int_equal(loop_turn(l, 0), 0);
}

static void on_alarm(int number) {
  (void)number;
  loop_wake(l);
}

static void *wake_soon(void *unused) {
  (void)unused;
  usleep(10000);
  loop_wake(l);
  loop_wake(l);
  return NULL;
}

static void wake_ends_the_wait(void **state) {
  (void)state;
  pthread_t thread;
  uint64_t began = loop_now(l);
  pthread_create(&thread, NULL, wake_soon, NULL);
  loop_turn(l, 5000);
  pthread_join(thread, NULL);
  assert_in_range(loop_now(l) - began, 0, 4000);
  loop_turn(l, 0); /* the second one */
  signal(SIGALRM, on_alarm);
  ualarm(10000, 0);
  began = loop_now(l);
  loop_turn(l, 5000);
  assert_in_range(loop_now(l) - began, 0, 4000);
  loop_wake(l); /* before the wait */
  loop_turn(l, 5000);
  assert_in_range(loop_now(l) - began, 0, 4000);
}

static int seen[2];
static void readable(void *data, int fd) {
  char byte;
  seen[*(int *)data]++;
  if (read(fd, &byte, 1) <= 0) loop_unwatch(l, fd);
}

static void watched_descriptors(void **state) {
  (void)state;
  int pipes[2][2], which[] = {0, 1};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(pipe(pipes[i]), 0);
    loop_watch(l, pipes[i][0], readable, &which[i]);
  }
  seen[0] = seen[1] = 0;
  assert_true(loop_pending(l));
  assert_int_equal(write(pipes[1][1], "x", 1), 1);
  assert_int_equal(loop_turn(l, 1000), 1);
  assert_int_equal(seen[0], 0);
  assert_int_equal(seen[1], 1);
  assert_int_equal(loop_turn(l, 0), 0);
  close(pipes[0][1]); /* hang-up is readable */
  assert_int_equal(loop_turn(l, 1000), 1);
  assert_int_equal(seen[0], 1);
  loop_unwatch(l, pipes[1][0]);
  loop_unwatch(l, pipes[1][0]);
  assert_false(loop_pending(l));
  for (int i = 0; i < 20; i++) /* more than the first lists hold */
    loop_watch(l, 100 + i, readable, &which[0]);
  for (int i = 0; i < 20; i++)
    loop_unwatch(l, 100 + i);
  close(pipes[0][0]);
  close(pipes[1][0]);
  close(pipes[1][1]);
}

static void always(void *data, int fd) {
  (*(int *)data)++;
  if (*(int *)data == 3) loop_unwatch(l, fd);
}

/* epoll does not take them, and they never make anybody wait. */
static void regular_files(void **state) {
  (void)state;
  int calls = 0, fd = open("/proc/self/exe", O_RDONLY);
  loop_watch(l, fd, always, &calls);
  for (int i = 0; i < 3; i++)
    assert_int_equal(loop_turn(l, -1), 1);
  assert_int_equal(calls, 3);
  assert_false(loop_pending(l));
  assert_int_equal(loop_turn(l, 1), 0);
  close(fd);
}

static int network_calls;
static unsigned network_events;
static void network_ready(loop_network *self, int fd, unsigned events) {
  (void)self, (void)fd;
  network_calls++;
  network_events = events;
}

static int network_perform(loop_network *self) {
  (void)self;
  return 0;
}

static bool network_busy(const loop_network *self) {
  (void)self;
  return false;
}

static void network_destroy(loop_network *self) {
  (void)self;
}

static int calls_of_turn(void) {
  network_calls = 0;
  network_events = 0;
  loop_turn(l, 20);
  return network_calls;
}

static void sockets_of_the_network(void **state) {
  (void)state;
  static loop_network network = {.due = LOOP_NEVER,
                                 .perform = network_perform,
                                 .busy = network_busy,
                                 .destroy = network_destroy,
                                 .ready = network_ready};
  int pair[2], next[2];
  char byte;
  loop_attach(l, &network);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  assert_true(loop_socket_watch(l, pair[0], LOOP_READ));
  assert_false(loop_pending(l)); /* the network itself says whether it is busy */
  assert_int_equal(calls_of_turn(), 0);
  assert_int_equal(write(pair[1], "x", 1), 1);
  assert_int_equal(calls_of_turn(), 1);
  assert_int_equal(network_events, LOOP_READ);
  assert_true(loop_socket_watch(l, pair[0], LOOP_READ | LOOP_WRITE));
  assert_int_equal(calls_of_turn(), 1);
  assert_int_equal(network_events, LOOP_READ | LOOP_WRITE);
  assert_int_equal(read(pair[0], &byte, 1), 1);

  /* at rest: what comes meanwhile is seen when it is watched again, and does not keep the loop
   * awake */
  assert_true(loop_socket_watch(l, pair[0], LOOP_READ));
  loop_socket_pause(l, pair[0]);
  assert_int_equal(write(pair[1], "y", 1), 1);
  assert_int_equal(calls_of_turn(), 0);
  uint64_t began = loop_now(l);
  assert_int_equal(calls_of_turn(), 0);
  assert_in_range(loop_now(l) - began, 19, 2000);
  assert_true(loop_socket_watch(l, pair[0], LOOP_READ));
  assert_int_equal(calls_of_turn(), 1);
  loop_socket_pause(l, pair[0]);

  /* closed at rest, and the number is another socket */
  close(pair[0]);
  loop_socket_closed(l, pair[0]);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, next), 0);
  assert_int_equal(next[0], pair[0]);
  assert_true(loop_socket_watch(l, next[0], LOOP_READ));
  assert_int_equal(write(next[1], "z", 1), 1);
  assert_int_equal(calls_of_turn(), 1);
  loop_socket_unwatch(l, next[0]);
  assert_int_equal(calls_of_turn(), 0);
  close(next[0]);
  close(next[1]);
  close(pair[1]);
}

static int parts; /* of the idle work that are left */
static bool idle_called;
static bool do_part(void *data) {
  assert_ptr_equal(data, &parts);
  idle_called = true;
  if (parts > 0) parts--;
  return parts > 0;
}

static void idle_work_comes_before_a_wait(void **state) {
  (void)state;
  loop_timer timer = {.fire = note};
  fired_count = 0;
  parts = 3;
  loop_set_idle(l, do_part, &parts);
  loop_turn(l, 0); /* does not wait */
  assert_false(idle_called);
  loop_timer_start(l, &timer, 50);
  uint64_t began = loop_now(l);
  while (parts > 0)
    loop_turn(l, -1); /* the last one waits */
  assert_int_equal(fired_count, 1);
  assert_in_range(loop_now(l) - began, 49, 2000);
  idle_called = false;
  loop_set_idle(l, NULL, NULL);
  loop_turn(l, 1);
  assert_false(idle_called);
}

static unsigned written;
static void fill(void *data, int fd) {
  (void)data;
  char bytes[4096] = {0};
  while (write(fd, bytes, sizeof bytes) > 0)
    written++;
}

static void a_descriptor_is_watched_for_writing(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  written = 0;
  loop_watch_for(l, ends[0], LOOP_WRITE, fill, NULL);
  while (!written)
    loop_turn(l, -1);
  unsigned once = written;
  loop_turn(l, 0); /* it is full: nothing to do */
  assert_int_equal(written, once);
  char bytes[65536];
  while (read(ends[1], bytes, sizeof bytes) > 0)
    ;
  while (written == once)
    loop_turn(l, -1);
  loop_unwatch(l, ends[0]);
  assert_false(loop_pending(l));
  close(ends[0]);
  close(ends[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_descriptor_is_watched_for_writing, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(timers_fire_in_order, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(the_heap_holds, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(callbacks_may_stop_and_start, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(a_turn_ends_in_time, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(wake_ends_the_wait, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(watched_descriptors, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(regular_files, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(sockets_of_the_network, open_loop, close_loop),
      cmocka_unit_test_setup_teardown(idle_work_comes_before_a_wait, open_loop, close_loop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
