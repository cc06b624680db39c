/* Bodies from and to files, and the progress of exchanges. */
#include <fcntl.h>

#include "http_world.h"

static int unnamed_file(void) {
  char name[] = "/tmp/f5lua-test-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  return fd;
}

static http_peer *small_peer(void) {
  return http_peer_new(l, &(http_peer_options){.base = plain_base, .body_limit = 100000});
}

static http_request send_file(http_peer *peer, const char *method, int fd, size_t from,
                              size_t length) {
  return call(peer, (http_request){.method = method,
                                   .path = "/echo",
                                   .body_from_fd = true,
                                   .body_fd = fd,
                                   .body_offset = from,
                                   .body_length = length});
}

static void files_are_sent(void **state) {
  (void)state;
  http_peer *peer = small_peer();
  int fd = unnamed_file();
  assert_int_equal(write(fd, "0123456789", 10), 10);
  http_request request = send_file(peer, "POST", fd, 3, 5);
  expect_body(&request, 200, "POST 34567");
  request = send_file(peer, "PUT", fd, 0, 10);
  expect_body(&request, 200, "PUT 0123456789");
  request = send_file(peer, "POST", fd, 0, 11);
  assert_non_null(strstr(request.error, "cannot read the file"));
  expect(&request, HTTP_FILE, 0);
  request = call(
      peer, (http_request){.method = "POST", .path = "/echo", .body = "memory", .body_length = 6});
  expect_body(&request, 200, "POST memory");
  close(fd);
  http_peer_release(peer);
}

static void answers_go_to_files(void **state) {
  (void)state;
  http_peer *peer = small_peer();
  int fd = unnamed_file();
  assert_int_equal(write(fd, "0123456789", 10), 10);
  http_request request = call(
      peer,
      (http_request){.path = "/bytes/200000", .sink_to_fd = true, .sink_fd = fd, .sink_offset = 5});
  assert_null(request.answer);
  expect(&request, HTTP_OK, 200);
  assert_int_equal(lseek(fd, 0, SEEK_END), 200005);
  char start[12] = "";
  assert_int_equal(pread(fd, start, 11, 0), 11);
  assert_string_equal(start, "01234abcdef");
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

static void answers_go_to_files_in_large_pieces(void **state) {
  (void)state;
  http_peer *peer = small_peer();
  int fd = unnamed_file();
  char piece[7000], byte[1];
  http_request request = call(peer, (http_request){.path = "/bytes/20000",
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

int main(void) {
  const struct CMUnitTest tests[] = {
      HTTP_TEST(files_are_sent),
      HTTP_TEST(answers_go_to_files),
      HTTP_TEST(answers_go_to_files_in_large_pieces),
      HTTP_TEST(progress),
  };
  return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
