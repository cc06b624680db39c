#include "f5/session/record.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "base/field.h"
#include "f5/report/error.h"
#include "f5/session/session_lua.h"
#include "net/http.h"

#define RANGE "Content-Range: "
#define COORDINATION "X-F5-REST-Coordination-Id: "

/* Pushes a function of the session's recorder. */
static void push_function(lua_State *L, const f5_session *session, const char *name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &session->recorded);
  lua_getfield(L, -1, name);
  lua_remove(L, -2); /* recorder */
}

static void push_write(lua_State *L, const f5_call *call) {
  const http_request *http = &call->http;
  lua_createtable(L, 0, 12);
  field_string(L, "method", http->method);
  field_string(L, "path", http->path);
  if (http->body) {
    lua_pushlstring(L, http->body, http->body_length);
    lua_setfield(L, -2, "body");
  }
  if (call->coordination)
    field_string(L, "transaction", call->coordination + sizeof COORDINATION - 1);
  for (const char *const *line = call->headers; line && *line; line++) {
    if (strncasecmp(*line, RANGE, sizeof RANGE - 1) == 0)
      field_string(L, "range", *line + sizeof RANGE - 1);
    if (strncasecmp(*line, COORDINATION, sizeof COORDINATION - 1) == 0)
      field_string(L, "transaction", *line + sizeof COORDINATION - 1);
  }
  lua_pushboolean(L, call->harmless);
  lua_setfield(L, -2, "harmless");
  error_push_script_line(L);
  lua_setfield(L, -2, "where");
}

void record_before(lua_State *L, const f5_call *call) {
  luaL_checkstack(L, 8, "recorder");
  push_write(L, call);
  push_function(L, call->session, "before");
  lua_pushvalue(L, -2); /* write */
}

void record_after(lua_State *L, const f5_call *call, int write) {
  const f5_failure *failure = &call->failure;
  char number[24];
  if (!call->session->recorded) return; /* ended meanwhile */
  luaL_checkstack(L, 8, "recorder");
  lua_pushvalue(L, write);
  lua_pushboolean(L, failure->verdict.kind == KIND_NONE);
  lua_setfield(L, -2, "ok");
  lua_pushinteger(L, call->http.status);
  lua_setfield(L, -2, "status");
  if (call->http.answer) {
    lua_pushlstring(L, call->http.answer, call->http.answer_length);
    lua_setfield(L, -2, "answer");
  }
  if (http_answer_header(&call->http, "X-F5lua-Operation", number, sizeof number))
    field_string(L, "operation", number);
  if (failure->verdict.kind != KIND_NONE) field_string(L, "message", failure->message);
  if (failure->verdict.unknown) field_string(L, "outcome", "unknown");
  push_function(L, call->session, "after");
  lua_insert(L, -2);
  lua_call(L, 1, 0);
}

void record_cut_off(lua_State *L, const f5_session *session, int write, bool unknown, bool unsent) {
  if (!session->recorded) return; /* ended meanwhile */
  luaL_checkstack(L, 8, "recorder");
  lua_pushvalue(L, write);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "ok");
  lua_pushinteger(L, 0);
  lua_setfield(L, -2, "status");
  lua_pushboolean(L, unsent);
  lua_setfield(L, -2, "unsent");
  field_string(L, "message", unsent ? "interrupted: not sent" : "interrupted");
  if (unknown) field_string(L, "outcome", "unknown");
  push_function(L, session, "after");
  lua_insert(L, -2);
  lua_call(L, 1, 0);
}

void record_refused(lua_State *L, const f5_call *call) {
  const f5_failure *failure = &call->failure;
  if (!call->session->recorded) return; /* ended meanwhile */
  luaL_checkstack(L, 8, "recorder");
  push_function(L, call->session, "refused");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  push_write(L, call);
  lua_pushinteger(L, call->http.status);
  lua_setfield(L, -2, "status");
  if (call->http.answer) {
    lua_pushlstring(L, call->http.answer, call->http.answer_length);
    lua_setfield(L, -2, "answer");
  }
  if (failure->verdict.kind != KIND_NONE) field_string(L, "message", failure->message);
  lua_call(L, 1, 0);
}

int record_lua(lua_State *L) {
  f5_session *session = session_check(L, 1);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
  session->recorded = !lua_isnil(L, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &session->recorded);
  return 0;
}
