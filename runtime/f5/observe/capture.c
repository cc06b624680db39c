/* What an exchange has: kept at once, masked later. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "f5/observe/observed.h"
#include "f5/report/secret.h"

#define BODY_MAX ((size_t)1 << 20) /* bytes of a body that is kept */
#define FILE_MAX ((size_t)64 * 1024)
#define PIECE 65536

static void side_free(exchange_side *s) {
  text_free(&s->headers);
  text_free(&s->body);
}

void exchange_free(f5_exchange *e) {
  text *const texts[] = {&e->device, &e->where, &e->method, &e->path, &e->line, &e->message};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    text_free(texts[i]);
  side_free(&e->request);
  side_free(&e->response);
  secret_text_free(&e->raw);
  free(e);
}

/* -- digests -- */

static void print_digest(EVP_MD_CTX *context, char *hex) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (!EVP_DigestFinal_ex(context, digest, &length) || length != 32) return;
  for (unsigned i = 0; i < length; i++)
    snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void digest_memory(exchange_side *s, const char *body, size_t length) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
      EVP_DigestUpdate(context, body, length))
    print_digest(context, s->digest);
  EVP_MD_CTX_free(context);
}

/* The digest of a part of a file; empty if it cannot be read again. */
static void digest_file(exchange_side *s, int fd, uint64_t offset, uint64_t length) {
  unsigned char piece[PIECE];
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);
  while (good && length > 0) {
    ssize_t n = pread(fd, piece, length < PIECE ? (size_t)length : PIECE, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    good = n > 0 && EVP_DigestUpdate(context, piece, (size_t)n);
    offset += n > 0 ? (uint64_t)n : 0;
    length -= n > 0 ? (uint64_t)n : 0;
  }
  if (good) print_digest(context, s->digest);
  EVP_MD_CTX_free(context);
}

/* -- capture -- */

/* Appends to a part, which must be the last one that has something. */
static void put(f5_exchange *e, enum exchange_part part, const char *bytes, size_t length) {
  text_add(&e->raw, bytes, length);
  e->raw_length[part] += length;
}

static void put_string(f5_exchange *e, enum exchange_part part, const char *string) {
  if (string) put(e, part, string, strlen(string));
}

static void keep_body(f5_exchange *e, exchange_side *s, enum exchange_part part, const char *body,
                      size_t length, size_t max) {
  s->size = length;
  s->kept = length <= max;
  if (!s->kept)
    digest_memory(s, body, length);
  else if (length)
    put(e, part, body, length);
}

/* A small file without binary data is kept, such as a log. A mask cannot find the secrets of binary
 * files, and no file of a device needs to be in a recording as a whole. */
static void keep_file(f5_exchange *e, const http_request *request) {
  exchange_side *s = &e->response;
  uint64_t length = request->sink_length;
  s->size = length;
  s->is_file = true;
  if (length <= FILE_MAX) {
    char *content = malloc(length + 1);
    ssize_t n =
        content ? pread(request->sink_fd, content, length, (off_t)request->sink_offset) : -1;
    if (n >= 0 && (uint64_t)n == length && !memchr(content, '\0', length))
      keep_body(e, s, PART_RESPONSE_BODY, content, length, FILE_MAX);
    free(content);
  }
  if (!s->kept) digest_file(s, request->sink_fd, request->sink_offset, length);
}

static bool is_file(const char *header) {
  static const char type[] = "Content-Type: application/octet-stream";
  return strncasecmp(header, type, sizeof type - 1) == 0;
}

/* The session's own secrets are in locked memory, and get no further. */
static void keep_header(f5_exchange *e, const char *line) {
  static const char *const own[] = {"X-F5-Auth-Token: ", "Authorization: "};
  size_t length = strlen(line);
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    if (strncasecmp(line, own[i], strlen(own[i])) != 0) continue;
    length = strlen(own[i]);
    put(e, PART_REQUEST_HEADERS, line, length);
    put_string(e, PART_REQUEST_HEADERS, SECRET_MASK "\n");
    return;
  }
  put(e, PART_REQUEST_HEADERS, line, length);
  put(e, PART_REQUEST_HEADERS, "\n", 1);
}

static void keep_request(f5_exchange *e, const http_request *request) {
  exchange_side *s = &e->request;
  bool file = request->body_from_fd;
  for (const char *const *line = request->headers; line && *line; line++) {
    keep_header(e, *line);
    file = file || is_file(*line);
  }
  if (request->body_from_fd) {
    s->size = request->body_length;
    digest_file(s, request->body_fd, request->body_offset, request->body_length);
  } else if (request->body) {
    keep_body(e, s, PART_REQUEST_BODY, request->body, request->body_length, file ? 0 : BODY_MAX);
  }
}

static void keep_response(f5_exchange *e, const http_request *request) {
  put_string(e, PART_RESPONSE_HEADERS, request->answer_headers);
  if (request->answer)
    keep_body(e, &e->response, PART_RESPONSE_BODY, request->answer, request->answer_length,
              BODY_MAX);
  else if (request->sink_to_fd && request->sink_length > 0)
    keep_file(e, request);
}

static size_t length_of(const char *string) {
  return string ? strlen(string) : 0;
}

static size_t body_room(uint64_t length, size_t max) {
  return length <= max ? (size_t)length : 0;
}

/* At least as many bytes as `raw` will get: if it grew, it would leave copies in the memory. */
static size_t room_for(const f5_exchange *e, const f5_session *session, const http_request *request,
                       const char *message, const char *line) {
  size_t room = length_of(session->label) + length_of(session->where) + length_of(request->path) +
                length_of(message) + length_of(line);
  if (!e->with_bodies) return room;
  for (const char *const *one = request->headers; one && *one; one++)
    room += strlen(*one) + sizeof SECRET_MASK + 1;
  room += length_of(request->answer_headers) + body_room(request->answer_length, BODY_MAX);
  if (request->body && !request->body_from_fd) room += body_room(request->body_length, BODY_MAX);
  if (request->sink_to_fd) room += body_room(request->sink_length, FILE_MAX);
  return room;
}

bool exchange_capture(f5_exchange *e, const f5_session *session, const http_request *request,
                      const char *message, const char *line) {
  e->is_raw = true;
  e->raw = secret_text(room_for(e, session, request, message, line));
  put_string(e, PART_DEVICE, session->label);
  put_string(e, PART_WHERE, session->where);
  put_string(e, PART_PATH, request->path);
  put_string(e, PART_LINE, line);
  put_string(e, PART_MESSAGE, message);
  text_put(&e->method, request->method);
  if (e->with_bodies) {
    keep_request(e, request);
    keep_response(e, request);
  }
  return !e->raw.failed;
}

/* -- masks -- */

/* Appends a line without secrets. Also headers for other programs than the device have some, such
 * as X-Vault-Token. */
static void mask_header(text *headers, const char *line, size_t length) {
  static const char cookie[] = "cookie";
  const char *colon = memchr(line, ':', length);
  const size_t name = colon ? (size_t)(colon - line) : 0, end = sizeof cookie - 1;
  if (name > 0 && (secret_name(line, name) ||
                   (name >= end && strncasecmp(line + name - end, cookie, end) == 0))) {
    text_add(headers, line, name);
    text_put(headers, ": " SECRET_MASK);
  } else {
    secret_mask(headers, line, length);
  }
  text_char(headers, '\n');
}

static void mask_headers(text *headers, const char *lines, size_t length) {
  text_reserve(headers, length);
  for (size_t at = 0; at < length;) {
    const char *stop = memchr(lines + at, '\n', length - at);
    const size_t next = stop ? (size_t)(stop - lines) + 1 : length;
    size_t end = stop ? next - 1 : length;
    if (end > at && lines[end - 1] == '\r') end--;
    mask_header(headers, lines + at, end - at);
    at = next;
  }
}

void exchange_mask(f5_exchange *e) {
  if (!e->is_raw) return;
  text *const parts[PARTS] = {
      [PART_DEVICE] = &e->device,
      [PART_WHERE] = &e->where,
      [PART_PATH] = &e->path,
      [PART_LINE] = &e->line,
      [PART_MESSAGE] = &e->message,
      [PART_REQUEST_HEADERS] = &e->request.headers,
      [PART_REQUEST_BODY] = &e->request.body,
      [PART_RESPONSE_HEADERS] = &e->response.headers,
      [PART_RESPONSE_BODY] = &e->response.body,
  };
  const char *at = text_string(&e->raw);
  for (int part = 0; part < PARTS; part++) {
    const size_t length = e->raw_length[part];
    if (part == PART_REQUEST_HEADERS || part == PART_RESPONSE_HEADERS)
      mask_headers(parts[part], at, length);
    else if (part == PART_RESPONSE_BODY && e->response.is_file) /* a script, a configuration … */
      secret_mask_command(parts[part], at, length);
    else if (length)
      secret_mask(parts[part], at, length);
    at += length;
  }
  secret_text_free(&e->raw);
  e->is_raw = false;
}
