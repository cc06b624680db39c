/* The session as a script sees it, and the way of every call from a script to a device. */
#include "f5/session/session.h"

#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "f5/report/api_status.h"
#include "f5/report/secret.h"
#include "f5/rest/reference.h"
#include "f5/session/prompt.h"

#define OPERATION_NAME "f5.operation"
#define WAITER_NAME "f5.session.waiter"
#define START_MASKED                                                                               \
  4096 /* bytes of an answer in which secrets are looked for, for the 80 that are shown */

/* -- operations -- */

static void wake(f5_call *call) {
  f5_operation *op = call->owner;
  fiber_wake(&op->wait);
}

static void abandon(fiber_wait *wait) {
  f5_operation *op = (f5_operation *)(void *)((char *)wait - offsetof(f5_operation, wait));
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

int session_read(lua_State *L, f5_operation *op, lua_KFunction finish) {
  return start(L, op, finish);
}

int session_write(lua_State *L, f5_operation *op, int body, lua_KFunction finish) {
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

/* -- the userdata -- */

static f5_session *to_session(lua_State *L, int index) {
  f5_session **box = luaL_testudata(L, index, SESSION_NAME);
  if (!box)
    error_usage(L, "a session is wanted here, not a %s: call methods with a colon, session:close()",
                luaL_typename(L, index));
  if (!*box) error_usage(L, "the session is closed"); /* finalized, at the end of the state */
  return *box;
}

void session_check_open(lua_State *L, const f5_session *session) {
  if (session->phase != SESSION_OPEN)
    error_usage(L, "the session with %s is closed", session->label);
}

f5_session *session_check(lua_State *L, int index) {
  f5_session *session = to_session(L, index);
  session_check_open(L, session);
  return session;
}

static int session_collect(lua_State *L) {
  f5_session **box = lua_touserdata(L, 1);
  if (*box) {
    session_orphan(*box);
    session_release(*box);
    *box = NULL;
  }
  return 0;
}

f5_session **session_push(lua_State *L) {
  f5_session **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, SESSION_NAME);
  return box;
}

static void forget_waiter(fiber_wait *wait) {
  session_waiter *waiter =
      (session_waiter *)(void *)((char *)wait - offsetof(session_waiter, wait));
  if (!waiter->session) return;
  for (session_waiter **at = &waiter->session->waiters; *at; at = &(*at)->next)
    if (*at == waiter) {
      *at = waiter->next;
      break;
    }
  waiter->session = NULL;
}

static int waiter_collect(lua_State *L) {
  session_waiter *waiter = lua_touserdata(L, 1);
  forget_waiter(&waiter->wait);
  return 0;
}

static int closed(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* Also __close. Waits until the token is deleted; a second call waits for the same. */
static int session_close(lua_State *L) {
  f5_session *session = to_session(L, 1);
  session_end(session);
  if (session->phase == SESSION_CLOSED) return 0;
  session_waiter *waiter = lua_newuserdatauv(L, sizeof *waiter, 0);
  if (session->phase == SESSION_CLOSED) return 0; /* while a finalizer waited */
  *waiter =
      (session_waiter){.wait.abandon = forget_waiter, .next = session->waiters, .session = session};
  session->waiters = waiter;
  luaL_setmetatable(L, WAITER_NAME);
  return fiber_await(L, &waiter->wait, 0, closed);
}

static int session_tostring(lua_State *L) {
  const f5_session *session = to_session(L, 1);
  lua_pushfstring(L, "session with %s%s", session->label,
                  session->phase == SESSION_OPEN ? "" : " (closed)");
  return 1;
}

/* session:usage() -> {calls, writes, bytes_sent, bytes_received} so far */
static int session_usage(lua_State *L) {
  const f5_session *session = to_session(L, 1);
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, (lua_Integer)session->usage.calls);
  lua_setfield(L, -2, "calls");
  lua_pushinteger(L, (lua_Integer)session->usage.writes);
  lua_setfield(L, -2, "writes");
  lua_pushinteger(L, (lua_Integer)session->usage.sent);
  lua_setfield(L, -2, "bytes_sent");
  lua_pushinteger(L, (lua_Integer)session->usage.received);
  lua_setfield(L, -2, "bytes_received");
  return 1;
}

/* session:expires_in() -> seconds that the token has left; nil without one */
static int session_expires_in(lua_State *L) {
  const f5_session *session = session_check(L, 1);
  double seconds;
  if (auth_remaining(session, &seconds))
    lua_pushnumber(L, seconds);
  else
    lua_pushnil(L);
  return 1;
}

/* session:label() -> how messages name the device */
static int session_label(lua_State *L) {
  lua_pushstring(L, to_session(L, 1)->label);
  return 1;
}

/* session:username() -> who we are; nil with a token that the script brought */
static int session_username(lua_State *L) {
  const f5_session *session = to_session(L, 1);
  if (session->auth.username)
    lua_pushstring(L, session->auth.username);
  else
    lua_pushnil(L);
  return 1;
}

int session_lua_set_password(lua_State *L) {
  f5_session *session = session_check(L, 1);
  const secret *given = prompt_to_secret(L, 2);
  size_t length = 0;
  const char *password = given ? secret_string(given) : luaL_checklstring(L, 2, &length);
  if (!auth_set_password(session, password, given ? secret_length(given) : length))
    return luaL_error(L, "not enough memory");
  return 0;
}

static int read_only(lua_State *L) {
  return error_usage(
      L, "a session has no fields to set: bip.%s:modify{…} and bip.%s:create{…} change a device",
      luaL_tolstring(L, 2, NULL), lua_tostring(L, -1));
}

void session_setup(lua_State *L) {
  static const luaL_Reg methods[] = {{"close", session_close},
                                     {"usage", session_usage},
                                     {"expires_in", session_expires_in},
                                     {"label", session_label},
                                     {"username", session_username},
                                     {"api_status", api_status_lua_list},
                                     {NULL, NULL}};
  static const luaL_Reg events[] = {{"__gc", session_collect},
                                    {"__close", session_close},
                                    {"__tostring", session_tostring},
                                    {"__newindex", read_only},
                                    {NULL, NULL}};
  static const luaL_Reg operation_events[] = {{"__gc", operation_collect}, {NULL, NULL}};
  static const luaL_Reg waiter_events[] = {{"__gc", waiter_collect}, {NULL, NULL}};
  luaL_newmetatable(L, OPERATION_NAME);
  luaL_setfuncs(L, operation_events, 0);
  luaL_newmetatable(L, WAITER_NAME);
  luaL_setfuncs(L, waiter_events, 0);
  lua_pop(L, 2); /* metatables */
  luaL_newlib(L, methods);
  luaL_newmetatable(L, SESSION_NAME);
  luaL_setfuncs(L, events, 0);
  lua_pushvalue(L, -2); /* methods */
  lua_pushcclosure(L, session_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1); /* metatable */
}
