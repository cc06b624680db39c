#include "f5/session/operation.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/metatable.h"
#include "base/owner.h"
#include "f5/observe/exchange.h"
#include "f5/report/error.h"
#include "f5/session/cut_off.h"
#include "f5/session/record.h"
#include "f5/session/session_lua.h"

#define OPERATION_NAME "f5.operation"

static void wake(f5_call *call) {
  f5_operation *op = call->owner;
  fiber_wake(&op->wait);
}

static void abandon(fiber_wait *wait) {
  f5_operation *op = OWNER(wait, f5_operation, wait);
  f5_call *call = &op->call;
  if (op->write) op->recorded = session_retain(call->session);
  bool first = call->attempts <= 1; /* a device that answered an earlier one did nothing */
  bool sent = call_stop(call);
  if (call->write && !call->harmless)
    op->cut = sent ? CUT_UNKNOWN : first ? CUT_UNSENT : CUT_REFUSED;
  if (op->cut == CUT_UNKNOWN) cut_off_name(&op->cut_off, call);
  call_clear(call);
}

static void forget_recorded(f5_operation *op) {
  if (op->recorded) session_release(op->recorded);
  op->recorded = NULL;
}

/* The fiber does not get to record_after. */
static void record_cut(lua_State *L, f5_operation *op) {
  if (op->call.session) { /* it had ended already */
    record_after(L, &op->call, op->write);
  } else if (op->recorded) {
    record_cut_off(L, op->recorded, op->write, op->cut == CUT_UNKNOWN, op->cut == CUT_UNSENT);
    forget_recorded(op);
  }
}

static void explain(fiber_wait *wait, lua_State *L) {
  f5_operation *op = OWNER(wait, f5_operation, wait);
  if (op->cut == CUT_UNKNOWN) {
    error_mark_unknown(L);
    cut_off_note(L, &op->cut_off);
  } else if (op->cut != CUT_NONE) {
    error_mark_not_done(L, op->cut == CUT_UNSENT);
  }
  if (op->write) record_cut(L, op);
}

static int operation_collect(lua_State *L) {
  f5_operation *op = luaL_checkudata(L, 1, OPERATION_NAME);
  call_clear(&op->call);
  forget_recorded(op);
  text_free(&op->path);
  text_free(&op->cut_off);
  return 0;
}

f5_operation *operation_new(lua_State *L, f5_session *session, const char *method,
                            const char *path) {
  session_check_open(
      L, session); /* before allocating: objects created while a state closes are not finalized */
  f5_operation *op = lua_newuserdatauv(L, sizeof *op, 0);
  memset(op, 0, sizeof *op);
  luaL_setmetatable(L, OPERATION_NAME);
  call_init(&op->call, session, method, path);
  op->call.owner = op;
  op->call.done = wake;
  op->wait.abandon = abandon;
  op->wait.explain = explain;
  return op;
}

/* Notes the line of the script, "playbook.lua:12", for observers of exchanges. */
static void note_line(lua_State *L, f5_call *call) {
  size_t length;
  const f5_core *core = call->session->core;
  if (!exchange_wanted(core) && !core->notes_lines) return;
  luaL_checkstack(L, 4, "line");
  error_push_script_line(L);
  const char *line = lua_tolstring(L, -1, &length);
  free(call->line);
  call->line = length > 2 ? strndup(line, length - 2) : NULL; /* without ": " */
  lua_pop(L, 1);                                              /* line */
}

static int start(lua_State *L, f5_operation *op, lua_KFunction finish) {
  session_check_open(L, op->call.session);
  note_line(L, &op->call);
  op->wait.done = false;
  if (op->path.failed) return luaL_error(L, "not enough memory");
  call_start(&op->call);
  return fiber_await(L, &op->wait, (lua_KContext)op, finish);
}

static int read_recorded(lua_State *L, int status, lua_KContext context) {
  f5_operation *op = (f5_operation *)context;
  if (op->call.http.status == 501) record_refused(L, &op->call);
  return op->finish(L, status, context);
}

int operation_read(lua_State *L, f5_operation *op, lua_KFunction finish) {
  if (!op->call.session->recorded) return start(L, op, finish);
  op->finish = finish;
  return start(L, op, read_recorded);
}

static int encode(lua_State *L) {
  json_encode(L, 1, NULL);
  return 1;
}

/* Pushes the value at `body` as JSON. A value that JSON does not have is wrong usage. */
static void push_json(lua_State *L, int body) {
  lua_pushcfunction(L, encode);
  lua_pushvalue(L, body);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
  if (lua_type(L, -1) == LUA_TSTRING && strncmp(lua_tostring(L, -1), "cannot encode", 13) == 0)
    error_usage(L, "%s", lua_tostring(L, -1));
  lua_error(L);
}

/* -- writes -- */

static int recorded(lua_State *L, int status, lua_KContext context) {
  f5_operation *op = (f5_operation *)context;
  record_after(L, &op->call, op->write);
  return op->finish(L, status, context);
}

static int start_recorded(lua_State *L, int status, lua_KContext context) {
  (void)status;
  return start(L, (f5_operation *)context, recorded);
}

int operation_write(lua_State *L, f5_operation *op, int body, lua_KFunction finish) {
  op->call.write = true;
  if (body) {
    push_json(L, body); /* stays on the stack until the call has ended */
    size_t length;
    op->call.http.body = lua_tolstring(L, -1, &length);
    op->call.http.body_length = length;
  }
  if (op->call.session->recorded) {
    op->finish = finish;
    record_before(L, &op->call);
    op->write = lua_gettop(L) - 2;
    lua_callk(L, 1, 0, (lua_KContext)op, start_recorded);
    return start_recorded(L, LUA_OK, (lua_KContext)op);
  }
  return start(L, op, finish);
}

void operation_refuse(lua_State *L, f5_operation *op, const char *format, ...) {
  f5_call *call = &op->call;
  char words[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  failure_clear(&call->failure);
  failure_set(&call->failure, KIND_PROTOCOL, "%s", words);
  call->failure.status = call->http.status;
  call->failure.verdict.unknown = call->write;
  call_push_error(L, call);
  call_clear(call);
  lua_error(L);
}

void operation_result(lua_State *L, f5_operation *op) {
  f5_call *call = &op->call;
  if (call->failure.verdict.kind != KIND_NONE) {
    call_push_error(L, call);
    call_clear(call);
    lua_error(L);
  }
  if (!call->http.answer || call->http.answer_length == 0) {
    lua_pushnil(L);
    return;
  }
  if (!json_decode(L, call->http.answer, call->http.answer_length))
    operation_refuse(L, op, "the answer is invalid JSON: %s", lua_tostring(L, -1));
  http_request_clear(&call->http);
}

int operation_answer(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  operation_result(L, op);
  call_clear(&op->call);
  return 1;
}

void operation_setup(lua_State *L) {
  static const luaL_Reg events[] = {{"__gc", operation_collect}, {NULL, NULL}};
  luaL_newmetatable(L, OPERATION_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "operation");
  lua_pop(L, 1); /* metatable */
}
