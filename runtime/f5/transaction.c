#include "f5/transaction.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "f5/log.h"
#include "f5/reference.h"
#include "f5/scan.h"
#include "f5/secret.h"
#include "net/json.h"

#define PATH "/mgmt/tm/transaction"
#define WAITER_NAME "f5.transaction.waiter"
#define USUAL_TIMEOUT 120    /* seconds without a command, when the device does not say */
#define USUAL_EXECUTION 300  /* seconds that a commit may run */
#define ABANDON_TIMEOUT 5000 /* ms; nobody waits long for it, the device forgets it anyway */
#define LONGEST_PATH 64

/* What its own call is doing. */
typedef enum step { STEP_NONE, STEP_ADD, STEP_REMOVE, STEP_BEGIN, STEP_ABANDON } step;

typedef struct tx_waiter tx_waiter;

typedef struct f5_transaction f5_transaction;
struct f5_transaction {
  f5_session *session;
  f5_transaction *next, **link; /* of the session's open ones, which keep it */
  unsigned references;
  bool open; /* on the device, as far as we know */
  bool held; /* is being committed: no keep-alive */
  step step;
  int64_t id;
  lua_Integer timeout, execution_timeout; /* seconds, as the device says */
  bool validates;                         /* the device knows validateOnly */
  char header[LONGEST_PATH], path[LONGEST_PATH], command[2 * LONGEST_PATH];
  uint64_t keep_ms; /* 0: no keep-alive */
  loop_timer timer;
  f5_call call;
  unsigned started, answered; /* commands that were sent, and that the device certainly queued or refused */
  unsigned queued;
  const char *last_method; /* the last command, for the keep-alive; NULL: none is left */
  char *last_path, *last_body;
  size_t last_length;
  tx_waiter *waiters;
};

/* A fiber that waits until the transaction's own call has ended. */
struct tx_waiter {
  fiber_wait wait;
  tx_waiter *next;
  f5_transaction *transaction; /* NULL when it did */
};

/* -- who keeps it -- */

static void forget_last(f5_transaction *tx) {
  if (tx->last_body) secret_wipe(tx->last_body, tx->last_length);
  free(tx->last_body);
  free(tx->last_path);
  tx->last_body = tx->last_path = NULL;
  tx->last_method = NULL;
}

static void release(f5_transaction *tx) {
  if (--tx->references) return;
  forget_last(tx);
  session_release(tx->session);
  free(tx);
}

/* It is no more on the device, or nobody cares. */
static void ended(f5_transaction *tx) {
  tx->open = false;
  loop_timer_stop(tx->session->core->loop, &tx->timer);
  if (!tx->link) return;
  *tx->link = tx->next;
  if (tx->next) tx->next->link = tx->link;
  tx->link = NULL;
  release(tx);
}

static void set_id(f5_transaction *tx, int64_t id) {
  tx->id = id;
  snprintf(tx->header, sizeof tx->header, "X-F5-REST-Coordination-Id: %" PRId64, id);
  snprintf(tx->path, sizeof tx->path, PATH "/%" PRId64, id);
}

static void wake_waiters(f5_transaction *tx) {
  while (tx->waiters) {
    tx_waiter *waiter = tx->waiters;
    tx->waiters = waiter->next;
    waiter->transaction = NULL;
    fiber_wake(&waiter->wait);
  }
}

/* -- its own calls -- */

static void restart_timer(f5_transaction *tx) {
  if (tx->open && !tx->held && tx->keep_ms) loop_timer_start(tx->session->core->loop, &tx->timer, tx->keep_ms);
}

static void settle(f5_transaction *tx) {
  call_clear(&tx->call);
  tx->step = STEP_NONE;
  restart_timer(tx);
  wake_waiters(tx);
}

static void start_step(f5_transaction *tx, step next, const char *method, const char *path, void (*done)(f5_call *)) {
  tx->step = next;
  call_init(&tx->call, tx->session, method, path);
  tx->call.owner = tx;
  tx->call.done = done;
}

static bool failed(const f5_call *call) {
  return call->failure.verdict.kind != KIND_NONE;
}

static void removed(f5_call *call) {
  f5_transaction *tx = call->owner;
  if (!failed(call))
    tx->answered++; /* the copy came and went */
  else
    log_note(tx->session, "transaction %" PRId64 ": a command of the keep-alive could not be removed: %s", tx->id,
             call->failure.message);
  settle(tx);
}

static void added(f5_call *call) {
  f5_transaction *tx = call->owner;
  scan_value value;
  int64_t id;
  if (failed(call)) {
    if (!call->failure.verdict.unknown) tx->answered++;
    log_note(tx->session, "transaction %" PRId64 " could not be kept alive: %s", tx->id, call->failure.message);
    settle(tx);
  } else if (!call->http.answer || !scan_find(call->http.answer, call->http.answer_length, "commandId", &value) ||
             !scan_integer(&value, &id)) {
    settle(tx); /* it is found and removed before the commit */
  } else {
    snprintf(tx->command, sizeof tx->command, "%s/commands/%" PRId64, tx->path, id);
    call_clear(call);
    start_step(tx, STEP_REMOVE, "DELETE", tx->command, removed);
    call_start(&tx->call);
  }
}

static void old_removed(f5_call *call) {
  settle(call->owner); /* if it could not be removed: it is empty and ends by itself */
}

static void begun_again(f5_call *call) {
  f5_transaction *tx = call->owner;
  scan_value value;
  int64_t id;
  if (!failed(call) && call->http.answer && scan_find(call->http.answer, call->http.answer_length, "transId", &value) &&
      scan_integer(&value, &id)) {
    snprintf(tx->command, sizeof tx->command, "%s", tx->path);
    set_id(tx, id);
    call_clear(call);
    start_step(tx, STEP_REMOVE, "DELETE", tx->command, old_removed);
    call_start(&tx->call);
  } else {
    settle(tx);
  }
}

static void keep_alive(loop_timer *timer) {
  f5_transaction *tx = (f5_transaction *)(void *)((char *)timer - offsetof(f5_transaction, timer));
  if (!tx->open || tx->step != STEP_NONE || tx->session->phase != SESSION_OPEN) return;
  if (tx->last_method) {
    start_step(tx, STEP_ADD, tx->last_method, tx->last_path, added);
    tx->call.coordination = tx->header;
    tx->call.http.body = tx->last_body;
    tx->call.http.body_length = tx->last_length;
    tx->call.write = true;
    tx->started++;
    call_start(&tx->call);
    tx->session->usage.writes--; /* it is none */
  } else {
    start_step(tx, STEP_BEGIN, "POST", PATH, begun_again);
    tx->call.http.body = "{}";
    tx->call.http.body_length = 2;
    call_start(&tx->call);
  }
}

static void abandoned(f5_call *call) {
  f5_transaction *tx = call->owner;
  f5_session *session = tx->session;
  f5_kind kind = call->failure.verdict.kind;
  if (kind != KIND_NONE && kind != KIND_NOT_FOUND)
    log_note(session, "transaction %" PRId64 " could not be abandoned, it ends by itself: %s", tx->id,
             call->failure.message);
  session->last_calls--;
  session_retain(session);
  tx->references++;
  settle(tx);
  ended(tx);
  release(tx);
  session_step(session);
  session_release(session);
}

/* Nothing of it is carried out. */
static void abandon(f5_transaction *tx) {
  if (!tx->open) return;
  tx->open = false;
  tx->session->usage.writes -= tx->queued;
  loop_timer_stop(tx->session->core->loop, &tx->timer);
  call_clear(&tx->call);
  start_step(tx, STEP_ABANDON, "DELETE", tx->path, abandoned);
  tx->call.http.timeout_ms = ABANDON_TIMEOUT;
  tx->call.last = true;
  tx->session->last_calls++;
  call_start(&tx->call);
}

void transaction_end_all(f5_session *session) {
  for (f5_transaction *tx = session->transactions, *next; tx; tx = next) {
    next = tx->next;
    abandon(tx);
  }
}

void transaction_drop_all(f5_session *session) {
  while (session->transactions) {
    f5_transaction *tx = session->transactions;
    if (tx->step == STEP_ABANDON) session->last_calls--;
    call_clear(&tx->call);
    tx->step = STEP_NONE;
    wake_waiters(tx);
    ended(tx);
  }
}

/* The script has lost it: it is abandoned from the loop (a finalizer does no network I/O). */
static void reap(loop_timer *timer) {
  abandon((f5_transaction *)(void *)((char *)timer - offsetof(f5_transaction, timer)));
}

/* -- Lua: the userdata -- */

enum { TX_SESSION = 1, TX_RECORDS };

static f5_transaction *to_transaction(lua_State *L, int index) {
  f5_transaction **box = luaL_testudata(L, index, TRANSACTION_NAME);
  if (!box)
    error_usage(L, "a transaction is wanted here, not a %s: call methods with a colon, tx:commit()",
                luaL_typename(L, index));
  return *box;
}

static void check_open(lua_State *L, const f5_transaction *tx) {
  if (!tx->open) error_usage(L, "the transaction %" PRId64 " has ended", tx->id);
}

static int transaction_collect(lua_State *L) {
  f5_transaction **box = lua_touserdata(L, 1);
  f5_transaction *tx = *box;
  if (!tx) return 0;
  *box = NULL;
  tx->timer.fire = reap;
  if (tx->open && tx->step == STEP_NONE) loop_timer_start(tx->session->core->loop, &tx->timer, 0);
  release(tx);
  return 0;
}

static void forget_waiter(fiber_wait *wait) {
  tx_waiter *waiter = (tx_waiter *)(void *)((char *)wait - offsetof(tx_waiter, wait));
  if (!waiter->transaction) return;
  for (tx_waiter **at = &waiter->transaction->waiters; *at; at = &(*at)->next)
    if (*at == waiter) {
      *at = waiter->next;
      break;
    }
  waiter->transaction = NULL;
}

static int waiter_collect(lua_State *L) {
  tx_waiter *waiter = lua_touserdata(L, 1);
  forget_waiter(&waiter->wait);
  return 0;
}

/* Waits until its own call has ended, then goes on with `next`. Pushes one value. */
static int await_settled(lua_State *L, f5_transaction *tx, lua_KContext context, lua_KFunction next) {
  if (tx->step == STEP_NONE) {
    lua_pushnil(L);
    return next(L, LUA_OK, context);
  }
  tx_waiter *waiter = lua_newuserdatauv(L, sizeof *waiter, 0);
  *waiter = (tx_waiter){.wait.abandon = forget_waiter, .next = tx->waiters, .transaction = tx};
  tx->waiters = waiter;
  luaL_setmetatable(L, WAITER_NAME);
  return fiber_await(L, &waiter->wait, context, next);
}

/* -- begin -- */

static lua_Integer integer_field(lua_State *L, int index, const char *name, lua_Integer usual) {
  lua_getfield(L, index, name);
  int is_integer;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1); /* value */
  return is_integer ? value : usual;
}

/* keep_alive of the options at 2: seconds, false, or nothing for three quarters of the device's limit. */
static uint64_t keep_option(lua_State *L, lua_Integer timeout) {
  uint64_t usual = (uint64_t)(timeout > 0 ? timeout : USUAL_TIMEOUT) * 750;
  if (!lua_istable(L, 2)) return usual;
  int type = lua_getfield(L, 2, "keep_alive");
  lua_Number seconds = lua_tonumber(L, -1);
  bool off = type == LUA_TBOOLEAN && !lua_toboolean(L, -1);
  lua_pop(L, 1); /* keep_alive */
  if (off) return 0;
  return type == LUA_TNUMBER ? (uint64_t)(seconds * 1000) : usual;
}

static int begun(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  operation_result(L, op);
  int answer = lua_gettop(L);
  lua_Integer id = lua_istable(L, answer) ? integer_field(L, answer, "transId", 0) : 0;
  if (!id) {
    error_clear(&op->call.failure);
    error_set(&op->call.failure, KIND_PROTOCOL, "the answer holds no transId");
    call_push_error(L, &op->call);
    call_clear(&op->call);
    return lua_error(L);
  }
  f5_session *session = op->call.session;
  f5_transaction **box = lua_newuserdatauv(L, sizeof *box, 2);
  *box = NULL;
  luaL_setmetatable(L, TRANSACTION_NAME);
  f5_transaction *tx = calloc(1, sizeof *tx);
  if (!tx) return luaL_error(L, "not enough memory");
  *box = tx;
  tx->references = 2; /* the userdata's, the list's */
  tx->session = session_retain(session);
  tx->open = true;
  tx->timer.fire = keep_alive;
  tx->next = session->transactions;
  tx->link = &session->transactions;
  if (tx->next) tx->next->link = &tx->next;
  session->transactions = tx;
  set_id(tx, id);
  tx->timeout = integer_field(L, answer, "timeoutSeconds", USUAL_TIMEOUT);
  tx->execution_timeout = integer_field(L, answer, "executionTimeout", USUAL_EXECUTION);
  tx->validates = lua_getfield(L, answer, "validateOnly") != LUA_TNIL;
  lua_pop(L, 1); /* validateOnly */
  tx->keep_ms = keep_option(L, tx->timeout);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, TX_SESSION);
  lua_newtable(L);
  lua_setiuservalue(L, -2, TX_RECORDS);
  call_clear(&op->call);
  restart_timer(tx);
  return 1;
}

/* session:begin{ keep_alive } -> transaction. It changes nothing, so it is repeated as a read is. */
static int begin(lua_State *L) {
  static const char *const names[] = {"keep_alive", NULL};
  f5_session *session = session_check(L, 1);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2) && !lua_istable(L, 2))
    return error_usage(L, "begin takes a table of options, not a %s", luaL_typename(L, 2));
  if (lua_istable(L, 2)) {
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
      if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "keep_alive") != 0)
        return error_unknown(L, "option", luaL_tolstring(L, -2, NULL), names);
      if (lua_isnumber(L, -1) ? !(lua_tonumber(L, -1) >= 0.01 && lua_tonumber(L, -1) <= 86400)
                              : !(lua_isboolean(L, -1) && !lua_toboolean(L, -1)))
        return error_usage(L, "begin: keep_alive is a number of seconds, or false");
    }
  }
  f5_operation *op = operation_new(L, session, "POST", PATH);
  op->call.http.body = "{}";
  op->call.http.body_length = 2;
  return session_read(L, op, begun);
}

/* tx(reference) -> the reference, bound: its writes are queued */
static int bind_reference(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  lua_settop(L, 2);
  check_open(L, tx);
  if (!luaL_testudata(L, 2, REFERENCE_NAME))
    return error_usage(L, "tx(reference): not a %s; name what is to be changed: tx(bip.ltm.pool)", luaL_typename(L, 2));
  const f5_reference *ref = reference_check(L, 2);
  if (ref->session != tx->session)
    return error_usage(L, "tx(reference): %s is of another session than the transaction", ref->text);
  lua_getiuservalue(L, 2, 1);
  text path = {.data = (char *)ref->text, .length = ref->length};
  text query = {.data = (char *)ref->text + ref->length, .length = strlen(ref->text + ref->length)};
  reference_push(L, 3, 1, &path, &query);
  return 1;
}

/* -- queueing -- */

bool transaction_bound(lua_State *L) {
  bool bound = luaL_testudata(L, 1, REFERENCE_NAME) && lua_getiuservalue(L, 1, 2) == LUA_TUSERDATA;
  if (luaL_testudata(L, 1, REFERENCE_NAME)) lua_pop(L, 1); /* user value */
  return bound;
}

static void set_last(f5_transaction *tx, const http_request *request) {
  forget_last(tx);
  char *path = strdup(request->path), *body = malloc(request->body_length + 1);
  if (!path || !body) {
    free(path);
    free(body);
    return;
  }
  if (request->body_length) memcpy(body, request->body, request->body_length);
  body[request->body_length] = '\0';
  tx->last_method = request->method;
  tx->last_path = path;
  tx->last_body = body;
  tx->last_length = request->body_length;
}

/* A transaction that the device does not know any more. */
static void say_gone(f5_transaction *tx, f5_failure *failure) {
  text message = {0};
  text_printf(&message,
              "the transaction %" PRId64
              " is gone, and nothing of it was carried out: the device ends one that gets no "
              "command for %d s (%s)",
              tx->id, (int)tx->timeout, failure->message ? failure->message : "");
  free(failure->message);
  failure->message = message.data;
  failure->verdict.kind = KIND_TRANSACTION;
}

/* Adds { id, method, path, body, where } to the records at `records`, where the device put it. The answer is on top. */
static void add_record(lua_State *L, int records, const http_request *request) {
  int answer = lua_gettop(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, records);
  lua_Integer place = lua_istable(L, answer) ? integer_field(L, answer, "evalOrder", count + 1) : count + 1;
  if (place < 1 || place > count + 1) place = count + 1;
  for (lua_Integer i = count; i >= place; i--) {
    lua_rawgeti(L, records, i);
    lua_rawseti(L, records, i + 1);
  }
  lua_createtable(L, 0, 5);
  if (lua_istable(L, answer)) {
    lua_pushinteger(L, integer_field(L, answer, "commandId", 0));
    lua_setfield(L, -2, "id");
  }
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
  if (!failure->verdict.unknown) tx->answered++;
  failure->verdict.unknown = false; /* a command in the queue changes nothing */
  if (failed(&op->call)) {
    if (failure->verdict.kind == KIND_NOT_FOUND && failure->message && strstr(failure->message, "ransaction"))
      say_gone(tx, failure);
    operation_result(L, op); /* raises */
  }
  tx->queued++;
  set_last(tx, &op->call.http);
  restart_timer(tx);
  lua_getiuservalue(L, -1, TX_RECORDS);
  int records = lua_gettop(L);
  operation_result(L, op);
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
  return session_write(L, op, op->body, queued);
}

static bool below(const char *path, const char *prefix) {
  size_t length = strlen(prefix);
  return strncmp(path, prefix, length) == 0 && (!path[length] || strchr("/?", path[length]));
}

int transaction_write(lua_State *L, f5_operation *op, int body) {
  lua_getiuservalue(L, 1, 2);
  f5_transaction *tx = to_transaction(L, -1);
  check_open(L, tx);
  if (tx->held) return error_usage(L, "the transaction %" PRId64 " is being committed", tx->id);
  const char *path = op->call.http.path;
  if (below(path, "/mgmt/tm/asm")) return error_usage(L, "ASM has no transactions: %s cannot be a part of one", path);
  if (!below(path, "/mgmt/tm") || below(path, "/mgmt/tm/task") || below(path, PATH))
    return error_usage(L, "%s cannot be a part of a transaction", path);
  op->body = body;
  return await_settled(L, tx, (lua_KContext)op, write_now);
}

/* -- what lualib/f5/transaction.lua is made of -- */

static int after_rollback(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* tx:rollback(), also __close: nothing of it is carried out. Nothing if it has ended. */
static int rollback(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  lua_settop(L, 1);
  abandon(tx);
  return await_settled(L, tx, 0, after_rollback);
}

static int id(lua_State *L) {
  lua_pushinteger(L, to_transaction(L, 1)->id);
  return 1;
}

static int parts(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  lua_settop(L, 1);
  lua_createtable(L, 0, 8);
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
  check_open(L, to_transaction(L, 1)); /* it may have ended meanwhile */
  return parts(L);
}

static int hold(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  lua_settop(L, 1);
  check_open(L, tx);
  tx->held = true;
  loop_timer_stop(tx->session->core->loop, &tx->timer);
  return await_settled(L, tx, 0, have_parts);
}

static int resume(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  tx->held = false;
  if (tx->step == STEP_NONE) restart_timer(tx);
  return 0;
}

static int lua_ended(lua_State *L) {
  f5_transaction *tx = to_transaction(L, 1);
  if (tx->step == STEP_NONE) ended(tx);
  return 0;
}

/* None of what the keep-alive could queue again is left. */
static int lua_forget_last(lua_State *L) {
  forget_last(to_transaction(L, 1));
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
  lua_pushfstring(L, "transaction %I with %s%s", (LUAI_UACINT)tx->id, tx->session->label, tx->open ? "" : " (ended)");
  return 1;
}

static int read_only(lua_State *L) {
  return error_usage(L, "a transaction has no fields to set");
}

void transaction_setup(lua_State *L, int session_methods) {
  static const luaL_Reg of_session[] = {{"begin", begin}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"rollback", rollback}, {"id", id}, {NULL, NULL}};
  static const luaL_Reg internals[] = {
      {"parts", parts},     /* -> { session, records, open, validates, doubtful, timeout, execution_timeout, id } */
      {"hold", hold},       /* stops the keep-alive, waits for it; -> parts */
      {"resume", resume},   /* … and goes on with it */
      {"ended", lua_ended}, /* it was committed */
      {"forget_last", lua_forget_last},
      {"settled", settled}, /* the device's commands are ours again */
      {"is_bound", is_bound},
      {NULL, NULL}};
  static const luaL_Reg events[] = {{"__gc", transaction_collect}, {"__close", rollback},
                                    {"__call", bind_reference},    {"__tostring", transaction_tostring},
                                    {"__newindex", read_only},     {NULL, NULL}};
  static const luaL_Reg waiter_events[] = {{"__gc", waiter_collect}, {NULL, NULL}};
  lua_pushvalue(L, session_methods);
  luaL_setfuncs(L, of_session, 0);
  lua_pop(L, 1); /* methods of sessions */
  luaL_newmetatable(L, WAITER_NAME);
  luaL_setfuncs(L, waiter_events, 0);
  lua_pop(L, 1); /* metatable */
  luaL_newlib(L, internals);
  lua_setfield(L, -2, "transaction_parts");
  luaL_newlib(L, methods);
  luaL_newmetatable(L, TRANSACTION_NAME);
  luaL_setfuncs(L, events, 0);
  lua_pushvalue(L, -2); /* methods */
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1); /* metatable */
  lua_setfield(L, -2, "transaction_methods");
}
