#include "f5/change/transaction.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/metatable.h"
#include "base/owner.h"
#include "base/scan.h"
#include "f5/change/transaction_state.h"
#include "f5/report/error.h"
#include "f5/rest/reference.h"
#include "f5/rest/uri.h"
#include "f5/session/session_lua.h"
#include "fiber/fiber_event_wait.h"

#define DEFAULT_TIMEOUT 120   /* seconds without a command, if the device does not send it */
#define DEFAULT_EXECUTION 300 /* seconds that a commit may run */

/* -- Lua: the userdata -- */

enum { TX_SESSION = 1, TX_RECORDS };

static f5_transaction *to_transaction(lua_State *L, int index) {
  f5_transaction **box = luaL_testudata(L, index, TRANSACTION_NAME);
  if (!box)
    error_usage(L, "expected a transaction, got a %s: call methods with a colon, tx:commit()",
                luaL_typename(L, index));
  if (!*box) error_usage(L, "the transaction has ended"); /* finalized */
  return *box;
}

static void check_open(lua_State *L, const f5_transaction *tx) {
  if (!tx->open) error_usage(L, "the transaction %" PRId64 " has ended", tx->id);
}

static int transaction_collect(lua_State *L) {
  f5_transaction **box = luaL_checkudata(L, 1, TRANSACTION_NAME);
  f5_transaction *tx = *box;
  if (!tx) return 0;
  *box = NULL;
  transaction_orphan(tx);
  transaction_release(tx);
  return 0;
}

/* Waits until its own call has ended, then goes on with `next`. Pushes one value. */
static int await_settled(lua_State *L, f5_transaction *tx, lua_KContext context,
                         lua_KFunction next) {
  if (tx->step == STEP_NONE) {
    lua_pushnil(L);
    return next(L, LUA_OK, context);
  }
  return fiber_event_await(L, &tx->settled, 0, context, next);
}

/* -- begin -- */

static lua_Integer integer_field(lua_State *L, int index, const char *name, lua_Integer usual) {
  lua_getfield(L, index, name);
  int is_integer;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1); /* value */
  return is_integer ? value : usual;
}

/* keep_alive in the options at 2: seconds, false, or nil for three quarters of the device's limit.
 */
static uint64_t keep_option(lua_State *L, lua_Integer timeout) {
  uint64_t usual = (uint64_t)(timeout > 0 ? timeout : DEFAULT_TIMEOUT) * 750;
  if (!lua_istable(L, 2)) return usual;
  int type = lua_getfield(L, 2, "keep_alive");
  lua_Number seconds = lua_tonumber(L, -1);
  bool off = type == LUA_TBOOLEAN && !lua_toboolean(L, -1);
  lua_pop(L, 1); /* keep_alive */
  if (off) return 0;
  return type == LUA_TNUMBER ? (uint64_t)(seconds * 1000) : usual;
}

/* -- a begin that was cancelled -- */

static int64_t id_of(const f5_call *call) {
  scan_value value;
  int64_t id = 0;
  bool found = call->failure.verdict.kind == KIND_NONE && call->http.answer &&
               scan_find(call->http.answer, call->http.answer_length, "transId", &value) &&
               scan_integer(&value, &id);
  return found ? id : 0;
}

/* The device has begun it, and nobody will use it. */
static void begun_late(f5_call *call) {
  f5_session *session = session_retain(call->session);
  int64_t id = id_of(call);
  call_clear(call);
  f5_transaction *tx = id ? transaction_new(session, id) : NULL;
  if (tx) {
    tx->late = true;
    transaction_abandon(tx);
    transaction_release(tx); /* there is no userdata */
  }
  session->last_calls--;
  if (!tx) transaction_late_ended(session);
  session_step(session);
  session_release(session);
}

/* Ends a begin whose fiber was cancelled. A request that was sent may still begin a transaction, so
 * its answer is waited for; the registry keeps the operation. */
static void abandon_begin(fiber_wait *wait) {
  f5_operation *op = OWNER(wait, f5_operation, wait);
  if (op->call.state != CALL_SENT) {
    call_clear(&op->call);
    return;
  }
  op->call.done = begun_late;
  op->call.last = true;
  op->call.once = true;
  op->call.session->last_calls++;
  op->call.session->begins++;
}

static int begun(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, op);
  operation_result(L, op);
  int answer = lua_gettop(L);
  lua_Integer id = lua_istable(L, answer) ? integer_field(L, answer, "transId", 0) : 0;
  if (!id) operation_refuse(L, op, "the answer contains no transId");
  f5_session *session = op->call.session;
  f5_transaction **box = lua_newuserdatauv(L, sizeof *box, 2);
  *box = NULL;
  luaL_setmetatable(L, TRANSACTION_NAME);
  f5_transaction *tx = transaction_new(session, id);
  if (!tx) return luaL_error(L, "not enough memory");
  *box = tx;
  tx->timeout = integer_field(L, answer, "timeoutSeconds", DEFAULT_TIMEOUT);
  tx->execution_timeout = integer_field(L, answer, "executionTimeout", DEFAULT_EXECUTION);
  tx->validates = lua_getfield(L, answer, "validateOnly") != LUA_TNIL;
  lua_pop(L, 1); /* validateOnly */
  tx->keep_ms = keep_option(L, tx->timeout);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, TX_SESSION);
  lua_newtable(L);
  lua_setiuservalue(L, -2, TX_RECORDS);
  call_clear(&op->call);
  transaction_restart_timer(tx);
  return 1;
}

/* session:begin{ keep_alive } -> transaction. It changes nothing, so it is retried like a read.
 */
static int begin(lua_State *L) {
  static const char *const names[] = {"keep_alive", NULL};
  f5_session *session = session_check(L, 1);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2) && !lua_istable(L, 2))
    return error_usage(L, "begin: expected a table of options, got a %s", luaL_typename(L, 2));
  if (lua_istable(L, 2)) {
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
      if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "keep_alive") != 0)
        return error_unknown(L, "option", luaL_tolstring(L, -2, NULL), names);
      if (lua_type(L, -1) == LUA_TNUMBER
              ? !(lua_tonumber(L, -1) >= 0.01 && lua_tonumber(L, -1) <= 86400)
              : !(lua_isboolean(L, -1) && !lua_toboolean(L, -1)))
        return error_usage(L, "begin: keep_alive must be a number of seconds, or false");
    }
  }
  f5_operation *op = operation_new(L, session, "POST", URI_TRANSACTION);
  op->call.http.body = "{}";
  op->call.http.body_length = 2;
  op->wait.abandon = abandon_begin;
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, op);
  return operation_read(L, op, begun);
}

/* tx(reference) -> the bound reference, whose writes are queued */
static int bind_reference(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  lua_settop(L, 2);
  check_open(L, tx);
  if (!luaL_testudata(L, 2, REFERENCE_NAME))
    return error_usage(L, "tx: expected a reference, got a %s: use it like tx(bip.ltm.pool)",
                       luaL_typename(L, 2));
  const f5_reference *ref = reference_check(L, 2);
  if (ref->session != tx->session)
    return error_usage(L, "tx: %s belongs to another session than the transaction", ref->text);
  lua_getiuservalue(L, 2, 1);
  f5_reference *bound =
      reference_push(L, 3, 1, ref->text, ref->length, strlen(ref->text + ref->length));
  memcpy(bound->ver, ref->ver, sizeof bound->ver);
  return 1;
}

/* -- queueing -- */

bool transaction_bound(lua_State *L) {
  bool bound = luaL_testudata(L, 1, REFERENCE_NAME) && lua_getiuservalue(L, 1, 2) == LUA_TUSERDATA;
  if (luaL_testudata(L, 1, REFERENCE_NAME)) lua_pop(L, 1); /* user value */
  return bound;
}

/* The device no longer knows the transaction. */
static void report_dropped(f5_transaction *tx, f5_failure *failure) {
  text message = {0};
  text_printf(&message,
              "the device dropped the transaction %" PRId64
              " and changed nothing: it drops a transaction that gets no command for %d s (%s)",
              tx->id, (int)tx->timeout, failure->message ? failure->message : "");
  free(failure->message);
  failure->message = message.data;
  failure->verdict.kind = KIND_TRANSACTION;
}

/* Inserts { id, method, path, body, where } into the array at `records`, at the command's position
 * on the device. The answer is on top. */
static void add_record(lua_State *L, int records, const http_request *request) {
  int answer = lua_gettop(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, records);
  lua_Integer place = integer_field(L, answer, "evalOrder", count + 1);
  if (place < 1 || place > count + 1) place = count + 1;
  for (lua_Integer i = count; i >= place; i--) {
    lua_rawgeti(L, records, i);
    lua_rawseti(L, records, i + 1);
  }
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, integer_field(L, answer, "commandId", 0));
  lua_setfield(L, -2, "id");
  lua_pushstring(L, request->method);
  lua_setfield(L, -2, "method");
  lua_pushstring(L, request->path);
  lua_setfield(L, -2, "path");
  lua_pushlstring(L, request->body ? request->body : "", request->body_length);
  lua_setfield(L, -2, "body");
  error_push_script_line(L);
  lua_setfield(L, -2, "where");
  lua_rawseti(L, records, place);
}

static int queued(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  f5_failure *failure = &op->call.failure;
  lua_getiuservalue(L, 1, 2);
  f5_transaction *tx = to_transaction(L, -1);
  if (failure->verdict.kind != KIND_NONE) {
    if (!failure->verdict.unknown) tx->answered++;
    failure->verdict.unknown = false; /* a command in the queue changes nothing */
    if (failure->verdict.kind == KIND_NOT_FOUND && failure->message &&
        strstr(failure->message, "ransaction"))
      report_dropped(tx, failure);
    operation_result(L, op); /* raises */
  }
  lua_getiuservalue(L, -1, TX_RECORDS);
  int records = lua_gettop(L);
  operation_result(L, op);
  if (!lua_istable(L, -1) || !integer_field(L, -1, "commandId", 0))
    operation_refuse(L, op, "the answer contains no commandId: the command may not be queued");
  tx->answered++;
  transaction_set_last(tx, &op->call.http);
  transaction_restart_timer(tx);
  add_record(L, records, &op->call.http);
  call_clear(&op->call);
  return 1;
}

static int write_now(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  lua_getiuservalue(L, 1, 2);
  f5_transaction *tx = to_transaction(L, -1);
  check_open(L, tx);
  op->call.coordination = tx->header;
  tx->started++;
  return operation_write(L, op, op->body, queued);
}

static bool below(const char *path, const char *prefix) {
  size_t length = strlen(prefix);
  return strncmp(path, prefix, length) == 0 && (!path[length] || strchr("/?", path[length]));
}

int transaction_write(lua_State *L, f5_operation *op, int body) {
  lua_getiuservalue(L, 1, 2);
  f5_transaction *tx = to_transaction(L, -1);
  check_open(L, tx);
  if (tx->committing)
    return error_usage(L, "the transaction %" PRId64 " is being committed", tx->id);
  const char *path = op->call.http.path;
  if (below(path, "/mgmt/tm/asm"))
    return error_usage(L, "%s cannot be part of a transaction: ASM does not support transactions",
                       path);
  if (!below(path, "/mgmt/tm") || below(path, "/mgmt/tm/task") || below(path, URI_TRANSACTION))
    return error_usage(L, "%s cannot be part of a transaction", path);
  op->body = body;
  return await_settled(L, tx, (lua_KContext)op, write_now);
}

/* -- internal functions for lualib/f5/change/transaction.lua -- */

static int after_rollback(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* tx:rollback(), also __close: abandons it without any change. Does nothing if it has ended. */
static int rollback(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  lua_settop(L, 1);
  transaction_abandon(tx);
  return await_settled(L, tx, 0, after_rollback);
}

static int id(lua_State *L) {
  lua_pushinteger(L, to_transaction(L, 1)->id);
  return 1;
}

static int parts(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  lua_settop(L, 1);
  lua_newtable(L);
  lua_getiuservalue(L, 1, TX_SESSION);
  lua_setfield(L, -2, "session");
  lua_getiuservalue(L, 1, TX_RECORDS);
  lua_setfield(L, -2, "records");
  lua_pushboolean(L, tx->open);
  lua_setfield(L, -2, "open");
  lua_pushboolean(L, tx->validates);
  lua_setfield(L, -2, "validates");
  lua_pushboolean(L, tx->started != tx->answered);
  lua_setfield(L, -2, "doubtful");
  lua_pushinteger(L, tx->timeout);
  lua_setfield(L, -2, "timeout");
  lua_pushinteger(L, tx->execution_timeout);
  lua_setfield(L, -2, "execution_timeout");
  lua_pushinteger(L, tx->id);
  lua_setfield(L, -2, "id");
  return 1;
}

static int have_parts(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  check_open(L, to_transaction(L, 1)); /* now: it may have ended meanwhile */
  return parts(L);
}

static int hold(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  tx->committing = lua_toboolean(L, 2);
  tx->held = true;
  lua_settop(L, 1);
  loop_timer_stop(tx->session->core->loop, &tx->timer);
  return await_settled(L, tx, 0, have_parts);
}

static int resume(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  tx->held = tx->committing = false;
  if (tx->step == STEP_NONE) transaction_restart_timer(tx);
  return 0;
}

/* carried_out(tx): counts its commands as changes that were made, or may have been made */
static int carried_out(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  lua_getiuservalue(L, 1, TX_RECORDS);
  tx->session->usage.writes += lua_rawlen(L, -1);
  return 0;
}

static int lua_ended(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  if (tx->step == STEP_NONE) transaction_ended(tx);
  return 0;
}

/* forget_last(tx): the keep-alive has no command to queue again */
static int lua_forget_last(lua_State *L) {
  transaction_set_last(to_transaction(L, 1), NULL);
  return 0;
}

static int settled(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  tx->answered = tx->started;
  return 0;
}

static int is_bound(lua_State *L) {
  lua_settop(L, 1);
  lua_pushboolean(L, transaction_bound(L));
  return 1;
}

static int transaction_tostring(lua_State *L) {
  const f5_transaction *tx = to_transaction(L, 1);
  lua_pushfstring(L, "transaction %I with %s%s", (LUAI_UACINT)tx->id, tx->session->label,
                  tx->open ? "" : " (ended)");
  return 1;
}

static int read_only(lua_State *L) {
  return error_usage(L, "cannot set fields of a transaction");
}

void transaction_setup(lua_State *L, int session_methods) {
  static const luaL_Reg of_session[] = {{"begin", begin}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"rollback", rollback}, {"id", id}, {NULL, NULL}};
  static const luaL_Reg internals[] = {
      {"parts", parts},   /* -> { session, records, open, validates, doubtful, timeout,
                             execution_timeout, id } */
      {"hold", hold},     /* (tx, committing) stops the keep-alive and waits for it; -> parts */
      {"resume", resume}, /* starts the keep-alive again */
      {"carried_out", carried_out},
      {"ended", lua_ended}, /* it was committed */
      {"forget_last", lua_forget_last},
      {"settled", settled}, /* the list of commands is certain again */
      {"is_bound", is_bound},
      {NULL, NULL}};
  static const luaL_Reg events[] = {
      {"__gc", transaction_collect},        {"__close", rollback},     {"__call", bind_reference},
      {"__tostring", transaction_tostring}, {"__newindex", read_only}, {NULL, NULL}};
  lua_pushvalue(L, session_methods);
  luaL_setfuncs(L, of_session, 0);
  lua_pop(L, 1); /* methods of sessions */
  luaL_newlib(L, internals);
  lua_setfield(L, -2, "transaction_parts");
  luaL_newlib(L, methods);
  luaL_newmetatable(L, TRANSACTION_NAME);
  luaL_setfuncs(L, events, 0);
  metatable_hide(L, "transaction");
  lua_pushvalue(L, -2); /* methods */
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1); /* metatable */
  lua_setfield(L, -2, "transaction_methods");
}
