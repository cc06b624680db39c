#include "f5/session/operation.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/owner.h"
#include "f5/report/secret.h"
#include "f5/session/session_lua.h"

#define OPERATION_NAME "f5.operation"
/* bytes of an answer in which secrets are looked for, for the 80 that are shown */
#define START_MASKED 4096

static void wake(f5_call *call) {
  f5_operation *op = call->owner;
  fiber_wake(&op->wait);
}

static void abandon(fiber_wait *wait) {
  f5_operation *op = OWNER(wait, f5_operation, wait);
  call_clear(&op->call);
}

static int operation_collect(lua_State *L) {
  f5_operation *op = lua_touserdata(L, 1);
  call_clear(&op->call);
  text_free(&op->path);
  return 0;
}

f5_operation *operation_new(lua_State *L, f5_session *session, const char *method,
                            const char *path) {
  session_check_open(
      L, session); /* before anything is kept: while a state closes, nothing new is finalized */
  f5_operation *op = lua_newuserdatauv(L, sizeof *op, 0);
  memset(op, 0, sizeof *op);
  luaL_setmetatable(L, OPERATION_NAME);
  call_init(&op->call, session, method, path);
  op->call.owner = op;
  op->call.done = wake;
  op->wait.abandon = abandon;
  return op;
}

static int start(lua_State *L, f5_operation *op, lua_KFunction finish) {
  session_check_open(L, op->call.session);
  op->wait.done = false;
  if (op->path.failed) return luaL_error(L, "not enough memory");
  call_start(&op->call);
  return fiber_await(L, &op->wait, (lua_KContext)op, finish);
}

int operation_read(lua_State *L, f5_operation *op, lua_KFunction finish) {
  return start(L, op, finish);
}

int operation_write(lua_State *L, f5_operation *op, int body, lua_KFunction finish) {
  op->call.write = true;
  if (body) {
    json_encode(L, body, NULL); /* stays on the stack until the call has ended */
    size_t length;
    op->call.http.body = lua_tolstring(L, -1, &length);
    op->call.http.body_length = length;
  }
  return start(L, op, finish);
}

/* What an error shows of an answer that is no JSON, masked before it is cut: half a secret is still
 * one. */
static void keep_start(char *start, size_t size, const char *answer, size_t length) {
  text masked = {0};
  if (*answer == '{' || *answer == '[') { /* only its first character is looked at */
    start[0] = *answer;
    start[1] = '\0';
    return;
  }
  secret_mask(&masked, answer, length < START_MASKED ? length : START_MASKED);
  text_cut(&masked, size - 1);
  snprintf(start, size, "%s", text_string(&masked));
  text_free(&masked);
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
  /* the decoder writes into the text: what an error shows is kept before */
  char start_of_answer[81];
  keep_start(start_of_answer, sizeof start_of_answer, call->http.answer, call->http.answer_length);
  bool decoded = json_decode(L, call->http.answer, call->http.answer_length);
  if (!decoded) {
    bool looks_json = *start_of_answer == '{' || *start_of_answer == '[';
    long status = call->http.status;
    failure_clear(&call->failure);
    if (looks_json)
      failure_set(&call->failure, KIND_PROTOCOL, "the answer is broken JSON: %s",
                  lua_tostring(L, -1));
    else
      failure_set(&call->failure, KIND_PROTOCOL, "the answer is no JSON: it starts with '%s'",
                  start_of_answer);
    call->failure.status = status;
    call->failure.verdict.unknown = false;
    call_push_error(L, call);
    call_clear(call);
    lua_error(L);
  }
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
  lua_pop(L, 1); /* metatable */
}
