/* Exchanges: what is sent, what comes back, and how they fail. */
#include "http_world.h"

static void a_hundred_calls_use_one_connection(void **state) {
  (void)state;
  http_peer *peer = peer_to(tls_base);
  for (int i = 0; i < 100; i++) {
    http_request request = call(peer, (http_request){.path = "/bytes/1500"});
    assert_int_equal(request.answer_length, 1500);
    assert_int_equal(request.answer[1500], '\0');
    assert_int_equal(request.reused, i > 0);
    assert_true(request.sent);
    expect(&request, HTTP_OK, 200);
  }
  assert_int_equal(tls.connections, 1);
  assert_int_equal(http_connections_opened(l), 1);
  http_peer_release(peer);
}

static void bodies_from(const char *base) {
  http_peer *peer = peer_to(base);
  static const char *const paths[] = {"/bytes/0",       "/bytes/1",       "/bytes/4095",
                                      "/bytes/3000000", "/chunked/0",     "/chunked/1",
                                      "/chunked/4095",  "/chunked/100000"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    size_t length = (size_t)atoll(strrchr(paths[i], '/') + 1);
    http_request request = call(peer, (http_request){.path = paths[i]});
    assert_int_equal(request.answer_length, length);
    for (size_t k = 0; k < length; k++)
      if (request.answer[k] != (char)('a' + k % 26)) fail_msg("%s differs at %zu", paths[i], k);
    assert_int_equal(request.answer[length], '\0');
    assert_true(request.bytes_received > length);
    expect(&request, HTTP_OK, 200);
  }
  http_peer_release(peer);
}

static void bodies_of_all_sizes(void **state) {
  (void)state;
  bodies_from(plain_base);
  bodies_from(tls_base);
  SSL_CTX_set_max_proto_version(tls.tls, TLS1_2_VERSION); /* as devices up to 13.x */
  bodies_from(tls_base);
  SSL_CTX_set_max_proto_version(tls.tls, 0);
}

static void methods_and_bodies(void **state) {
  (void)state;
  http_peer *peer = peer_to(plain_base);
  static const char *const methods[] = {"POST",    "PUT",  "PATCH", "DELETE", "GET",
                                        "OPTIONS", "POST", "HEAD",  "GET"};
  char expected[64];
  for (int body = 0; body < 2; body++)
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
      bool head = strcmp(methods[i], "HEAD") == 0;
      if (head && body) continue;
      http_request request = call(peer, (http_request){.method = methods[i],
                                                       .path = "/echo",
                                                       .body = body ? "{\"a\":1}" : NULL,
                                                       .body_length = body ? 7 : 0});
      snprintf(expected, sizeof expected, "%s %s", methods[i], body ? "{\"a\":1}" : "");
      expect_body(&request, 200, head ? "" : expected);
    }
  assert_int_equal(plain.connections, 1);
  http_peer_release(peer);
}

static void what_goes_out(void **state) {
  (void)state;
  http_peer *peer = peer_to(plain_base);
  const char *const headers[] = {"X-One: 1", "Content-Type: application/json", NULL};
  http_request request = call(peer, (http_request){.method = "POST",
                                                   .path = "/headers/a/../~Common~x?$select=a%20b",
                                                   .headers = headers,
                                                   .body = "{}",
                                                   .body_length = 2});
  assert_non_null(
      strstr(request.answer, "POST /headers/a/../~Common~x?$select=a%20b HTTP/1.1\r\n"));
  assert_non_null(strstr(request.answer, "\r\nX-One: 1\r\n"));
  assert_non_null(strstr(request.answer, "\r\nContent-Type: application/json\r\n"));
  assert_non_null(strstr(request.answer, "\r\nContent-Length: 2\r\n"));
  assert_non_null(strstr(request.answer, "\r\nUser-Agent: test\r\n"));
  assert_null(strstr(request.answer, "Expect"));
  assert_null(strstr(request.answer, "Accept-Encoding"));
  assert_int_equal(request.bytes_sent, plain.bytes_in);
  expect(&request, HTTP_OK, 200);
  /* nothing of the one before is left */
  request = call(peer, (http_request){.path = "/headers"});
  assert_null(strstr(request.answer, "Content-"));
  assert_null(strstr(request.answer, "X-One"));
  expect(&request, HTTP_OK, 200);
  size_t length = 3 << 20;
  char *big = server_fill(length);
  request = call(
      peer,
      (http_request){.method = "POST", .path = "/headers", .body = big, .body_length = length});
  assert_null(strstr(request.answer, "Expect"));
  assert_null(strstr(request.answer, "Content-Type"));
  assert_true(request.bytes_sent >= length);
  expect(&request, HTTP_OK, 200);
  free(big);
  http_peer_release(peer);
}

static void answer_headers(void **state) {
  (void)state;
  http_peer *peer = peer_to(plain_base);
  char value[32], small[5];
  http_request request = call(peer, (http_request){.path = "/interim"});
  assert_true(http_answer_header(&request, "x-test", value, sizeof value));
  assert_string_equal(value, "some value");
  assert_true(http_answer_header(&request, "X-Test", small, sizeof small));
  assert_string_equal(small, "some");
  assert_false(http_answer_header(&request, "X-Interim", value, sizeof value));
  assert_false(http_answer_header(&request, "X-Tes", value, sizeof value));
  assert_memory_equal(request.answer_headers, "HTTP/1.1 200", 12);
  expect_body(&request, 200, "interim");
  request =
      call(peer, (http_request){.path = "/status/302"}); /* redirects are the owner's business */
  expect_body(&request, 302, "status 302");
  request = call(peer, (http_request){.path = "/status/503"});
  expect_body(&request, 503, "status 503");
  http_peer_release(peer);
}

static void broken_answers(void **state) {
  (void)state;
  http_peer *peer = peer_to(plain_base);
  static const char *const paths[] = {"/truncate", "/reset", "/silent", "/garbage"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    http_request request = call(peer, (http_request){.path = paths[i]});
    assert_true(request.sent);
    assert_null(request.answer);
    expect(&request, HTTP_BROKEN, 0); /* half an answer has no status */
  }
  http_peer_release(peer);
}

static void stale_connections(void **state) {
  (void)state;
  http_peer *peer = peer_to(plain_base);
  /* The server closed: noticed before anything is sent, also for writes. */
  for (int i = 0; i < 3; i++) {
    http_request request = call(peer, (http_request){.method = "POST", .path = "/once"});
    expect_body(&request, 200, "once");
    usleep(30000);
  }
  assert_int_equal(plain.requests, 3);
  /* It closes after it got the request: a read is repeated by libcurl, a write is not. */
  http_request request = call(peer, (http_request){.path = "/die"});
  expect_body(&request, 200, "alive");
  request = call(peer, (http_request){.path = "/die"});
  expect_body(&request, 200, "alive");
  assert_int_equal(plain.dies, 3);
  request =
      call(peer, (http_request){.method = "POST", .path = "/die", .body = "{}", .body_length = 2});
  assert_int_equal(plain.dies, 4);
  assert_true(request.sent);
  expect(&request, HTTP_BROKEN, 0);
  request = call(peer, (http_request){.path = "/die"});
  expect_body(&request, 200, "alive");
  request = call(peer, (http_request){.method = "DELETE", .path = "/die"});
  assert_true(request.sent);
  expect(&request, HTTP_BROKEN, 0);
  http_peer_release(peer);
}

static void nobody_there(void **state) {
  (void)state;
  char base[64];
  int port;
  close(server_listen(&port));
  snprintf(base, sizeof base, "http://127.0.0.1:%d", port);
  http_peer *peer = peer_to(base);
  http_request request = call(peer, (http_request){.path = "/"});
  assert_false(request.sent);
  assert_non_null(strstr(request.error, "127.0.0.1"));
  expect(&request, HTTP_CONNECT, 0);
  http_peer_release(peer);
  peer = peer_to("http://no-such-host.invalid");
  request = call(peer, (http_request){.path = "/"});
  assert_false(request.sent);
  expect(&request, HTTP_RESOLVE, 0);
  http_peer_release(peer);
  peer = http_peer_new(l, &(http_peer_options){.base = plain_base, .proxy = base});
  request = call(peer, (http_request){.path = "/"});
  assert_string_equal(request.proxy_source, "proxy");
  expect(&request, HTTP_PROXY, 0);
  http_peer_release(peer);
  peer = peer_to("ftp://127.0.0.1");
  request = call(peer, (http_request){.path = "/"});
  expect(&request, HTTP_INTERNAL, 0);
  http_peer_release(peer);
}

static void time_limits(void **state) {
  (void)state;
  http_peer *peer = http_peer_new(l, &(http_peer_options){.base = plain_base, .timeout_ms = 60});
  uint64_t began = loop_now(l);
  http_request request = call(peer, (http_request){.path = "/slow/400"});
  assert_in_range(loop_now(l) - began, 55, 390);
  assert_true(request.sent);
  expect(&request, HTTP_TIMEOUT, 0);
  request = call(peer, (http_request){.path = "/slow/150", .timeout_ms = 5000});
  assert_true(request.finished - request.started >= 140);
  expect_body(&request, 200, "150");
  http_peer_release(peer);
  usleep(400000); /* the server's thread wakes up */
}

static void size_limit(void **state) {
  (void)state;
  http_peer *peer = http_peer_new(l, &(http_peer_options){.base = plain_base, .body_limit = 1000});
  static const char *const over[] = {"/bytes/1001", "/chunked/1001", "/chunked/100000",
                                     "/bytes/3000000"};
  for (size_t i = 0; i < sizeof over / sizeof *over; i++) {
    http_request request = call(peer, (http_request){.path = over[i]});
    assert_non_null(strstr(request.error, "1000 bytes"));
    assert_null(request.answer);
    expect(&request, HTTP_TOO_LARGE, 200);
  }
  http_request request = call(peer, (http_request){.path = "/bytes/1000"});
  assert_int_equal(request.answer_length, 1000);
  expect(&request, HTTP_OK, 200);
  request = call(peer, (http_request){.path = "/chunked/1000"});
  assert_int_equal(request.answer_length, 1000);
  expect(&request, HTTP_OK, 200);
  http_peer_release(peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      HTTP_TEST(a_hundred_calls_use_one_connection),
      HTTP_TEST(bodies_of_all_sizes),
      HTTP_TEST(methods_and_bodies),
      HTTP_TEST(what_goes_out),
      HTTP_TEST(answer_headers),
      HTTP_TEST(broken_answers),
      HTTP_TEST(stale_connections),
      HTTP_TEST(nobody_there),
      HTTP_TEST(time_limits),
      HTTP_TEST(size_limit),
  };
  return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
