#include "f5/work/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <openssl/evp.h>

#include "base/metatable.h"
#include "base/write_all.h"
#include "f5/report/error.h"
#include "f5/session/operation.h"
#include "f5/session/session_lua.h"
#include "f5/work/new_file.h"

#define TRANSFER_NAME "f5.transfer"
#define CHUNK ((uint64_t)1 << 20) /* bytes; the limit of devices for one call */
#define REWINDS 16                /* how often a device may lose bytes that it had confirmed */
#define MAX_RANGE 96

typedef struct transfer {
  f5_session *session;
  bool upload, known; /* known: the size is known */
  bool finished;
  int fd;                   /* of the file that is read or written */
  new_file fresh;           /* of a download */
  bool keeps_old;           /* it does not replace a file */
  uint64_t size, offset;    /* of the file, of the next chunk */
  uint64_t length;          /* of the chunk in progress */
  struct timespec modified; /* of the file to upload */
  uint64_t carried;         /* bytes from the start that were sent, or added to the digest */
  unsigned rewinds;
  EVP_MD_CTX *digest; /* NULL if no SHA-256 is requested */
  unsigned char *buffer;
  char *uri, *file;
  char range[MAX_RANGE];
  const char *headers[2];
  f5_operation *op; /* of the chunk in progress, held by user value 1; else NULL */
} transfer;

static void release(transfer *t) {
  if (t->upload) close(t->fd); /* -1 if it is not open: close does nothing */
  t->fd = -1;
  new_file_discard(&t->fresh);
  EVP_MD_CTX_free(t->digest);
  t->digest = NULL;
  free(t->buffer);
  free(t->file);
  t->buffer = NULL;
  t->file = NULL;
  if (t->session) session_release(t->session);
  t->session = NULL;
}

/* The chunk of a cancelled fiber is not in progress any more. */
static bool is_busy(const transfer *t) {
  return t->op && t->op->call.session && t->op->call.state != CALL_IDLE;
}

/* Removes the file of an unfinished download. */
static int transfer_collect(lua_State *L) {
  transfer *t = luaL_checkudata(L, 1, TRANSFER_NAME);
  if (is_busy(t)) call_clear(&t->op->call); /* it uses the buffer */
  release(t);
  free(t->uri); /* an error of the last chunk may have used it */
  t->uri = NULL;
  return 0;
}

/* Also removes the file; a fiber that waits for a chunk gets an error. */
static int transfer_close(lua_State *L) {
  transfer *t = luaL_checkudata(L, 1, TRANSFER_NAME);
  if (is_busy(t)) {
    f5_failure closed;
    failure_set(&closed, KIND_TRANSFER, "the transfer was closed");
    call_fail(&t->op->call, &closed);
    failure_clear(&closed);
  }
  release(t);
  return 0;
}

/* Raises an error of kind "transfer". */
static int fail(lua_State *L, const transfer *t, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(lua_State *L, const transfer *t, const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  f5_failure failure;
  failure_set(&failure, KIND_TRANSFER, "%s", message);
  error_place place = {t->session->label, t->upload ? "POST" : "GET", t->uri, 0};
  error_push_and_clear(L, &failure, &place);
  return lua_error(L);
}

static int fail_file(lua_State *L, const transfer *t, const char *what) {
  return fail(L, t, "%s %s: %s", what, t->file, new_file_reason());
}

/* -- opening -- */

/* Pushes a transfer for the session at 1 and the URI at 2; with true at 4 it computes the SHA-256,
 * which costs a third of the time. file: its name in messages. */
static transfer *transfer_new(lua_State *L, bool upload, const char *file) {
  f5_session *session = session_check(L, 1);
  const char *uri = luaL_checkstring(L, 2);
  transfer *t = lua_newuserdatauv(L, sizeof *t, 1);
  memset(t, 0, sizeof *t);
  t->fd = -1;
  t->fresh = NEW_FILE_NONE;
  luaL_setmetatable(L, TRANSFER_NAME);
  t->session = session_retain(session);
  t->upload = upload;
  t->uri = strdup(uri);
  t->file = strdup(file);
  t->buffer = malloc(CHUNK);
  if (!t->uri || !t->file || !t->buffer) luaL_error(L, "not enough memory");
  if (lua_toboolean(L, 4)) {
    t->digest = EVP_MD_CTX_new();
    if (!t->digest || !EVP_DigestInit_ex(t->digest, EVP_sha256(), NULL))
      luaL_error(L, "not enough memory");
  }
  t->headers[0] = t->range;
  return t;
}

/* Files in /proc are regular files of 0 bytes that have content. */
static bool has_more_than_its_size(const transfer *t, const struct stat *status) {
  char byte;
  return status->st_size == 0 && pread(t->fd, &byte, 1, 0) != 0;
}

static int opened(transfer *t, const struct stat *status) {
  t->size = (uint64_t)status->st_size;
  t->modified = status->st_mtim;
  t->known = true;
  return 1;
}

/* upload(session, uri, file, digested) -> transfer */
static int lua_upload(lua_State *L) {
  transfer *t = transfer_new(L, true, error_check_path(L, 3, "upload"));
  struct stat status;
  t->fd = open(t->file, O_RDONLY | O_CLOEXEC |
                            O_NONBLOCK); /* opening a pipe would block until it has a writer */
  if (t->fd < 0 || fstat(t->fd, &status) != 0) return fail_file(L, t, "cannot read");
  if (S_ISDIR(status.st_mode)) return fail(L, t, "cannot read %s: it is a directory", t->file);
  if (!S_ISREG(status.st_mode) || has_more_than_its_size(t, &status))
    return fail(L, t, "%s has no size, which an upload must send first: copy its content to a file",
                t->file);
  return opened(t, &status);
}

/* upload_text(session, uri, text) -> transfer. The text is never on a disk. */
static int lua_upload_text(lua_State *L) {
  size_t length;
  const char *content = luaL_checklstring(L, 3, &length);
  lua_settop(L, 3);
  transfer *t = transfer_new(L, true, "the text");
  struct stat status;
  t->fd = memfd_create("f5lua", MFD_CLOEXEC);
  if (t->fd < 0 || !write_all(t->fd, content, length) || fstat(t->fd, &status) != 0)
    return fail_file(L, t, "cannot keep");
  return opened(t, &status);
}

/* download(session, uri, file, digested[, size[, new]]) -> transfer. The size is needed for devices
 * that do not report it (12.x). new: no file is replaced.
 */
static int lua_download(lua_State *L) {
  lua_Integer size = luaL_optinteger(L, 5, -1);
  transfer *t = transfer_new(L, false, error_check_path(L, 3, "download"));
  if (!new_file_open(&t->fresh, t->file)) return fail_file(L, t, "cannot write");
  t->fd = t->fresh.fd;
  t->keeps_old = lua_toboolean(L, 6);
  if (size >= 0) {
    t->known = true;
    t->size = (uint64_t)size;
  }
  return 1;
}

/* -- chunks -- */

static void check_idle(lua_State *L, const transfer *t) {
  if (!t->session) luaL_error(L, "the transfer has ended");
  if (is_busy(t)) luaL_error(L, "the transfer is in use by another fiber");
}

/* Call this before preparing a chunk: a finalizer may use the transfer meanwhile. */
static f5_operation *new_operation(lua_State *L, transfer *t, const char *method) {
  f5_operation *op = operation_new(L, t->session, method, t->uri);
  check_idle(L, t);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, 1);
  t->op = op;
  op->call.headers = t->headers;
  return op;
}

static void set_range(transfer *t, uint64_t first, uint64_t last, uint64_t size) {
  snprintf(t->range, sizeof t->range, "Content-Range: %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
           last, size);
}

/* Reads `length` bytes at `offset`, at most CHUNK, into the buffer, which already has the first
 * `there` bytes. Adds the new part to the digest. */
static bool take_piece(transfer *t, uint64_t offset, uint64_t length, uint64_t there) {
  uint64_t got = there;
  while (got < length) {
    ssize_t n = pread(t->fd, t->buffer + got, (size_t)(length - got), (off_t)(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    got += (uint64_t)n;
  }
  uint64_t end = offset + length;
  if (offset <= t->carried && end > t->carried) {
    if (t->digest)
      EVP_DigestUpdate(t->digest, t->buffer + (t->carried - offset), (size_t)(end - t->carried));
    t->carried = end;
  }
  return true;
}

/* Adds the received bytes to the digest. A device may send more than was requested. */
static bool digest_received(transfer *t, uint64_t offset, uint64_t length, uint64_t there) {
  if (!t->digest) return true;
  for (; length > CHUNK; offset += CHUNK, length -= CHUNK)
    if (!take_piece(t, offset, CHUNK, 0)) return false;
  return take_piece(t, offset, length, there);
}

/* Returns to Lua: transferred bytes, size (nil: unknown), whether it was the last chunk */
static int return_place(lua_State *L, const transfer *t) {
  lua_pushinteger(L, (lua_Integer)t->offset);
  if (t->known)
    lua_pushinteger(L, (lua_Integer)t->size);
  else
    lua_pushnil(L);
  lua_pushboolean(L, t->finished);
  return 3;
}

/* Returns the offset of the first byte that the device does not have, from usedChunks in its answer
 * (on top); without usedChunks `sent`.
 */
static uint64_t first_gap(lua_State *L, uint64_t size, uint64_t sent) {
  if (lua_getfield(L, -1, "usedChunks") != LUA_TTABLE) {
    lua_pop(L, 1); /* usedChunks */
    return sent;
  }
  uint64_t at = 0;
  for (;;) {
    char key[24];
    snprintf(key, sizeof key, "%" PRIu64, at);
    lua_getfield(L, -1, key);
    lua_Integer length = lua_tointeger(L, -1);
    lua_pop(L, 1); /* length */
    if (length <= 0 || at >= size) break;
    at += (uint64_t)length;
  }
  lua_pop(L, 1); /* usedChunks */
  return at < size ? at : size;
}

static int sent(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  transfer *t = lua_touserdata(L, 1);
  t->op = NULL;
  operation_result(L, op); /* also raises if the transfer was closed */
  if (!lua_istable(L, -1))
    operation_refuse(L, op, "the answer does not report which bytes have arrived");
  uint64_t next = t->offset + t->length;
  int whole = 0;
  lua_getfield(L, -1, "remainingByteCount");
  lua_Integer remaining = lua_tointegerx(L, -1, &whole);
  lua_pop(L, 1); /* remainingByteCount */
  if ((!whole && next >= t->size) || (whole && remaining < 0))
    operation_refuse(L, op, "the answer does not report how many bytes are missing");
  int has_total = 0;
  lua_getfield(L, -1, "totalByteCount");
  lua_Integer total = lua_tointegerx(L, -1, &has_total);
  lua_pop(L, 1); /* totalByteCount */
  call_clear(&op->call);
  if (whole && remaining > 0 && (uint64_t)remaining <= t->size &&
      (uint64_t)remaining != t->size - next) {
    uint64_t gap = first_gap(L, t->size, t->size - (uint64_t)remaining);
    /* Bytes after that come from an earlier incomplete upload, maybe of another file. */
    if (gap > t->carried) gap = t->carried;
    if (gap < next && ++t->rewinds > REWINDS)
      return fail(L, t, "the device repeatedly loses uploaded bytes: %lld bytes are missing",
                  (long long)remaining);
    next = gap;
  }
  if (whole && remaining == 0)
    next = t->carried; /* the lost chunk was the last one that was missing */
  t->offset = next;
  t->finished = next >= t->size;
  if (t->finished && whole && remaining > 0)
    return fail(L, t, "the device has not received %lld bytes", (long long)remaining);
  if (t->finished && has_total && (uint64_t)total != t->size)
    return fail(L, t, "the device has a file of %lld bytes, not %llu", (long long)total,
                (unsigned long long)t->size);
  return return_place(L, t);
}

static int send_chunk(lua_State *L, transfer *t) {
  f5_operation *op = new_operation(L, t, "POST");
  uint64_t left = t->size - t->offset;
  t->length = left < CHUNK ? left : CHUNK;
  errno = 0;
  if (!take_piece(t, t->offset, t->length, 0)) {
    if (errno) return fail_file(L, t, "cannot read");
    return fail(L, t, "%s became shorter during the upload", t->file);
  }
  set_range(t, t->offset, t->length ? t->offset + t->length - 1 : 0, t->size);
  op->call.content_type = "Content-Type: application/octet-stream";
  op->call.http.body = t->buffer;
  op->call.http.body_length = (size_t)t->length;
  op->call.repeatable = true;
  return operation_write(L, op, 0, sent);
}

/* -- ranges of a download -- */

typedef struct range {
  bool there, has_size;
  uint64_t first, last, size;
} range;

/* Reads digits and moves `at` after them. */
static bool read_count(const char **at, uint64_t *count) {
  char *end;
  if (**at < '0' || **at > '9') return false;
  errno = 0;
  *count = strtoull(*at, &end, 10);
  *at = end;
  return errno == 0 && *count <= INT64_MAX;
}

/* Reads "0-1023/4096", with an asterisk for an unknown size, optionally after "bytes ". Any other
 * value counts as missing. */
static range read_range(const http_request *request) {
  char value[MAX_RANGE];
  range r = {0};
  if (!http_answer_header(request, "Content-Range", value, sizeof value)) return r;
  const char *at = strncasecmp(value, "bytes ", 6) == 0 ? value + 6 : value;
  if (!read_count(&at, &r.first) || *at++ != '-' || !read_count(&at, &r.last) || *at++ != '/')
    return (range){0};
  r.has_size = *at != '*';
  if (r.has_size ? !read_count(&at, &r.size) : !*at++) return (range){0};
  r.there = *at == '\0';
  return r;
}

/* An answer without a range may be a page of a proxy, or part of the file: it is accepted only if
 * its length is the known size of the file. If the size is unknown, `has_size` stays false.
 */
static bool complete_range(const transfer *t, uint64_t there, range *r) {
  if (!r->there) {
    if (!t->known || t->offset || there != t->size) return false;
    *r = (range){.there = true, .last = there ? there - 1 : 0};
  }
  if (!r->has_size && t->known) r->size = t->size;
  return r->has_size || t->known;
}

static int fail_range(lua_State *L, const transfer *t, const http_request *request) {
  char value[MAX_RANGE];
  if (!http_answer_header(request, "Content-Range", value, sizeof value))
    return fail(
        L, t,
        "the answer does not name its part of the file (no Content-Range): the download was "
        "discarded");
  return fail(
      L, t,
      "the answer does not name its part of the file (Content-Range '%s'): the download was "
      "discarded",
      value);
}

/* Some devices reject a request with an unknown size. If the file is shorter than a chunk, the
 * rejection contains its size. */
static int learn_size(lua_State *L, transfer *t, f5_operation *op) {
  range r = read_range(&op->call.http);
  if (!r.there || !r.has_size)
    return fail(L, t,
                "this device does not report the size of a file: give it as size = BYTES (%s)",
                op->call.failure.message);
  if (r.size >= CHUNK || r.size == 0) operation_result(L, op); /* raises */
  t->known = true;
  t->size = r.size;
  call_clear(&op->call);
  return return_place(L, t);
}

static int received(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  const http_request *http = &op->call.http;
  transfer *t = lua_touserdata(L, 1);
  t->op = NULL;
  if (!t->session) operation_result(L, op); /* the transfer was closed: raises */
  if (http->failure == HTTP_FILE)
    return fail(L, t, "%s: %s", t->file, http->error); /* a full disk */
  if (http->failure == HTTP_OK && http->status == 400 && !t->known) return learn_size(L, t, op);
  if (op->call.failure.verdict.kind != KIND_NONE) operation_result(L, op); /* raises */
  struct stat file;
  if (fstat(t->fd, &file) != 0) return fail_file(L, t, "cannot write");
  uint64_t there = (uint64_t)file.st_size;
  range r = read_range(http);
  if ((http->status != 200 && http->status != 206) || !complete_range(t, there, &r))
    return fail_range(L, t, http);
  call_clear(&op->call);
  if (t->known && r.size != t->size)
    return fail(L, t,
                "the file has %" PRIu64 " bytes, not %" PRIu64 ": it changed during the download",
                r.size, t->size);
  uint64_t end = r.size ? r.last + 1 : 0;
  if (r.first != t->offset || there != end || (end <= t->offset && r.size) || end > r.size)
    return fail(L, t,
                "invalid range: the answer has bytes %" PRIu64 " to %" PRIu64 " of %" PRIu64
                "; %" PRIu64 " bytes were received, and bytes from %" PRIu64 " were requested",
                r.first, r.last, r.size, there, t->offset);
  t->known = true;
  t->size = r.size;
  uint64_t length = end - t->offset, kept = op->call.http.sink_kept == length ? length : 0;
  errno = 0;
  if (!digest_received(t, t->offset, length, kept)) {
    if (errno) return fail_file(L, t, "cannot read again");
    return fail(L, t, "the temporary file of %s became shorter", t->file);
  }
  t->offset = end;
  t->finished = end >= r.size;
  return return_place(L, t);
}

/* The limit for one answer: a device that ignores the range sends the rest of the file, and a
 * malicious one could fill the disk. */
static uint64_t sink_limit(const transfer *t) {
  uint64_t limit = t->session->body_limit;
  if (t->known && t->size - t->offset < limit) limit = t->size - t->offset;
  return limit < CHUNK ? CHUNK : limit;
}

static int receive_chunk(lua_State *L, transfer *t) {
  f5_operation *op = new_operation(L, t, "GET");
  if (!t->known) {
    set_range(t, 0, CHUNK - 1, 0);
  } else {
    uint64_t end = t->size - t->offset < CHUNK ? t->size : t->offset + CHUNK;
    set_range(t, t->offset, end ? end - 1 : 0, t->size);
  }
  op->call.http.sink_to_fd = true;
  op->call.http.sink_fd = t->fd;
  op->call.http.sink_offset = t->offset;
  op->call.http.sink_buffer = (char *)t->buffer;
  op->call.http.sink_size = CHUNK;
  op->call.http.sink_limit = sink_limit(t);
  return operation_read(L, op, received);
}

static transfer *check_open(lua_State *L) {
  transfer *t = luaL_checkudata(L, 1, TRANSFER_NAME);
  check_idle(L, t);
  lua_settop(L, 1);
  return t;
}

/* step(transfer) -> transferred bytes, size or nil, finished. Transfers the next chunk. */
static int lua_step(lua_State *L) {
  transfer *t = check_open(L);
  if (t->finished) return return_place(L, t);
  return t->upload ? send_chunk(L, t) : receive_chunk(L, t);
}

/* Writes to `hex`, of 2 * EVP_MAX_MD_SIZE + 1 bytes. */
static void print_digest(const transfer *t, char *hex) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(t->digest, digest, &length);
  for (unsigned i = 0; i < length; i++)
    snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* finish(transfer[, expected]) -> size, SHA-256 in hexadecimal (nil unless it was requested). A
 * download is renamed to its file. Raises if the SHA-256 is not the expected one, and discards the
 * download. */
static int lua_finish(lua_State *L) {
  const char *expected = luaL_optstring(L, 2, NULL);
  transfer *t = check_open(L);
  char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
  if (!t->finished || ((t->upload || t->digest) && t->carried != t->size))
    return fail(L, t, "the transfer of %s is not complete", t->file);
  struct stat status;
  if (fstat(t->fd, &status) != 0) return fail_file(L, t, "cannot read");
  bool touched = t->upload && (status.st_mtim.tv_sec != t->modified.tv_sec ||
                               status.st_mtim.tv_nsec != t->modified.tv_nsec);
  if ((uint64_t)status.st_size != t->size || touched)
    return fail(L, t, "%s changed during the transfer: the copy differs from the file", t->file);
  if (t->digest) print_digest(t, hex);
  if (expected && strcasecmp(expected, hex) != 0)
    return fail(L, t, "the SHA-256 of %s is %s, not %s: %s", t->file, hex, expected,
                t->upload ? "the device has the wrong file now" : "the download was discarded");
  if (!t->upload && !new_file_keep(&t->fresh, t->file, !t->keeps_old)) {
    if (errno == EEXIST)
      return fail(L, t, "%s exists now, and was not replaced: the download was discarded", t->file);
    return fail_file(L, t, "cannot write");
  }
  lua_pushinteger(L, (lua_Integer)t->size);
  if (t->digest)
    lua_pushstring(L, hex);
  else
    lua_pushnil(L);
  release(t);
  return 2;
}

void transfer_setup(lua_State *L) {
  static const luaL_Reg functions[] = {{"upload", lua_upload},     {"upload_text", lua_upload_text},
                                       {"download", lua_download}, {"step", lua_step},
                                       {"finish", lua_finish},     {NULL, NULL}};
  static const luaL_Reg events[] = {
      {"__gc", transfer_collect}, {"__close", transfer_close}, {NULL, NULL}};
  luaL_newmetatable(L, TRANSFER_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "transfer");
  lua_pop(L, 1); /* metatable */
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "transfer");
}
