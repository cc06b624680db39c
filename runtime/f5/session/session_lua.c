#include "f5/session/session_lua.h"

#include <stddef.h>
#include <string.h>

#include <lauxlib.h>

#include "base/metatable.h"
#include "f5/report/error.h"
#include "f5/report/secret.h"
#include "f5/session/login.h"
#include "f5/session/prompt.h"
#include "f5/session/shutdown.h"
#include "fiber/fiber_event_wait.h"

static f5_session *to_session(lua_State *L, int index) {
  f5_session **box = luaL_testudata(L, index, SESSION_NAME);
  if (!box)
    error_usage(L, "expected a session, got a %s: call methods with a colon, session:close()",
                luaL_typename(L, index));
  if (!*box) error_usage(L, "the session is closed"); /* finalized when the state closes */
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

/* What a closed session's recorder refers to may be much: a whole check. */
static void forget_recorder(lua_State *L, f5_session *session) {
  if (!session->recorded) return;
  session->recorded = false;
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &session->recorded);
}

static int session_collect(lua_State *L) {
  f5_session **box = luaL_checkudata(L, 1, SESSION_NAME);
  if (*box) {
    forget_recorder(L, *box);
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

/* context: whether there is an error to raise, at 3 */
static int closed(lua_State *L, int status, lua_KContext context) {
  (void)status;
  forget_recorder(L, to_session(L, 1));
  if (!context) return 0;
  lua_settop(L, 3);
  return lua_error(L);
}

/* Waits until the token is deleted; a second call waits for the same deletion. */
static int end(lua_State *L, bool failed) {
  f5_session *session = to_session(L, 1);
  session_end(session);
  if (session->phase == SESSION_CLOSED) return closed(L, LUA_OK, failed);
  return fiber_event_await(L, &session->closed, 1, failed, closed);
}

static int session_close(lua_State *L) {
  return end(L, false);
}

int session_lua_lease(lua_State *L) {
  f5_session *session = session_check(L, 1);
  lua_Number end = luaL_optnumber(L, 2, 0);
  luaL_argcheck(L, end >= 0 && end < 1e12, 2, "must be a time of boot_time()");
  session->lease_ms = (uint64_t)(end * 1000);
  return 0;
}

int session_lua_boot_time(lua_State *L) {
  lua_pushnumber(L, (lua_Number)session_boot_time() / 1000);
  return 1;
}

/* The key of the function that session_lua_before_close sets. */
static const char before_close;

static int finished_before(lua_State *L, int status, lua_KContext context) {
  (void)context;
  return end(L, status != LUA_OK && status != LUA_YIELD);
}

/* __close(session, error) */
static int session_leave(lua_State *L) {
  const f5_session *session = to_session(L, 1);
  lua_settop(L, 2);
  if (session->phase != SESSION_OPEN ||
      lua_rawgetp(L, LUA_REGISTRYINDEX, &before_close) != LUA_TFUNCTION)
    return end(L, false);
  lua_pushinteger(L, (lua_Integer)session->serial);
  lua_pushvalue(L, 2);
  return finished_before(L, lua_pcallk(L, 2, 0, 0, 0, finished_before), 0);
}

int session_lua_before_close(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &before_close);
  return 0;
}

int session_lua_serial(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)core_of(L)->serial);
  return 1;
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

/* session:expires_in() -> seconds until the token expires; nil without a token */
static int session_expires_in(lua_State *L) {
  const f5_session *session = session_check(L, 1);
  double seconds;
  if (login_remaining(session, &seconds))
    lua_pushnumber(L, seconds);
  else
    lua_pushnil(L);
  return 1;
}

/* session:label() -> the name of the device in messages */
static int session_label(lua_State *L) {
  lua_pushstring(L, to_session(L, 1)->label);
  return 1;
}

/* session:username() -> string; nil if the script provided the token */
static int session_username(lua_State *L) {
  const f5_session *session = to_session(L, 1);
  if (session->credentials.username)
    lua_pushstring(L, session->credentials.username);
  else
    lua_pushnil(L);
  return 1;
}

int session_lua_address(lua_State *L) {
  lua_pushstring(L, to_session(L, 1)->where);
  return 1;
}

int session_lua_set_password(lua_State *L) {
  f5_session *session = session_check(L, 1);
  const secret *given = prompt_to_secret(L, 2);
  size_t length = 0;
  const char *password = given ? secret_string(given) : luaL_checklstring(L, 2, &length);
  if (!credentials_set_password(&session->credentials, password,
                                given ? secret_length(given) : length))
    return luaL_error(L, "not enough memory");
  return 0;
}

int session_lua_unchanged(lua_State *L) {
  f5_session *session = session_check(L, 1);
  const lua_Integer count = luaL_checkinteger(L, 2);
  uint64_t *writes = &session->usage.writes;
  if (count > 0) *writes -= (uint64_t)count < *writes ? (uint64_t)count : *writes;
  return 0;
}

/* session:api_status() -> array of { status, method, path, count }, oldest first */
static int session_api_status(lua_State *L) {
  api_status_push(L, session_check(L, 1)->api_statuses);
  return 1;
}

static int read_only(lua_State *L) {
  return error_usage(
      L,
      "cannot set fields of a session: use bip.%s:modify{…} or bip.%s:create{…} to change a device",
      luaL_tolstring(L, 2, NULL), lua_tostring(L, -1));
}

void session_setup(lua_State *L) {
  static const luaL_Reg methods[] = {{"close", session_close},
                                     {"usage", session_usage},
                                     {"expires_in", session_expires_in},
                                     {"label", session_label},
                                     {"username", session_username},
                                     {"api_status", session_api_status},
                                     {NULL, NULL}};
  static const luaL_Reg events[] = {{"__gc", session_collect},
                                    {"__close", session_leave},
                                    {"__tostring", session_tostring},
                                    {"__newindex", read_only},
                                    {NULL, NULL}};
  luaL_newlib(L, methods);
  luaL_newmetatable(L, SESSION_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "session");
  lua_pop(L, 1); /* metatable */
}
