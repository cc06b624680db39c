/* What the tests of fibers share: a state with fibers in it, and blocking calls to wait for. */
#ifndef FIBER_WORLD_H
#define FIBER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "fiber/fiber.h"
#include "fiber/fiber_lua.h"
#include "fiber/fiber_setup.h"

/* op(ms [, fail]): a blocking call as the f5 module has them: a userdata with a timer, which counts
 * how it ends. */
typedef struct op {
  fiber_wait wait;
  loop_timer timer;
  loop *l;
} op;
static int ops_finished, ops_abandoned, ops_collected;

static inline void op_fire(loop_timer *timer) {
  fiber_wake(&((op *)(void *)((char *)timer - offsetof(op, timer)))->wait);
}

static inline void op_abandon(fiber_wait *wait) {
  op *o = (op *)(void *)wait;
  loop_timer_stop(o->l, &o->timer);
  ops_abandoned++;
}

static inline int op_gc(lua_State *L) {
  op *o = lua_touserdata(L, 1);
  loop_timer_stop(o->l, &o->timer);
  ops_collected++;
  return 0;
}

static inline int op_finish(lua_State *L, int status, lua_KContext context) {
  (void)status;
  ops_finished++;
  if (context) return luaL_error(L, "operation failed");
  lua_pushvalue(L, 1);
  return 1;
}

static inline int op_call(lua_State *L) {
  lua_settop(L, 2);
  op *o = lua_newuserdatauv(L, sizeof *o, 0);
  memset(o, 0, sizeof *o);
  o->l = fiber_loop(L);
  o->wait.abandon = op_abandon;
  o->timer.fire = op_fire;
  if (luaL_newmetatable(L, "op")) {
    lua_pushcfunction(L, op_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  lua_Integer ms = luaL_checkinteger(L, 1);
  if (ms > 0)
    loop_timer_start(o->l, &o->timer, (uint64_t)ms);
  else if (ms == 0)
    fiber_wake(&o->wait); /* done before it is waited for; a negative one is never done */
  return fiber_await(L, &o->wait, lua_toboolean(L, 2), op_finish);
}

static inline int reported(lua_State *L) {
  lua_getglobal(L, "reports");
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, luaL_len(L, -2) + 1);
  return 0;
}

static inline int handler(lua_State *L) {
  if (lua_isstring(L, 1)) {
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
  }
  return 1;
}

static inline int interrupt(lua_State *L) {
  fiber_interrupt(L);
  return 0;
}

static inline int after_finish(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* A C function that yields for reasons of its own. */
static inline int odd_yield(lua_State *L) {
  return lua_yieldk(L, 0, 0, after_finish);
}

/* A C library that resumes a coroutine itself, and cannot pass our yields up. */
static inline int foreign_resume(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  int results = 0;
  lua_pushinteger(L, lua_resume(co, L, 0, &results));
  lua_pushinteger(L, results);
  return 2;
}

typedef struct world {
  loop *l;
  lua_State *L;
} world;

static inline world open_world(void) {
  world w = {loop_new(), luaL_newstate()};
  ops_finished = ops_abandoned = ops_collected = 0;
  luaL_openlibs(w.L);
  fiber_setup(w.L, w.l);
  fiber_set_message_handler(w.L, handler);
  fiber_set_failure_reporter(w.L, reported);
  lua_newtable(w.L);
  lua_setglobal(w.L, "reports");
  lua_register(w.L, "spawn", fiber_lua_spawn);
  lua_register(w.L, "all", fiber_lua_all);
  lua_register(w.L, "sleep", fiber_lua_sleep);
  lua_register(w.L, "op", op_call);
  lua_register(w.L, "interrupt", interrupt);
  lua_register(w.L, "odd_yield", odd_yield);
  lua_register(w.L, "foreign_resume", foreign_resume);
  return w;
}

static inline void close_world(world *w) {
  lua_close(w->L);
  loop_delete(w->l);
}

static inline int run(world *w, const char *script) {
  if (luaL_loadbuffer(w->L, script, strlen(script), "=script") != LUA_OK)
    fail_msg("%s", lua_tostring(w->L, -1));
  return fiber_run_main(w->L, 0, 0);
}

static inline void passes(world *w, const char *script) {
  int top = lua_gettop(w->L);
  if (run(w, script) != LUA_OK) fail_msg("%s", luaL_tolstring(w->L, -1, NULL));
  assert_int_equal(lua_gettop(w->L), top);
}

/* The script must pass, alone and with a full collection after every few instructions. */
static inline void check(const char *script) {
  for (int stress = 0; stress < 2; stress++) {
    world w = open_world();
    if (stress) lua_gc(w.L, LUA_GCINC, 1000, 1000, 0);
    passes(&w, script);
    assert_int_equal(fiber_unjoined_failures(w.L), 0);
    close_world(&w);
  }
}

#define SCRIPT(name, text)                                                                         \
  static void name(void **state) {                                                                 \
    (void)state;                                                                                   \
    check(text);                                                                                   \
  }

#endif
