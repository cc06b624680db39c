#include "postgres/module.h"

#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "base/field.h"
#include "base/metatable.h"
#include "base/owner.h"
#include "base/push_owned.h"
#include "fiber/fiber.h"
#include "postgres/connecting.h"
#include "postgres/connection.h"
#include "postgres/values.h"

#define CONNECTION_TYPE "f5.postgres.connection"
#define CONNECTING_TYPE "f5.postgres.connecting"
#define STATEMENT_TYPE "f5.postgres.statement"
#define HOLD_TYPE "f5.postgres.hold"
#define WAIT_TYPE "f5.postgres.wait"

static pq_connection *check_connection(lua_State *L) {
  return luaL_checkudata(L, 1, CONNECTION_TYPE);
}

/* A userdata of this type, filled with zeros, that keeps the connection at index 1. */
static void *new_part(lua_State *L, size_t size, const char *type) {
  void *part = lua_newuserdatauv(L, size, 1);
  memset(part, 0, size);
  luaL_setmetatable(L, type);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return part;
}

static int push_problem(lua_State *L, const char *message) {
  lua_pushnil(L);
  lua_createtable(L, 0, 2);
  field_string(L, "message", message);
  field_boolean(L, "lost", true);
  return 2;
}

/* -- connect -- */

typedef struct connecting {
  fiber_wait wait;
  pq_connecting work;
} connecting;

static void connected(pq_connecting *work) {
  fiber_wake(&OWNER(work, connecting, work)->wait);
}

static void abandon_connecting(fiber_wait *wait) {
  pq_connecting_end(&OWNER(wait, connecting, wait)->work);
}

static int collect_connecting(lua_State *L) {
  pq_connecting_end(&((connecting *)lua_touserdata(L, 1))->work);
  return 0;
}

/* Stack: the address, the limit, the connection, the work. */
static int finish_connect(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  connecting *c = lua_touserdata(L, 4);
  if (!c->work.opened) return push_problem(L, text_string(&c->work.problem));
  pq_connection *connection = lua_touserdata(L, 3);
  lua_Number limit_ms = lua_tonumber(L, 2) * 1000;
  pq_connection_open(connection, fiber_loop(L), c->work.opened, (unsigned)limit_ms);
  c->work.opened = NULL;
  connection->place = c->work.place;
  pq_connecting_end(&c->work);
  lua_pushvalue(L, 3);
  return 1;
}

/* connect(address, seconds, first): `first`: how many of its servers are left out */
static int lua_connect(lua_State *L) {
  const char *conninfo = luaL_checkstring(L, 1);
  lua_Number seconds = luaL_checknumber(L, 2);
  lua_Integer first = luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, first >= 0 && first <= UINT16_MAX, 3, "expected a number of servers");
  luaL_argcheck(L, seconds > 0 && seconds <= 1e6, 2, "expected seconds");
  lua_settop(L, 2);
  pq_connection *connection = lua_newuserdatauv(L, sizeof *connection, 0);
  memset(connection, 0, sizeof *connection);
  luaL_setmetatable(L, CONNECTION_TYPE);
  connecting *c = lua_newuserdatauv(L, sizeof *c, 0);
  memset(c, 0, sizeof *c);
  luaL_setmetatable(L, CONNECTING_TYPE);
  c->wait.abandon = abandon_connecting;
  if (!pq_connecting_start(&c->work, fiber_loop(L), conninfo, (unsigned)first, connected)) {
    push_problem(L, text_string(&c->work.problem));
    field_boolean(L, "refused", c->work.refused);
    return 2;
  }
  return fiber_await(L, &c->wait, 0, finish_connect);
}

/* -- statements -- */

typedef struct ticket {
  fiber_wait wait;
  pq_statement *statement; /* NULL: given up */
  bool sent;               /* when it was given up */
} ticket;

static void statement_done(pq_statement *s) {
  fiber_wake(&((ticket *)s->data)->wait);
}

static void give_up(ticket *t) {
  if (!t->statement) return;
  t->sent = t->statement->sent;
  pq_statement_end(t->statement);
  t->statement = NULL;
}

static void abandon_statement(fiber_wait *wait) {
  give_up(OWNER(wait, ticket, wait));
}

static int collect_statement(lua_State *L) {
  give_up(lua_touserdata(L, 1));
  return 0;
}

/* The cancel error says what is known about a statement that was sent. */
static void explain(fiber_wait *wait, lua_State *L) {
  const ticket *t = OWNER(wait, ticket, wait);
  if (t->sent || (t->statement && t->statement->sent)) field_boolean(L, "sent", true);
}

/* The ticket is on top of the stack. */
static int finish_statement(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  ticket *t = lua_touserdata(L, -1);
  const pq_statement *s = t->statement;
  ExecStatusType kind = s->result ? pq.PQresultStatus(s->result) : PGRES_FATAL_ERROR;
  if (kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK) {
    pq_push_rows(L, s->result);
    give_up(t);
    return 1;
  }
  if (kind == PGRES_EMPTY_QUERY) {
    lua_newtable(L);
    give_up(t);
    return 1;
  }
  lua_pushnil(L);
  pq_push_failure(L, s);
  give_up(t);
  return 2;
}

typedef struct hold {
  unsigned number; /* 0: released */
} hold;

static unsigned hold_number(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return 0;
  const hold *h = luaL_checkudata(L, index, HOLD_TYPE);
  if (!h->number) luaL_error(L, "the transaction has ended");
  return h->number;
}

static int queue(lua_State *L, bool simple) {
  pq_connection *c = check_connection(L);
  unsigned number = hold_number(L, 2);
  if (simple) lua_settop(L, 3);
  ticket *t = new_part(L, sizeof *t, STATEMENT_TYPE);
  lua_insert(L, 2); /* below what pq_statement_new takes as parameters */
  pq_statement *s = pq_statement_new(L, 4);
  t->statement = s;
  t->wait.abandon = abandon_statement;
  t->wait.explain = explain;
  s->simple = simple;
  s->done = statement_done;
  s->data = t;
  lua_settop(L, 2);
  pq_statement_queue(c, s, number);
  return fiber_await(L, &t->wait, 0, finish_statement);
}

static int lua_query(lua_State *L) {
  return queue(L, false);
}

static int lua_script(lua_State *L) {
  return queue(L, true);
}

/* -- holds -- */

static int lua_release(lua_State *L) {
  hold *h = luaL_checkudata(L, 1, HOLD_TYPE);
  lua_getiuservalue(L, 1, 1);
  pq_connection *c = lua_touserdata(L, -1);
  if (h->number && c) pq_connection_release(c, h->number);
  h->number = 0;
  return 0;
}

/* busy() -> whether a statement of it is under way, for which nobody waits any more */
static int is_busy(lua_State *L) {
  const hold *h = luaL_checkudata(L, 1, HOLD_TYPE);
  lua_getiuservalue(L, 1, 1);
  const pq_connection *c = lua_touserdata(L, -1);
  lua_pushboolean(L, c && c->running && h->number && c->running->hold == h->number);
  return 1;
}

/* Stack: the connection, the hold, the ticket. */
static int finish_hold(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  ticket *t = lua_touserdata(L, 3);
  bool lost = t->statement->failure != NULL;
  if (lost) {
    lua_pushnil(L);
    pq_push_failure(L, t->statement);
  } else {
    lua_pushvalue(L, 2);
    t->statement->takes_hold = false; /* now it is the hold's */
  }
  give_up(t);
  return lost ? 2 : 1;
}

static int lua_hold(lua_State *L) {
  pq_connection *c = check_connection(L);
  lua_settop(L, 1);
  hold *h = new_part(L, sizeof *h, HOLD_TYPE); /* collected, it releases the connection */
  ticket *t = new_part(L, sizeof *t, STATEMENT_TYPE);
  lua_pushliteral(L, "");
  pq_statement *s = pq_statement_new(L, 4);
  lua_pop(L, 1);
  t->statement = s;
  t->wait.abandon = abandon_statement;
  h->number = pq_connection_next_hold(c);
  s->takes_hold = true;
  s->done = statement_done;
  s->data = t;
  pq_statement_queue(c, s, h->number);
  return fiber_await(L, &t->wait, 0, finish_hold);
}

/* -- notifications -- */

typedef struct notice_wait {
  fiber_wait wait;
  fiber_listener listener;
  loop_timer timer;
  pq_connection *connection; /* NULL: it does not wait any more */
} notice_wait;

static void stop_waiting(notice_wait *w) {
  if (!w->connection) return;
  fiber_event_leave(&w->listener);
  loop_timer_stop(w->connection->l, &w->timer);
  pq_connection_wait(w->connection, false);
  w->connection = NULL;
}

static void abandon_wait(fiber_wait *wait) {
  stop_waiting(OWNER(wait, notice_wait, wait));
}

static void wait_over(loop_timer *timer) {
  fiber_wake(&OWNER(timer, notice_wait, timer)->wait);
}

static void changed(fiber_listener *listener) {
  fiber_wake(&OWNER(listener, notice_wait, listener)->wait);
}

static int collect_wait(lua_State *L) {
  stop_waiting(lua_touserdata(L, 1));
  return 0;
}

static int push_notification(lua_State *L) {
  const PGnotify *n = lua_touserdata(L, 1);
  lua_createtable(L, 0, 3);
  field_string(L, "channel", n->relname);
  field_string(L, "payload", n->extra);
  field_integer(L, "pid", n->be_pid);
  return 1;
}

static void free_notification(void *data) {
  pq.PQfreemem(data);
}

/* Pushes the oldest notification, or nil and perhaps a problem. */
static int push_news(lua_State *L, pq_connection *c) {
  PGnotify *n = pq_connection_take(c);
  if (n) {
    push_owned(L, push_notification, n, free_notification);
    return 1;
  }
  if (!c->c) return push_problem(L, text_string(&c->lost));
  lua_pushnil(L);
  return 1;
}

/* Stack: the connection, the seconds, the wait. */
static int finish_wait(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  stop_waiting(lua_touserdata(L, 3));
  return push_news(L, lua_touserdata(L, 1));
}

static int lua_wait(lua_State *L) {
  pq_connection *c = check_connection(L);
  lua_Number seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, seconds >= 0 && seconds <= 1e9, 2, "expected seconds");
  lua_settop(L, 2);
  if (c->queued || !c->c) return push_news(L, c);
  notice_wait *w = new_part(L, sizeof *w, WAIT_TYPE);
  w->wait.abandon = abandon_wait;
  w->listener.notify = changed;
  w->timer.fire = wait_over;
  if (!c->c) return push_news(L, c); /* a finalizer may have waited */
  w->connection = c;
  fiber_event_listen(&c->changed, &w->listener);
  loop_timer_start(c->l, &w->timer, (uint64_t)(seconds * 1000));
  pq_connection_wait(c, true);
  return fiber_await(L, &w->wait, 0, finish_wait);
}

/* -- what is known -- */

static int lua_is_open(lua_State *L) {
  lua_pushboolean(L, check_connection(L)->c != NULL);
  return 1;
}

static int lua_parameter(lua_State *L) {
  const pq_connection *c = check_connection(L);
  const char *name = luaL_checkstring(L, 2);
  lua_pushstring(L, c->c ? pq.PQparameterStatus(c->c, name) : NULL);
  return 1;
}

static int lua_server_version(lua_State *L) {
  const pq_connection *c = check_connection(L);
  lua_pushinteger(L, c->c ? pq.PQserverVersion(c->c) : 0);
  return 1;
}

static int lua_pid(lua_State *L) {
  const pq_connection *c = check_connection(L);
  lua_pushinteger(L, c->c ? pq.PQbackendPID(c->c) : 0);
  return 1;
}

static int lua_place(lua_State *L) {
  lua_pushinteger(L, check_connection(L)->place);
  return 1;
}

static int lua_notices(lua_State *L) {
  pq_connection *c = check_connection(L);
  text t = c->notices;
  c->notices = (text){0};
  push_owned_text(L, &t);
  return 1;
}

static int lua_close_connection(lua_State *L) {
  pq_connection_close(check_connection(L));
  return 0;
}

static int collect_connection(lua_State *L) {
  pq_connection *c = check_connection(L);
  pq_connection_close(c);
  text_free(&c->notices);
  text_free(&c->lost);
  return 0;
}

/* -- types -- */

static void add_type(lua_State *L, const char *type, const luaL_Reg *methods,
                     lua_CFunction collect) {
  if (luaL_newmetatable(L, type)) {
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__close");
    metatable_hide(L, "postgres");
  }
  lua_pop(L, 1);
}

int luaopen_f5_postgres(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg of_connections[] = {{"query", lua_query},
                                            {"script", lua_script},
                                            {"hold", lua_hold},
                                            {"wait", lua_wait},
                                            {"is_open", lua_is_open},
                                            {"parameter", lua_parameter},
                                            {"version", lua_server_version},
                                            {"pid", lua_pid},
                                            {"place", lua_place},
                                            {"notices", lua_notices},
                                            {"close", lua_close_connection},
                                            {NULL, NULL}};
  static const luaL_Reg of_holds[] = {{"release", lua_release}, {"busy", is_busy}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"connect", lua_connect}, {NULL, NULL}};
  add_type(L, CONNECTION_TYPE, of_connections, collect_connection);
  add_type(L, CONNECTING_TYPE, none, collect_connecting);
  add_type(L, STATEMENT_TYPE, none, collect_statement);
  add_type(L, HOLD_TYPE, of_holds, lua_release);
  add_type(L, WAIT_TYPE, none, collect_wait);
  luaL_newlib(L, functions);
  return 1;
}
