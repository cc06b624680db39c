/* The life of peers, requests and connections: limits, cancellation, the last reference. */
#include "http_world.h"

/* Nobody accepts, and the queue is full: libcurl gives up while it still connects, and closes the
 * socket without the callback. Its number is somebody else's then. */
static void sockets_that_never_connected(void **state) {
  (void)state;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int deaf = socket(AF_INET, SOCK_STREAM, 0), waiting[4], pair[2];
  assert_int_equal(bind(deaf, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(deaf, 0), 0);
  assert_int_equal(getsockname(deaf, (struct sockaddr *)&address, &size), 0);
  for (int i = 0; i < 4; i++) {
    waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(waiting[i], (struct sockaddr *)&address, sizeof address);
  }
  char base[64];
  snprintf(base, sizeof base, "http://127.0.0.1:%d", ntohs(address.sin_port));
  http_peer *peer = http_peer_new(l, &(http_peer_options){.base = base, .connect_timeout_ms = 50});
  for (int i = 0; i < 3; i++) {
    http_request request = call(peer, (http_request){.path = "/"});
    expect(&request, HTTP_TIMEOUT, 0);
  }
  int others[8];
  for (int i = 0; i < 8; i += 2) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    others[i] = pair[0];
    others[i + 1] = pair[1];
  }
  http_peer_release(peer);
  for (int i = 0; i < 8; i += 2)
    assert_int_equal(send(others[i], "x", 1, MSG_NOSIGNAL), 1);
  for (int i = 0; i < 8; i++)
    close(others[i]);
  for (int i = 0; i < 4; i++)
    close(waiting[i]);
  close(deaf);
}

static void parallel_limit(void **state) {
  (void)state;
  enum { COUNT = 12 };
  http_peer *peer =
      http_peer_new(l, &(http_peer_options){.base = plain_base, .parallel = 3, .timeout_ms = 400});
  static http_request requests[COUNT];
  for (int i = 0; i < COUNT; i++) {
    requests[i] = (http_request){.method = "GET", .path = "/slow/150", .done = done};
    http_submit(peer, &requests[i]); /* the last waits longer than its time limit */
  }
  while (done_count < COUNT)
    loop_turn(l, -1);
  done_count = 0;
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal((int)(done_order[i] - requests) / 3, i / 3); /* first come, first served */
    assert_in_range(requests[i].finished - requests[i].started, 140, 399);
    expect_body(&requests[i], 200, "150");
  }
  assert_int_equal(plain.most_active, 3);
  assert_int_equal(plain.connections, 3);
  http_peer_release(peer);
}

static http_request chain[2];
static void cancel_other(http_request *request) {
  done(request);
  http_cancel(&chain[request == &chain[0]]);
  http_cancel(request); /* nothing: it is done */
}

static void cancelling(void **state) {
  (void)state;
  http_peer *peer = http_peer_new(l, &(http_peer_options){.base = plain_base, .parallel = 1});
  http_request running = {.method = "GET", .path = "/slow/100", .done = done}, queued = running,
               last = running;
  last.path = "/echo";
  http_submit(peer, &running);
  http_submit(peer, &queued);
  http_submit(peer, &last);
  for (int i = 0; i < 5; i++)
    loop_turn(l, 2);
  http_cancel(&queued);
  http_cancel(&running);
  http_cancel(&running);
  assert_int_equal(running.failure, HTTP_CANCELLED);
  assert_true(running.sent);
  assert_false(queued.sent);
  run(1);
  assert_ptr_equal(done_order[0], &last);
  expect_body(&last, 200, "GET ");
  http_request_clear(&running);
  http_request_clear(&queued);
  /* before anything happened */
  http_submit(peer, &last);
  http_cancel(&last);
  assert_int_equal(loop_turn(l, 0), 0);
  assert_false(loop_pending(l));
  http_peer_release(peer);
  /* from another's done, also when both have finished in one turn */
  peer = peer_to(plain_base);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 2; i++) {
      chain[i] = (http_request){.method = "GET", .path = "/echo", .done = cancel_other};
      http_submit(peer, &chain[i]);
    }
    while (done_count == 0) {
      usleep(20000);
      loop_turn(l, 1000);
    }
    assert_int_equal(done_count, 1);
    assert_false(loop_pending(l));
    done_count = 0;
    http_request_clear(&chain[0]);
    http_request_clear(&chain[1]);
  }
  http_peer_release(peer);
}

static http_peer *owned;
static void release_in_done(http_request *request) {
  done(request);
  http_request_clear(request);
  free(request);
  http_peer_release(owned);
}

static void done_may_free_everything(void **state) {
  (void)state;
  owned = peer_to(tls_base);
  http_request *request = calloc(1, sizeof *request);
  *request = (http_request){.method = "GET", .path = "/echo", .done = release_in_done};
  http_submit(owned, request);
  run(1);
}

static void wait_until_closed(const server *s, int open) {
  for (int i = 0; i < 300 && s->open > open; i++)
    usleep(10000);
  assert_int_equal(s->open, open);
}

/* The head of an answer and its body are two TLS records that come together. When one of libcurl's
 * timers has it read the first, OpenSSL has both, and the socket is empty: nothing but the loop's
 * own look tells that there is more. */
static void answers_that_a_timer_finds(void **state) {
  (void)state;
  http_peer_options options = {.base = tls_base, .ca = ca_file, .connect_timeout_ms = 150};
  http_peer *peer = http_peer_new(l, &options), *other = peer_to(plain_base);
  http_request slow = {.method = "GET", .path = "/slow/50", .done = done, .timeout_ms = 5000},
               next = slow;
  int before = tls.requests;
  next.path = "/echo";
  http_submit(peer, &slow);
  for (int i = 0; i < 1000 && tls.requests == before; i++)
    loop_turn(l, 1);
  usleep(250000); /* the answer is there, and the time to connect is over */
  http_submit(other, &next);
  run(2);
  expect_body(&slow, 200, "50");
  expect(&next, HTTP_OK, 200);
  http_peer_release(peer);
  http_peer_release(other);
}

static void the_last_reference_closes_connections(void **state) {
  (void)state;
  wait_until_closed(&plain, 0);
  http_peer *one = peer_to(plain_base), *two = peer_to(plain_base);
  http_request request = call(one, (http_request){.path = "/echo"});
  expect(&request, HTTP_OK, 200);
  /* The second peer uses the first one's connection just now: it is not taken away. */
  http_request running = {.method = "GET", .path = "/slow/150", .done = done};
  http_submit(two, &running);
  loop_turn(l, 20);
  loop_turn(l, 20);
  http_peer_release(one);
  run(1);
  assert_true(running.reused);
  expect_body(&running, 200, "150");
  assert_int_equal(plain.connections, 1);
  http_peer_release(two);
  http_peer *three = peer_to(plain_base);
  request = call(three, (http_request){.method = "POST", .path = "/echo"});
  expect(&request, HTTP_OK, 200);
  http_peer_release(http_peer_retain(three));
  usleep(50000);
  assert_true(plain.open > 0);
  int before = plain.open;
  http_peer_release(three);
  wait_until_closed(&plain, plain.connections == 1 ? before : before - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      HTTP_TEST(sockets_that_never_connected),
      HTTP_TEST(parallel_limit),
      HTTP_TEST(cancelling),
      HTTP_TEST(done_may_free_everything),
      HTTP_TEST(answers_that_a_timer_finds),
      HTTP_TEST(the_last_reference_closes_connections),
  };
  return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
