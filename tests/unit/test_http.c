/* The transport, against a server that misbehaves on order (http_server.h). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/pem.h>

#include "http_server.h"
#include "net/ca.h"
#include "net/http.h"

static loop *l;
static server plain, tls;
static char plain_base[64], tls_base[64], ca_file[] = "/tmp/f5lua-test-ca-XXXXXX";

static int start_servers(void **state) {
  (void)state;
  close(mkstemp(ca_file));
  server_start(&plain, NULL);
  server_start(&tls, server_tls(ca_file));
  snprintf(plain_base, sizeof plain_base, "http://127.0.0.1:%d", plain.port);
  snprintf(tls_base, sizeof tls_base, "https://127.0.0.1:%d", tls.port);
  return 0;
}

static int stop_servers(void **state) {
  (void)state;
  server_stop(&plain);
  server_stop(&tls);
  unlink(ca_file);
  return 0;
}

static int open_loop(void **state) {
  (void)state;
  plain.connections = plain.requests = plain.dies = plain.most_active = plain.bytes_in = 0;
  tls.connections = tls.requests = 0;
  l = loop_new();
  return !l;
}

static int close_loop(void **state) {
  (void)state;
  loop_delete(l);
  return 0;
}

static int done_count;
static http_request *done_order[64];
static void done(http_request *request) {
  if (done_count < 64) done_order[done_count] = request;
  done_count++;
}

static void run(int count) {
  while (done_count < count)
    loop_turn(l, -1);
  assert_int_equal(loop_turn(l, 0), 0);
  assert_int_equal(done_count, count);
  done_count = 0;
}

static http_peer *peer_to(const char *base) {
  return http_peer_new(l, &(http_peer_options){.base = base, .ca = ca_file, .user_agent = "test"});
}

static http_request call(http_peer *peer, http_request request) {
  static http_request slot; /* the address must stay until it is done */
  slot = request;
  if (!slot.method) slot.method = "GET";
  slot.done = done;
  http_submit(peer, &slot);
  run(1);
  return slot;
}

static void expect(http_request *request, http_failure failure, long status) {
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

static void expect_body(http_request *request, long status, const char *body) {
  if (request->failure != HTTP_OK) fail_msg("%s: %s", request->path, request->error);
  assert_string_equal(request->answer, body);
  assert_int_equal(request->answer_length, strlen(body));
  expect(request, HTTP_OK, status);
}

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
  static const long status[] = {200, 200, 0, 0};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    http_request request = call(peer, (http_request){.path = paths[i]});
    assert_true(request.sent);
    assert_null(request.answer);
    expect(&request, HTTP_BROKEN, status[i]);
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
  expect(&request, HTTP_CONNECT, 0);
  http_peer_release(peer);
  peer = peer_to("ftp://127.0.0.1");
  request = call(peer, (http_request){.path = "/"});
  expect(&request, HTTP_INTERNAL, 0);
  http_peer_release(peer);
}

static void certificates(void **state) {
  (void)state;
  http_peer_options options = {.base = tls_base};
  http_peer *peer = http_peer_new(l, &options); /* the system does not know it */
  http_request request = call(peer, (http_request){.method = "POST", .path = "/echo"});
  assert_false(request.sent);
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  options.insecure = true;
  peer = http_peer_new(l, &options);
  request = call(peer, (http_request){.path = "/echo"});
  expect_body(&request, 200, "GET ");
  http_peer_release(peer);

  options.pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  peer = http_peer_new(l, &options);
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  char base[64];
  snprintf(base, sizeof base, "https://localhost:%d", tls.port); /* not in the certificate */
  peer = peer_to(base);
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  peer = http_peer_new(l, &(http_peer_options){.base = tls_base, .ca = "/no/such/file"});
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  peer = http_peer_new(
      l, &(http_peer_options){.base = tls_base, .ca = ca_file, .cert = "/no/such/file"});
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  snprintf(base, sizeof base, "https://127.0.0.1:%d", plain.port); /* TLS to a plain server */
  peer = peer_to(base);
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  SSL_CTX_set_max_proto_version(tls.tls, TLS1_1_VERSION);
  SSL_CTX_set_min_proto_version(tls.tls, TLS1_VERSION);
  SSL_CTX_set_cipher_list(tls.tls, "DEFAULT@SECLEVEL=0");
  peer = peer_to(tls_base);
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);
  SSL_CTX_set_min_proto_version(tls.tls, 0);
  SSL_CTX_set_max_proto_version(tls.tls, 0);
}

static void client_certificates(void **state) {
  (void)state;
  X509_STORE *store = SSL_CTX_get_cert_store(tls.tls);
  X509_STORE_add_cert(store, SSL_CTX_get0_certificate(tls.tls));
  SSL_CTX_set_verify(tls.tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_session_id_context(tls.tls, (const unsigned char *)"test", 4);
  http_peer *peer = http_peer_new(
      l, &(http_peer_options){.base = tls_base, .ca = ca_file, .cert = ca_file, .key = ca_file});
  http_request request = call(peer, (http_request){.path = "/echo"});
  expect_body(&request, 200, "GET ");
  http_peer_release(peer);
  peer = peer_to(tls_base);
  request =
      call(peer, (http_request){.path = "/echo"}); /* TLS 1.3 servers refuse after the handshake */
  assert_true(request.failure == HTTP_TLS || request.failure == HTTP_BROKEN);
  http_request_clear(&request);
  http_peer_release(peer);
  SSL_CTX_set_verify(tls.tls, SSL_VERIFY_NONE, NULL);
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

static void files(void **state) {
  (void)state;
  http_peer *peer =
      http_peer_new(l, &(http_peer_options){.base = plain_base, .body_limit = 100000});
  char name[] = "/tmp/f5lua-test-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  assert_int_equal(write(fd, "0123456789", 10), 10);
  http_request request = call(peer, (http_request){.method = "POST",
                                                   .path = "/echo",
                                                   .body_from_fd = true,
                                                   .body_fd = fd,
                                                   .body_offset = 3,
                                                   .body_length = 5});
  expect_body(&request, 200, "POST 34567");
  request = call(peer, (http_request){.method = "PUT",
                                      .path = "/echo",
                                      .body_from_fd = true,
                                      .body_fd = fd,
                                      .body_length = 10});
  expect_body(&request, 200, "PUT 0123456789");
  request = call(peer, (http_request){.method = "POST",
                                      .path = "/echo",
                                      .body_from_fd = true,
                                      .body_fd = fd,
                                      .body_length = 11});
  assert_non_null(strstr(request.error, "cannot read the file"));
  expect(&request, HTTP_FILE, 0);
  request = call(
      peer, (http_request){.method = "POST", .path = "/echo", .body = "memory", .body_length = 6});
  expect_body(&request, 200, "POST memory");

  request = call(
      peer,
      (http_request){.path = "/bytes/200000", .sink_to_fd = true, .sink_fd = fd, .sink_offset = 5});
  assert_null(request.answer);
  expect(&request, HTTP_OK, 200);
  assert_int_equal(lseek(fd, 0, SEEK_END), 200005);
  char start[12] = "";
  assert_int_equal(pread(fd, start, 11, 0), 11);
  assert_string_equal(start, "01234abcdef");
  char piece[7000], byte[1];
  assert_int_equal(ftruncate(fd, 0), 0);
  request = call(peer, (http_request){.path = "/bytes/20000",
                                      .sink_to_fd = true,
                                      .sink_fd = fd,
                                      .sink_buffer = piece,
                                      .sink_size = sizeof piece});
  expect(&request, HTTP_OK, 200);
  assert_int_equal(lseek(fd, 0, SEEK_END), 20000);
  assert_int_equal(request.sink_kept, 20000 - 2 * sizeof piece);
  for (size_t i = 0; i < 20000; i++) {
    assert_int_equal(pread(fd, byte, 1, (off_t)i), 1);
    assert_int_equal(*byte, 'a' + i % 26);
  }
  assert_int_equal(piece[0], 'a' + 2 * sizeof piece % 26);
  request = call(peer, (http_request){.path = "/status/404", .sink_to_fd = true, .sink_fd = fd});
  expect_body(&request, 404, "status 404");
  request = call(peer, (http_request){.path = "/bytes/0", .sink_to_fd = true, .sink_fd = fd});
  assert_null(request.answer);
  expect(&request, HTTP_OK, 200);
  int read_only = open("/dev/null", O_RDONLY);
  request =
      call(peer, (http_request){.path = "/bytes/10", .sink_to_fd = true, .sink_fd = read_only});
  assert_non_null(strstr(request.error, "cannot write the file"));
  expect(&request, HTTP_FILE, 200);
  close(read_only);
  close(fd);
  http_peer_release(peer);
}

static uint64_t last_sent, last_received;
static int progress_calls;
static void on_progress(http_request *request, uint64_t sent, uint64_t received) {
  assert_true(sent >= last_sent && received >= last_received);
  last_sent = sent;
  last_received = received;
  progress_calls++;
  if (!request->owner) return;
  http_cancel(request);
  last_sent = last_received = 0; /* the next may be another request's */
}

static void progress(void **state) {
  (void)state;
  http_peer *peer = peer_to(plain_base);
  last_sent = last_received = 0;
  progress_calls = 0;
  http_request request =
      call(peer, (http_request){.path = "/bytes/20000000", .progress = on_progress});
  assert_true(progress_calls > 2);
  assert_true(last_received > 1000000);
  expect(&request, HTTP_OK, 200);
  http_request other = {.method = "GET",
                        .path = "/bytes/20000000",
                        .progress = on_progress,
                        .owner = &other,
                        .done = done};
  http_request third = {.method = "GET",
                        .path = "/bytes/20000000",
                        .progress = on_progress,
                        .owner = &other,
                        .done = done};
  last_sent = last_received = 0;
  http_submit(peer, &other);
  http_submit(peer, &third);
  while (other.failure != HTTP_CANCELLED || third.failure != HTTP_CANCELLED)
    loop_turn(l, 1000);
  http_request_clear(&other);
  http_request_clear(&third);
  assert_int_equal(done_count, 0);
  http_peer_release(peer);
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

static http_failure ask_system_trusted(void) {
  http_peer *peer = http_peer_new(l, &(http_peer_options){.base = tls_base});
  http_request request = call(peer, (http_request){.method = "POST", .path = "/echo"});
  http_failure failure = request.failure;
  assert_false(request.reused);
  http_request_clear(&request);
  http_peer_release(peer);
  return failure;
}

/* What is found in a hashed directory is remembered; what is not there is looked for again. */
static void hashed_directory(void **state) {
  (void)state;
  char directory[] = "/tmp/f5lua-test-certs-XXXXXX", other[] = "/tmp/f5lua-test-certs-XXXXXX",
       link[64];
  assert_non_null(mkdtemp(directory));
  assert_non_null(mkdtemp(other));
  FILE *file = fopen(ca_file, "r");
  X509 *ca = PEM_read_X509(file, NULL, NULL, NULL);
  fclose(file);
  int ok = 0;
  unsigned long hash = X509_NAME_hash_ex(X509_get_subject_name(ca), NULL, NULL, &ok);
  X509_free(ca);
  snprintf(link, sizeof link, "%s/%08lx.0", directory, hash);
  unsetenv("SSL_CERT_FILE");
  setenv("SSL_CERT_DIR", directory, 1);
  assert_int_equal(ask_system_trusted(), HTTP_TLS);
  assert_int_equal(symlink(ca_file, link), 0);
  assert_int_equal(ask_system_trusted(), HTTP_OK);
  unlink(link);
  assert_int_equal(ask_system_trusted(), HTTP_OK);
  setenv("SSL_CERT_DIR", other, 1);
  assert_int_equal(ask_system_trusted(), HTTP_TLS);
  unsetenv("SSL_CERT_DIR");
  rmdir(directory);
  rmdir(other);
}

static void system_certificates(void **state) {
  (void)state;
  const char *directory, *bundle;
  unsetenv("SSL_CERT_DIR");
  unsetenv("SSL_CERT_FILE");
  http_system_ca(&directory, &bundle);
  assert_true(!directory || !bundle); /* never both */
  setenv("SSL_CERT_DIR", "/some/certs", 1);
  http_system_ca(&directory, &bundle);
  assert_string_equal(directory, "/some/certs");
  assert_null(bundle);
  setenv("SSL_CERT_FILE", ca_file, 1);
  http_system_ca(&directory, &bundle);
  assert_null(directory);
  assert_string_equal(bundle, ca_file);
  setenv("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt", 1);
  http_system_ca(&directory, &bundle);
  assert_null(directory); /* /some/certs has nothing */
  setenv("SSL_CERT_FILE", ca_file, 1);
  http_peer *peer = http_peer_new(l, &(http_peer_options){.base = tls_base});
  http_request request = call(peer, (http_request){.path = "/echo"});
  expect_body(&request, 200, "GET ");
  http_peer_release(peer);
  unsetenv("SSL_CERT_DIR");
  unsetenv("SSL_CERT_FILE");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_loop, close_loop)
  const struct CMUnitTest tests[] = {TEST(a_hundred_calls_use_one_connection),
                                     TEST(bodies_of_all_sizes),
                                     TEST(methods_and_bodies),
                                     TEST(what_goes_out),
                                     TEST(answer_headers),
                                     TEST(broken_answers),
                                     TEST(stale_connections),
                                     TEST(nobody_there),
                                     TEST(certificates),
                                     TEST(client_certificates),
                                     TEST(time_limits),
                                     TEST(sockets_that_never_connected),
                                     TEST(size_limit),
                                     TEST(files),
                                     TEST(progress),
                                     TEST(parallel_limit),
                                     TEST(cancelling),
                                     TEST(done_may_free_everything),
                                     TEST(answers_that_a_timer_finds),
                                     TEST(the_last_reference_closes_connections),
                                     TEST(hashed_directory),
                                     TEST(system_certificates)};
  return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
