#include "net/http_receive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
  FIRST_ANSWER_SIZE = 4096,
  FIRST_HEADERS_SIZE = 1024,
  MAX_HEADERS = 300 * 1024 /* bytes of a header block */
};

static bool grow(char **buffer, size_t *size, size_t needed, size_t first) {
  if (needed <= *size) return true;
  size_t next = *size == 0 ? first : *size + *size / 2;
  if (next < needed) next = needed;
  char *bigger = realloc(*buffer, next);
  if (!bigger) return false;
  *buffer = bigger;
  *size = next;
  return true;
}

uint64_t http_receive_limit(const http_transfer *transfer) {
  if (!transfer->to_sink) return transfer->body_limit;
  uint64_t limit = transfer->request->sink_limit;
  return limit ? limit : UINT64_MAX;
}

/* At the first byte: decides where the body goes, and allocates a buffer of the announced size. */
static bool begin_answer(http_transfer *transfer) {
  http_request *request = transfer->request;
  long status = 0;
  transfer->answer_begun = true;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  transfer->to_sink = request->sink_to_fd && status >= 200 && status < 300;
  curl_off_t announced = -1;
  curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  if (announced >= 0 && (uint64_t)announced > http_receive_limit(transfer)) {
    transfer_fail(transfer, HTTP_TOO_LARGE);
    return false;
  }
  if (transfer->to_sink) return true;
  size_t first = announced >= 0 ? (size_t)announced + 1 : FIRST_ANSWER_SIZE;
  if (!grow(&request->answer, &transfer->answer_size, first, first)) {
    transfer_fail(transfer, HTTP_INTERNAL);
    return false;
  }
  return true;
}

static bool write_sink(http_transfer *transfer, const char *data, size_t length) {
  http_request *request = transfer->request;
  while (length > 0) {
    ssize_t written = pwrite(request->sink_fd, data, length,
                             (off_t)(request->sink_offset + transfer->sink_written));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    length -= (size_t)written;
    transfer->sink_written += (uint64_t)written;
  }
  return true;
}

static bool flush_sink(http_transfer *transfer) {
  http_request *request = transfer->request;
  size_t length = transfer->sink_buffered;
  transfer->sink_buffered = 0;
  request->sink_kept = length;
  return write_sink(transfer, request->sink_buffer, length);
}

static bool buffer_sink(http_transfer *transfer, const char *data, size_t length) {
  http_request *request = transfer->request;
  if (!request->sink_buffer) return write_sink(transfer, data, length);
  while (length > 0) {
    size_t room = request->sink_size - transfer->sink_buffered,
           part = length < room ? length : room;
    memcpy(request->sink_buffer + transfer->sink_buffered, data, part);
    transfer->sink_buffered += part;
    data += part;
    length -= part;
    if (part == room && !flush_sink(transfer)) return false;
  }
  return true;
}

size_t http_receive_body(char *data, size_t one, size_t length, void *user) {
  http_transfer *transfer = user;
  http_request *request = transfer->request;
  (void)one; /* always 1 */
  if (!transfer->answer_begun && !begin_answer(transfer)) return 0;
  if (transfer->to_sink) {
    if (transfer->sink_written + transfer->sink_buffered + length > http_receive_limit(transfer))
      return transfer_fail(transfer, HTTP_TOO_LARGE);
    if (!buffer_sink(transfer, data, length)) return transfer_fail(transfer, HTTP_FILE);
    return length;
  }
  if (length > transfer->body_limit - request->answer_length)
    return transfer_fail(transfer, HTTP_TOO_LARGE);
  size_t needed = request->answer_length + length + 1;
  if (!grow(&request->answer, &transfer->answer_size, needed, FIRST_ANSWER_SIZE))
    return transfer_fail(transfer, HTTP_INTERNAL);
  memcpy(request->answer + request->answer_length, data, length);
  request->answer_length += length;
  /* libcurl keeps its buffer for the next exchange, and does not read again what it has passed
   * on. */
  if (request->answer_length <= HTTP_SECRET_LENGTH) explicit_bzero(data, length);
  return length;
}

/* Notes a line "Content-Length: 17". Returns false if another one said something else: then nobody
 * knows where the body ends. */
static bool take_length(http_transfer *transfer, const char *line, size_t length) {
  static const char name[] = "content-length:";
  size_t at = sizeof name - 1;
  if (length < at || (*line | 32) != 'c' || strncasecmp(line, name, at) != 0) return true;
  while (at < length && (line[at] == ' ' || line[at] == '\t'))
    at++;
  uint64_t announced = 0;
  for (; at < length && line[at] >= '0' && line[at] <= '9'; at++)
    announced = announced * 10 + (uint64_t)(line[at] - '0');
  bool known = transfer->length_known && transfer->announced != announced;
  transfer->length_known = true;
  transfer->announced = announced;
  return !known;
}

size_t http_receive_header(char *data, size_t one, size_t length, void *user) {
  http_transfer *transfer = user;
  http_request *request = transfer->request;
  (void)one;
  transfer->answering = true;
  request->bytes_received += length;
  if (length > 5 && memcmp(data, "HTTP/", 5) == 0) {
    transfer->headers_length = 0; /* the previous block was a 100 */
    transfer->headers_ended = transfer->length_known = false;
  }
  if (!take_length(transfer, data, length)) {
    transfer->two_lengths = true;
    return transfer_fail(transfer, HTTP_UNREADABLE);
  }
  if (transfer->headers_length + length > MAX_HEADERS)
    return transfer_fail(transfer, HTTP_UNREADABLE);
  if (data[length - 1] == '\n' && (length == 1 || (length == 2 && *data == '\r')))
    transfer->headers_ended = true;
  if (!grow(&request->answer_headers, &transfer->headers_size,
            transfer->headers_length + length + 1, FIRST_HEADERS_SIZE))
    return transfer_fail(transfer, HTTP_INTERNAL);
  memcpy(request->answer_headers + transfer->headers_length, data, length);
  transfer->headers_length += length;
  request->answer_headers[transfer->headers_length] = '\0';
  return length;
}

bool http_receive_flush(http_transfer *transfer) {
  if (transfer->sink_buffered == 0 || flush_sink(transfer)) return true;
  transfer_fail(transfer, HTTP_FILE);
  return false;
}

bool http_receive_terminate(http_transfer *transfer) {
  http_request *request = transfer->request;
  if (!grow(&request->answer, &transfer->answer_size, request->answer_length + 1, 1)) {
    transfer_fail(transfer, HTTP_INTERNAL);
    return false;
  }
  request->answer[request->answer_length] = '\0';
  return true;
}
