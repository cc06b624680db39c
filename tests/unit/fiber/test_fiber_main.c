/* The life of a state with fibers: main, interrupts, failures that nobody joins. */
#include <signal.h>
#include <unistd.h>

#include "fiber_world.h"

static void unjoined_failures_are_reported(void **state) {
  (void)state;
  world w = open_world();
  passes(&w, "local e, gone = {} spawn(function() op(1) gone = true error(e) end)\n"
             "while not gone do op(1) end collectgarbage() collectgarbage() op(1)\n"
             "assert(reports[1] == e)\n"
             "local f = spawn(function() error('two', 0) end) op(1) assert(#reports == 1)\n"
             "local g = spawn(function() error('joined', 0) end) pcall(g.join, g) kept = f");
  assert_int_equal(fiber_unjoined_failures(w.L), 2);
  passes(&w,
         "assert(#reports == 2 and reports[2]:find '^two') local f = spawn(function() op(100000) "
         "end) f:cancel()");
  assert_int_equal(fiber_unjoined_failures(w.L), 2);
  close_world(&w);
}

static void fibers_end_with_main(void **state) {
  (void)state;
  world w = open_world();
  passes(&w, "f = spawn(function() local a <close> = setmetatable({}, {__close = function() op(3) "
             "closed = true end}) op(100000) end)\n"
             "g = spawn(function() ran = true end) f.name = 'kept' op(1)\n"
             "h = spawn(function() never = true end)");
  passes(&w, "assert(closed and ran and not never and f:status() == 'cancelled' and h:status() "
             "== 'cancelled' and f.name == 'kept')");
  assert_int_equal(ops_abandoned, 1);
  assert_int_equal(fiber_unjoined_failures(w.L), 0);
  close_world(&w);
  assert_int_equal(ops_collected, 3);
}

static void main_results_and_errors(void **state) {
  (void)state;
  world w = open_world();
  luaL_loadstring(w.L, "local a, b = ... op(1) return a + b, 'x', nil");
  lua_pushinteger(w.L, 1);
  lua_pushinteger(w.L, 2);
  assert_int_equal(fiber_run_main(w.L, 2, LUA_MULTRET), LUA_OK);
  assert_int_equal(lua_gettop(w.L), 3);
  assert_int_equal(lua_tointeger(w.L, 1), 3);
  lua_settop(w.L, 0);
  assert_int_not_equal(run(&w, "op(1) local function f() error 'words' end f() return 1"), LUA_OK);
  assert_int_equal(lua_gettop(w.L), 1);
  assert_non_null(strstr(lua_tostring(w.L, 1), "words\nstack traceback"));
  assert_non_null(
      strstr(lua_tostring(w.L, 1), "in upvalue 'f'") ? "" : strstr(lua_tostring(w.L, 1), "'f'"));
  lua_settop(w.L, 0);
  assert_int_not_equal(run(&w, "local function f() return f() + 1 end f()"),
                       LUA_OK); /* stack overflow */
  lua_settop(w.L, 0);
  luaL_loadstring(w.L, "return 1");
  assert_int_equal(fiber_run_main(w.L, 0, 3), LUA_OK);
  assert_int_equal(lua_gettop(w.L), 3);
  close_world(&w);
}

static void interrupts_cancel_everything(void **state) {
  (void)state;
  static const char *const scripts[] = {
      /* at a wait */ "local a <close> = cleaned() spawn(function() local b <close> = cleaned() "
                      "op(100000) "
                      "end)\n"
                      "spawn(function() op(5) interrupt() op(100000) end) op(100000)",
      /* in Lua code */
      "local a <close> = cleaned() spawn(function() local b <close> = cleaned() op(100000) end) "
      "op(1) interrupt() while true do end",
      /* in a coroutine */
      "local a <close> = cleaned() spawn(function() local b <close> = cleaned() op(100000) end) "
      "op(1)\n"
      "coroutine.wrap(function() interrupt() while true do end end)()",
      /* below C */
      "local a <close> = cleaned() spawn(function() local b <close> = cleaned() op(100000) end) "
      "op(1)\n"
      "spawn(function() table.sort({2, 1}, function() interrupt() op(100000) end) end) op(100000)"};
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    world w = open_world();
    passes(&w, "n = 0 function cleaned() return setmetatable({}, {__close = function() op(2) "
               "n = n + 1 end}) end");
    assert_false(fiber_interrupted(w.L));
    assert_int_not_equal(run(&w, scripts[i]), LUA_OK);
    assert_string_equal(lua_tostring(w.L, -1), "cancelled");
    assert_true(fiber_interrupted(w.L));
    lua_pop(w.L, 1);
    passes(&w, "assert(n == 2) op(1)");
    assert_false(fiber_interrupted(w.L));
    assert_int_equal(fiber_unjoined_failures(w.L), 0);
    close_world(&w);
  }
}

static lua_State *signalled;
static void on_alarm(int number) {
  (void)number;
  fiber_interrupt(signalled);
}

static void a_signal_ends_a_loop(void **state) {
  (void)state;
  const char *scripts[] = {
      "while true do end",
      "local f = coroutine.wrap(function() while true do coroutine.yield() end end) "
      "while true do f() end",
      "sleep(1000)", "while true do sleep(0) end",
      "table.sort({2, 1}, function() sleep(1000) end)"};
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    world w = open_world();
    signalled = w.L;
    signal(SIGALRM, on_alarm);
    ualarm(20000, 0);
    assert_int_not_equal(run(&w, scripts[i]), LUA_OK);
    assert_string_equal(lua_tostring(w.L, -1), "cancelled");
    close_world(&w);
  }
}

static int push_error(lua_State *L) {
  lua_newtable(L);
  lua_pushliteral(L, "cancelled");
  lua_setfield(L, -2, "kind");
  return 1;
}

static void the_cancel_error_can_be_chosen(void **state) {
  (void)state;
  world w = open_world();
  fiber_set_cancel_error(w.L, push_error);
  passes(&w, "local seen local f = spawn(function() local ok, e = pcall(op, 100000) "
             "seen = e error(e, 0) end) op(1) f:cancel()\n"
             "local ok, e = pcall(f.join, f) assert(e.kind == 'cancelled' and rawequal(e, seen) "
             "and f:status() == 'cancelled')");
  close_world(&w);
}

/* Outside of any fiber: as the host may call a library function. */
static void works_outside_fibers(void **state) {
  (void)state;
  world w = open_world();
  assert_int_equal(
      luaL_dostring(
          w.L,
          "assert(op(1) == 1) local c = coroutine.wrap(function() op(1) coroutine.yield(3) end) "
          "assert(c() == 3)\n"
          "local f = spawn(function() op(1) return 9 end) assert(f:join() == 9)\n"
          "local ok, e = pcall(op, -1) assert(e:find 'deadlock')"),
      LUA_OK);
  close_world(&w);
}

/* As in a stock lua5.4: a thread that is older than fiber_setup has anything in its extra space. */
static void threads_older_than_the_scheduler(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    world w = {loop_new(), luaL_newstate()}, other = open_world(); /* the other is set up last */
    luaL_openlibs(w.L);
    *(uintptr_t *)lua_getextraspace(w.L) = i == 0 ? 0 : UINTPTR_MAX;
    lua_State *old = lua_newthread(w.L);
    lua_setglobal(w.L, "old");
    fiber_setup(w.L, w.l);
    if (i == 0) passes(&other, "return 1");
    lua_register(w.L, "op", op_call);
    luaL_loadstring(old, "assert(op(1) == 1) coroutine.yield(2) op(1) return 3");
    passes(&w,
           "assert(coroutine.status(old) == 'suspended') local ok, v = coroutine.resume(old) "
           "assert(ok and v == 2)\n"
           "assert(coroutine.wrap(function() return select(2, coroutine.resume(old)) end)() == 3)");
    close_world(&other);
    close_world(&w);
  }
}

static int run_again(lua_State *L) {
  lua_settop(L, 1);
  lua_pushinteger(L, fiber_run_main(L, 0, 0));
  lua_insert(L, 1);
  return lua_gettop(L);
}

static void one_main_fiber_at_a_time(void **state) {
  (void)state;
  world w = open_world();
  lua_register(w.L, "run_again", run_again);
  passes(&w,
         "local status, message = run_again(function() end) assert(status ~= 0 and message:find "
         "'main fiber')");
  passes(&w, "op(1)");
  close_world(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unjoined_failures_are_reported),
      cmocka_unit_test(fibers_end_with_main),
      cmocka_unit_test(main_results_and_errors),
      cmocka_unit_test(interrupts_cancel_everything),
      cmocka_unit_test(a_signal_ends_a_loop),
      cmocka_unit_test(the_cancel_error_can_be_chosen),
      cmocka_unit_test(works_outside_fibers),
      cmocka_unit_test(threads_older_than_the_scheduler),
      cmocka_unit_test(one_main_fiber_at_a_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
