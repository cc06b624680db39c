#include "f5/observe/exchange.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/field.h"
#include "base/list.h"
#include "base/metatable.h"
#include "base/push_owned.h"
#include "base/text.h"
#include "f5/observe/har_file.h"
#include "f5/observe/observed.h"
#include "f5/report/error_kinds.h"
#include "f5/report/secret.h"
#include "f5/work/system.h"

#define OBSERVER_NAME "f5.observer"
#define RAW_MAX ((size_t)1 << 20) /* bytes that wait to be masked */

/* Leaves the exchanges that it has not taken. */
struct f5_observer {
  f5_observer *next, **link; /* in core->observers */
  f5_core *core;
  f5_exchange *at; /* the first one to take, or NULL */
  bool bodies;
  har_file *file; /* that it writes them to; or NULL */
};

bool exchange_wanted(const f5_core *core) {
  return core->observers != NULL;
}

/* -- new exchanges -- */

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
  const bool failed = failure->verdict.kind != KIND_NONE, cut = request->failure == HTTP_CANCELLED;
  e->core = session->core;
  e->internal = request->secret;
  e->status = request->status;
  e->attempt = attempt;
  e->arrived = request->sent;
  if (request->failure != HTTP_OK) e->transport = http_failure_name(request->failure);
  e->times = request->times;
  e->sent = request->bytes_sent;
  e->received = request->bytes_received;
  if (cut || failed) e->failure = error_kind_name(cut ? KIND_CANCELLED : failure->verdict.kind);
  e->with_bodies = wants_bodies(e->core);
  if (!exchange_capture(e, session, request, failed && !cut ? failure->message : NULL, line)) {
    exchange_free(e);
    return NULL;
  }
  /* Those of a failed call may have to wait for the next attempt; a login has secrets. */
  if (e->failure || e->internal) exchange_mask(e);
  return e;
}

/* -- masking, which has time until the loop waits -- */

static core_exchanges *with_raw;

/* Takes the first one that is not masked yet. */
static f5_exchange *take_raw(core_exchanges *all) {
  f5_exchange *e = all->raw;
  all->raw_bytes -= e->raw.length;
  do
    all->raw = all->raw->next;
  while (all->raw && !all->raw->is_raw);
  if (!all->raw) LIST_REMOVE(all);
  return e;
}

static void mask_next(core_exchanges *all) {
  exchange_mask(take_raw(all));
}

static void mask_all(core_exchanges *all) {
  while (all->raw)
    mask_next(all);
}

static void mask_before_end(void) {
  while (with_raw)
    mask_all(with_raw);
}

/* Moves on to the next exchange; frees those that everybody has taken. */
static void pass(f5_observer *observer) {
  f5_exchange *e = observer->at;
  f5_core *core = observer->core;
  observer->at = e->next;
  e->readers--;
  while (core->exchanges.first && !core->exchanges.first->readers) {
    f5_exchange *done = core->exchanges.first;
    if (done == core->exchanges.raw) take_raw(&core->exchanges);
    core->exchanges.first = done->next;
    if (!done->next) core->exchanges.last = NULL;
    exchange_free(done);
  }
}

/* -- recordings -- */

/* Gives a file the exchanges that are masked. now: it writes all of them, and not only if there are
 * many. */
static void save_masked(f5_observer *observer, bool now) {
  while (observer->at && !observer->at->is_raw && har_file_put(observer->file, observer->at))
    pass(observer);
  har_file_write(observer->file, now);
}

/* Masks an exchange, and writes it to the recordings. */
static bool work(void *data) {
  f5_core *core = data;
  if (core->exchanges.raw) mask_next(&core->exchanges);
  for (f5_observer *one = core->observers; one; one = one->next)
    if (one->file) save_masked(one, false);
  return core->exchanges.raw != NULL;
}

/* A server that is as fast as f5lua leaves no time: the loop never waits. */
static void remember_raw(f5_core *core, f5_exchange *e) {
  core_exchanges *all = &core->exchanges;
  if (!all->raw) {
    all->raw = e;
    LIST_ADD(&with_raw, all);
  }
  all->raw_bytes += e->raw.length;
  while (all->raw_bytes > RAW_MAX)
    work(core);
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
  if (e->is_raw) remember_raw(core, e);
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
  if (observer->file) {
    mask_all(&observer->core->exchanges);
    save_masked(observer, true);
  }
  LIST_REMOVE(observer);
  while (observer->at)
    pass(observer);
  har_file_free(observer->file);
  observer->file = NULL;
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
  f5_observer *observer = lua_newuserdatauv(L, sizeof *observer, 1);
  *observer = (f5_observer){.core = core, .bodies = bodies};
  luaL_setmetatable(L, OBSERVER_NAME);
  LIST_ADD(&core->observers, observer);
  loop_set_idle(core->loop, work, core);
  secret_set_before_end(mask_before_end);
  return 1;
}

int exchange_lua_take(lua_State *L) {
  f5_observer *observer = luaL_checkudata(L, 1, OBSERVER_NAME);
  mask_all(&observer->core->exchanges);
  lua_newtable(L);
  for (lua_Integer i = 1; observer->at; i++) {
    push_exchange(L, observer->at, observer->bodies);
    lua_rawseti(L, -2, i);
    pass(observer); /* after that, so that a lack of memory loses none */
  }
  return 1;
}

int exchange_lua_save(lua_State *L) {
  f5_observer *observer = luaL_checkudata(L, 1, OBSERVER_NAME);
  const int fd = append_file_of(L, 2);
  const lua_Integer size = luaL_checkinteger(L, 3);
  const char *end = luaL_checkstring(L, 4);
  luaL_argcheck(L, size >= 0, 3, "must not be negative");
  luaL_argcheck(L, !observer->file, 1, "already writes to a file");
  lua_settop(L, 2);
  lua_setiuservalue(L, 1, 1); /* the file stays open as long as the observer */
  observer->file = har_file_new(fd, (uint64_t)size, end);
  if (!observer->file) luaL_error(L, "not enough memory");
  return 0;
}

int exchange_lua_flush(lua_State *L) {
  f5_observer *observer = luaL_checkudata(L, 1, OBSERVER_NAME);
  luaL_argcheck(L, observer->file, 1, "writes to no file");
  mask_all(&observer->core->exchanges);
  save_masked(observer, true);
  const har_file *file = observer->file;
  lua_pushinteger(L, (lua_Integer)file->count);
  lua_pushinteger(L, (lua_Integer)file->size);
  if (!file->problem) return 2;
  lua_pushfstring(L, "cannot write: %s", strerror(file->problem));
  return 3;
}

void exchange_setup(lua_State *L) {
  static const luaL_Reg events[] = {{"__gc", stop}, {NULL, NULL}};
  luaL_newmetatable(L, OBSERVER_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "observer");
  lua_pop(L, 1); /* metatable */
}
