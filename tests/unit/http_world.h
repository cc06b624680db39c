/* What the tests of HTTP share: two servers, a loop for each test, and calls that wait. */
#ifndef HTTP_WORLD_H
#define HTTP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_server.h"
#include "net/http.h"

static loop *l;
static server plain, tls;
static char plain_base[64], tls_base[64], ca_file[] = "/tmp/f5lua-test-ca-XXXXXX";

static inline int start_servers(void **state) {
  (void)state;
  close(mkstemp(ca_file));
  server_start(&plain, NULL);
  server_start(&tls, server_tls(ca_file));
  snprintf(plain_base, sizeof plain_base, "http://127.0.0.1:%d", plain.port);
  snprintf(tls_base, sizeof tls_base, "https://127.0.0.1:%d", tls.port);
  return 0;
}

static inline int stop_servers(void **state) {
  (void)state;
  server_stop(&plain);
  server_stop(&tls);
  unlink(ca_file);
  return 0;
}

static inline int open_loop(void **state) {
  (void)state;
  plain.connections = plain.requests = plain.dies = plain.most_active = plain.bytes_in = 0;
  tls.connections = tls.requests = 0;
  l = loop_new();
  return !l;
}

static inline int close_loop(void **state) {
  (void)state;
  loop_delete(l);
  return 0;
}

static int done_count;
static http_request *done_order[64];
static inline void done(http_request *request) {
  if (done_count < 64) done_order[done_count] = request;
  done_count++;
}

static inline void run(int count) {
  while (done_count < count)
    loop_turn(l, -1);
  assert_int_equal(loop_turn(l, 0), 0);
  assert_int_equal(done_count, count);
  done_count = 0;
}

static inline http_peer *peer_to(const char *base) {
  return http_peer_new(l, &(http_peer_options){.base = base, .ca = ca_file, .user_agent = "test"});
}

static inline http_request call(http_peer *peer, http_request request) {
  static http_request slot; /* the address must stay until it is done */
  slot = request;
  if (!slot.method) slot.method = "GET";
  slot.done = done;
  http_submit(peer, &slot);
  run(1);
  return slot;
}

static inline void expect(http_request *request, http_failure failure, long status) {
  if (request->failure != failure)
    fail_msg("%s: %s, not %s (%s)", request->path, http_failure_name(request->failure),
             http_failure_name(failure), request->error);
  assert_int_equal(request->status, status);
  if (failure == HTTP_OK)
    assert_string_equal(request->error, "");
  else
    assert_string_not_equal(request->error, "");
  http_request_clear(request);
}

static inline void expect_body(http_request *request, long status, const char *body) {
  if (request->failure != HTTP_OK) fail_msg("%s: %s", request->path, request->error);
  assert_string_equal(request->answer, body);
  assert_int_equal(request->answer_length, strlen(body));
  expect(request, HTTP_OK, status);
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, open_loop, close_loop)

#endif
