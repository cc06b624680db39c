#include "f5/observe/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <lauxlib.h>
#include <openssl/evp.h>

#include "base/field.h"
#include "base/list.h"
#include "base/metatable.h"
#include "base/push_owned.h"
#include "base/text.h"
#include "f5/observe/har.h"
#include "f5/observe/observed.h"
#include "f5/report/error_kinds.h"
#include "f5/report/secret.h"

#define OBSERVER_NAME "f5.observer"
#define BODY_MAX ((size_t)1 << 20) /* bytes of a body that is kept */
#define FILE_MAX ((size_t)64 * 1024)
#define PIECE 65536
#define HAR_MAX ((size_t)1 << 20) /* bytes of entries that are taken at once */

/* Leaves the exchanges that it has not taken. */
struct f5_observer {
  f5_observer *next, **link; /* in core->observers */
  f5_core *core;
  f5_exchange *at; /* the first one to take, or NULL */
  bool bodies;
};

bool exchange_wanted(const f5_core *core) {
  return core->observers != NULL;
}

static void side_free(exchange_side *s) {
  text_free(&s->headers);
  text_free(&s->body);
}

static void exchange_free(f5_exchange *e) {
  text *const texts[] = {&e->device, &e->where, &e->method, &e->path, &e->line, &e->message};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    text_free(texts[i]);
  side_free(&e->request);
  side_free(&e->response);
  free(e);
}

/* -- bodies -- */

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

static void keep_body(exchange_side *s, const char *body, size_t length, size_t max) {
  s->size = length;
  s->kept = length <= max;
  if (s->kept)
    secret_mask(&s->body, body ? body : "", length);
  else
    digest_memory(s, body, length);
}

/* A small file without binary data is kept, such as a log. A mask cannot find the secrets of binary
 * files, and no file of a device needs to be in a recording as a whole. */
static void keep_file(exchange_side *s, const http_request *request) {
  uint64_t length = request->sink_length;
  s->size = length;
  if (length <= FILE_MAX) {
    char *content = malloc(length + 1);
    ssize_t n =
        content ? pread(request->sink_fd, content, length, (off_t)request->sink_offset) : -1;
    if (n >= 0 && (uint64_t)n == length && !memchr(content, '\0', length))
      keep_body(s, content, length, FILE_MAX);
    free(content);
  }
  if (!s->kept) digest_file(s, request->sink_fd, request->sink_offset, length);
}

static bool is_file(const char *header) {
  static const char type[] = "Content-Type: application/octet-stream";
  return strncasecmp(header, type, sizeof type - 1) == 0;
}

/* Appends a line without secrets. Also headers for other programs than the device have some, such
 * as X-Vault-Token. */
static void put_header(text *headers, const char *line, size_t length) {
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

static void describe_request(exchange_side *s, const http_request *request) {
  bool file = request->body_from_fd;
  for (const char *const *line = request->headers; line && *line; line++) {
    put_header(&s->headers, *line, strlen(*line));
    file = file || is_file(*line);
  }
  if (request->body_from_fd) {
    s->size = request->body_length;
    digest_file(s, request->body_fd, request->body_offset, request->body_length);
  } else if (request->body) {
    keep_body(s, request->body, request->body_length, file ? 0 : BODY_MAX);
  }
}

static void describe_response(exchange_side *s, const http_request *request) {
  for (const char *line = request->answer_headers; line && *line;) {
    const size_t length = strcspn(line, "\n");
    put_header(&s->headers, line, length > 0 && line[length - 1] == '\r' ? length - 1 : length);
    line += length + (line[length] == '\n');
  }
  if (request->answer)
    keep_body(s, request->answer, request->answer_length, BODY_MAX);
  else if (request->sink_to_fd && request->sink_length > 0)
    keep_file(s, request);
}

/* -- new exchanges -- */

static void put_masked(text *to, const char *string) {
  if (string) secret_mask(to, string, strlen(string));
}

static bool wants_bodies(const f5_core *core) {
  for (const f5_observer *one = core->observers; one; one = one->next)
    if (one->bodies) return true;
  return false;
}

f5_exchange *exchange_new(const f5_session *session, const http_request *request,
                          const f5_failure *failure, unsigned attempt, const char *line) {
  if (!exchange_wanted(session->core) || !request->timed) return NULL;
  if (request->failure == HTTP_CANCELLED && !request->times.started) return NULL; /* queued */
  f5_exchange *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  e->core = session->core;
  put_masked(&e->device, session->label);
  put_masked(&e->where, session->where);
  put_masked(&e->path, request->path);
  put_masked(&e->line, line);
  text_put(&e->method, request->method);
  e->internal = request->secret;
  e->status = request->status;
  e->attempt = attempt;
  e->arrived = request->sent;
  if (request->failure != HTTP_OK) e->transport = http_failure_name(request->failure);
  e->times = request->times;
  e->sent = request->bytes_sent;
  e->received = request->bytes_received;
  if (request->failure == HTTP_CANCELLED) {
    e->failure = error_kind_name(KIND_CANCELLED);
  } else if (failure->verdict.kind != KIND_NONE) {
    e->failure = error_kind_name(failure->verdict.kind);
    put_masked(&e->message, failure->message);
  }
  e->with_bodies = wants_bodies(e->core);
  if (e->with_bodies) {
    describe_request(&e->request, request);
    describe_response(&e->response, request);
  }
  return e;
}

void exchange_commit(f5_exchange *e, const char *retry, uint64_t wait_ms) {
  if (!e) return;
  f5_core *core = e->core;
  e->retry = retry;
  e->pause_ms = wait_ms;
  e->number = ++core->exchanges.count;
  for (f5_observer *one = core->observers; one; one = one->next) {
    e->readers++;
    if (!one->at) one->at = e;
  }
  if (!e->readers) {
    exchange_free(e);
    return;
  }
  if (core->exchanges.last)
    core->exchanges.last->next = e;
  else
    core->exchanges.first = e;
  core->exchanges.last = e;
}

/* Moves on to the next exchange; frees those that everybody has taken. */
static void pass(f5_observer *observer) {
  f5_exchange *e = observer->at;
  f5_core *core = observer->core;
  observer->at = e->next;
  e->readers--;
  while (core->exchanges.first && !core->exchanges.first->readers) {
    f5_exchange *done = core->exchanges.first;
    core->exchanges.first = done->next;
    if (!done->next) core->exchanges.last = NULL;
    exchange_free(done);
  }
}

/* -- Lua -- */

static void set_number(lua_State *L, const char *field, uint64_t value) {
  field_integer(L, field, (lua_Integer)value);
}

static void set_times(lua_State *L, const f5_exchange *e) {
  const exchange_times t = exchange_times_of(e);
  set_number(L, "started", t.started);
  set_number(L, "queued", t.queued);
  set_number(L, "duration", e->times.total);
  if (t.connected) {
    set_number(L, "dns", t.lookup);
    set_number(L, "connect", t.connect);
  }
  if (t.secured) set_number(L, "ssl", t.ssl);
  set_number(L, "wait", t.wait);
  set_number(L, "receive", t.receive);
}

static void push_side(lua_State *L, const exchange_side *s) {
  lua_createtable(L, 0, 4);
  field_text(L, "headers", &s->headers);
  if (s->kept) field_text(L, "body", &s->body);
  set_number(L, "size", s->size);
  if (*s->digest) field_string(L, "digest", s->digest);
}

static void push_exchange(lua_State *L, const f5_exchange *e, bool bodies) {
  lua_createtable(L, 0, 26);
  set_number(L, "number", e->number);
  field_text(L, "device", &e->device);
  field_text(L, "where", &e->where);
  field_text(L, "method", &e->method);
  field_text(L, "path", &e->path);
  set_number(L, "status", e->status > 0 ? (uint64_t)e->status : 0);
  set_number(L, "attempt", e->attempt);
  if (e->line.length) field_text(L, "line", &e->line);
  set_times(L, e);
  set_number(L, "sent", e->sent);
  set_number(L, "received", e->received);
  lua_pushboolean(L, e->internal);
  lua_setfield(L, -2, "internal");
  field_string(L, "failure", e->failure);
  if (e->message.length) field_text(L, "message", &e->message);
  field_string(L, "retry", e->retry);
  field_string(L, "transport", e->transport);
  lua_pushboolean(L, e->arrived);
  lua_setfield(L, -2, "arrived");
  if (e->retry) set_number(L, "pause", e->pause_ms * 1000);
  if (!bodies || !e->with_bodies) return;
  push_side(L, &e->request);
  lua_setfield(L, -2, "request");
  push_side(L, &e->response);
  lua_setfield(L, -2, "response");
}

static int stop(lua_State *L) {
  f5_observer *observer = luaL_checkudata(L, 1, OBSERVER_NAME);
  if (!observer->link) return 0;
  LIST_REMOVE(observer);
  while (observer->at)
    pass(observer);
  return 0;
}

int exchange_lua_stop(lua_State *L) {
  return stop(L);
}

int exchange_lua_start(lua_State *L) {
  bool bodies = false;
  if (!lua_isnoneornil(L, 1)) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "bodies");
    bodies = lua_toboolean(L, -1);
  }
  f5_core *core = core_of(L);
  f5_observer *observer = lua_newuserdatauv(L, sizeof *observer, 0);
  *observer = (f5_observer){.core = core, .bodies = bodies};
  luaL_setmetatable(L, OBSERVER_NAME);
  LIST_ADD(&core->observers, observer);
  return 1;
}

int exchange_lua_take(lua_State *L) {
  f5_observer *observer = luaL_checkudata(L, 1, OBSERVER_NAME);
  lua_newtable(L);
  for (lua_Integer i = 1; observer->at; i++) {
    push_exchange(L, observer->at, observer->bodies);
    lua_rawseti(L, -2, i);
    pass(observer); /* after that, so that a lack of memory loses none */
  }
  return 1;
}

int exchange_lua_har(lua_State *L) {
  f5_observer *observer = luaL_checkudata(L, 1, OBSERVER_NAME);
  const char *before = luaL_checkstring(L, 2);
  text entries = {0};
  const f5_exchange *e = observer->at;
  lua_Integer count = 0;
  for (; e && entries.length < HAR_MAX; e = e->next, count++) {
    text_put(&entries, before);
    har_put(&entries, e);
  }
  push_owned_text(L, &entries); /* if memory runs out, none is lost */
  for (lua_Integer i = 0; i < count; i++)
    pass(observer);
  lua_pushinteger(L, count);
  return 2;
}

void exchange_setup(lua_State *L) {
  static const luaL_Reg events[] = {{"__gc", stop}, {NULL, NULL}};
  luaL_newmetatable(L, OBSERVER_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "observer");
  lua_pop(L, 1); /* metatable */
}
