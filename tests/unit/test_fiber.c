/* Fibers: each test is a script in a state of its own. Scripts that no blocking call of the program
 * is needed for. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "fiber/fiber.h"

/* op(ms [, fail]): a blocking call as the f5 module has them: a userdata with a timer, which counts
 * how it ends. */
typedef struct op {
  fiber_wait wait;
  loop_timer timer;
  loop *l;
} op;
static int ops_finished, ops_abandoned, ops_collected;

static void op_fire(loop_timer *timer) {
  fiber_wake(&((op *)(void *)((char *)timer - offsetof(op, timer)))->wait);
}

static void op_abandon(fiber_wait *wait) {
  op *o = (op *)(void *)wait;
  loop_timer_stop(o->l, &o->timer);
  ops_abandoned++;
}

static int op_gc(lua_State *L) {
  op *o = lua_touserdata(L, 1);
  loop_timer_stop(o->l, &o->timer);
  ops_collected++;
  return 0;
}

static int op_finish(lua_State *L, int status, lua_KContext context) {
  (void)status;
  ops_finished++;
  if (context) return luaL_error(L, "operation failed");
  lua_pushvalue(L, 1);
  return 1;
}

static int op_call(lua_State *L) {
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

static int reported(lua_State *L) {
  lua_getglobal(L, "reports");
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, luaL_len(L, -2) + 1);
  return 0;
}

static int handler(lua_State *L) {
  if (lua_isstring(L, 1)) {
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
  }
  return 1;
}

static int interrupt(lua_State *L) {
  fiber_interrupt(L);
  return 0;
}

static int after_finish(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* A C function that yields for reasons of its own. */
static int odd_yield(lua_State *L) {
  return lua_yieldk(L, 0, 0, after_finish);
}

/* A C library that resumes a coroutine itself, and cannot pass our yields up. */
static int foreign_resume(lua_State *L) {
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

static world open_world(void) {
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

static void close_world(world *w) {
  lua_close(w->L);
  loop_delete(w->l);
}

static int run(world *w, const char *script) {
  if (luaL_loadbuffer(w->L, script, strlen(script), "=script") != LUA_OK)
    fail_msg("%s", lua_tostring(w->L, -1));
  return fiber_run_main(w->L, 0, 0);
}

static void passes(world *w, const char *script) {
  int top = lua_gettop(w->L);
  if (run(w, script) != LUA_OK) fail_msg("%s", luaL_tolstring(w->L, -1, NULL));
  assert_int_equal(lua_gettop(w->L), top);
}

/* The script must be all right, alone and with a full collection after every few instructions. */
static void check(const char *script) {
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

SCRIPT(blocking_calls_return,
       "assert(op(1) == 1); assert(op(0) == 0)\n"
       "local ok, e = pcall(op, 1, true); assert(not ok and e:find 'operation failed')")

SCRIPT(fibers_overlap,
       "local order = {}\n"
       "local a = spawn(function(x, y) op(30); order[#order+1] = 'a'; return x, y, nil end, 1, 2)\n"
       "local b = spawn(function() op(10); order[#order+1] = 'b'; return 'b' end)\n"
       "assert(a:status() == 'running' and a.name == 'fiber 2' and tostring(a) == 'fiber 2 "
       "(running)')\n"
       "local r = table.pack(a:join()); assert(r.n == 3 and r[1] == 1 and r[2] == 2)\n"
       "assert(b:join() == 'b' and b:join() == 'b'); assert(order[1] == 'b' and order[2] == 'a')\n"
       "assert(a:status() == 'done'); a.name = 'copy'; assert(a.name == 'copy')\n"
       "assert(not pcall(function() a.other = 1 end))")

SCRIPT(join_rethrows_the_value_itself,
       "local e = setmetatable({}, {})\n"
       "local f = spawn(function() op(1) error(e) end)\n"
       "local ok, got = pcall(f.join, f); assert(not ok and rawequal(got, e)); assert(f:status() "
       "== 'failed')\n"
       "ok, got = pcall(f.join, f); assert(not ok and rawequal(got, e))\n"
       "local g = spawn(function() error('plain', 0) end)\n"
       "ok, got = pcall(g.join, g); assert(not ok and got:find('^plain\\nstack traceback'))")

SCRIPT(works_in_user_coroutines,
       "local inner, outer\n"
       "inner = coroutine.wrap(function(a) for i = 1, 3 do assert(op(1) == 1); coroutine.yield(a, "
       "i) end op(1) return "
       "'end' end)\n"
       "local co = coroutine.create(function(...) assert(select('#', ...) == 2)\n"
       "  local a, i = inner('x'); assert(a == 'x' and i == 1)\n"
       "  local back = coroutine.yield(i); assert(back == 'back'); op(2)\n"
       "  return select(2, inner()), 'two' end)\n"
       "local ok, v = coroutine.resume(co, 1, nil); assert(ok and v == 1 and coroutine.status(co) "
       "== 'suspended')\n"
       "local ok, v, w = coroutine.resume(co, 'back'); assert(ok and v == 2 and w == 'two' and "
       "coroutine.status(co) == "
       "'dead')\n"
       "assert(select(2, inner()) == 3); assert(inner() == 'end')\n"
       "local ok, e = pcall(inner); assert(not ok and e:find 'cannot resume dead coroutine')\n"
       "assert(select(2, coroutine.resume(co)):find 'dead coroutine')")

SCRIPT(deeply_nested_coroutines,
       "local function nest(n) if n == 0 then return op(1) end\n"
       "  return coroutine.wrap(function() local r = nest(n - 1); op(1); return r end)() end\n"
       "assert(nest(50) == 1)")

SCRIPT(a_waiting_coroutine_does_not_look_suspended,
       "local co = coroutine.create(function() op(20); return 7 end)\n"
       "local f = spawn(function() return coroutine.resume(co) end)\n"
       "local g = spawn(function() return coroutine.running() end)\n"
       "op(1); assert(coroutine.status(co) == 'normal')\n"
       "local ok, e = coroutine.resume(co); assert(not ok and e == 'cannot resume non-suspended "
       "coroutine')\n"
       "local ok, e = pcall(coroutine.close, co); assert(not ok and e:find 'cannot close a normal "
       "coroutine')\n"
       "local w = coroutine.wrap(function() op(20) return 1 end); local h = spawn(w); op(1)\n"
       "assert(not pcall(w)); assert(h:join() == 1)\n"
       "local ok, v = f:join(); assert(ok and v == 7 and coroutine.status(co) == 'dead')\n"
       "local root = g:join(); assert(coroutine.status(root) == 'dead')")

SCRIPT(
    errors_in_coroutines,
    "local co = coroutine.create(function() op(1) error({1}) end)\n"
    "local ok, e = coroutine.resume(co); assert(not ok and e[1] == 1)\n"
    "local w = coroutine.wrap(function() op(1) error('bad') end)\n"
    "local ok, e = pcall(w); assert(not ok and e:find 'bad')\n"
    "local closed; local w = coroutine.wrap(function() local x <close> = setmetatable({}, {__close "
    "= function() "
    "op(1) closed = true end}) error 'x' end)\n"
    "assert(not pcall(w) and closed)\n"
    "closed = nil; local co = coroutine.create(function() local x <close> = setmetatable({}, "
    "{__close = function() "
    "op(1) closed = true end}) coroutine.yield() end)\n"
    "coroutine.resume(co); assert(coroutine.close(co) and closed and coroutine.status(co) == "
    "'dead')\n"
    "local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = "
    "function() op(1) "
    "error('in close', 0) end}) coroutine.yield() end)\n"
    "coroutine.resume(co); local ok, e = coroutine.close(co); assert(not ok and e == 'in close')")

SCRIPT(main_looks_like_the_main_thread,
       "local co, main = coroutine.running(); assert(main and not coroutine.isyieldable())\n"
       "local ok, e = pcall(coroutine.yield, 1); assert(not ok and e:find 'outside a coroutine')\n"
       "coroutine.wrap(function() local c, m = coroutine.running(); assert(not m and "
       "coroutine.isyieldable()) end)()\n"
       "assert(coroutine.status(co) == 'running'); assert(not coroutine.resume(co))")

SCRIPT(works_in_metamethods_and_iterators,
       "local t = setmetatable({}, {__index = function(_, k) op(1) return k .. '!' "
       "end, __add = function(a, b) return op(1) + 1 end,\n"
       "  __call = function(_, x) op(1) return x end, __eq = function() op(1) "
       "return true end, __lt = function() op(1) return true end,\n"
       "  __len = function() op(1) return 5 end, __concat = function() op(1) "
       "return 'c' end, __newindex = function(t, k, v) op(1) rawset(t, k, v) end,\n"
       "  __tostring = function() op(1) return 'ts' end, __pairs = function() "
       "op(1) return function(_, k) if not k then op(1) return 1, 2 end end end})\n"
       "assert(t.a == 'a!' and t + 1 == 2 and t(4) == 4 and t == setmetatable({}, "
       "getmetatable(t)) and t < t and #t == 5 and t .. 1 == 'c')\n"
       "t.z = 1; assert(rawget(t, 'z') == 1); assert(tostring(t) == 'ts')\n"
       "local n = 0; for k, v in pairs(t) do n = n + k + v end assert(n == 3)\n"
       "for i in coroutine.wrap(function() for i = 1, 3 do op(1) "
       "coroutine.yield(i) end end) do n = n + i end assert(n == 9)")

SCRIPT(works_where_a_yield_is_impossible,
       "local t = {3, 1, 2}; table.sort(t, function(a, b) assert(op(1) == 1) return a < b end); "
       "assert(t[1] == 1 and t[3] "
       "== 3)\n"
       "assert(('abc'):gsub('.', function(c) op(1) return c:upper() end) == 'ABC')\n"
       "local parts = {'return ', '42'}; local i = 0\n"
       "assert(load(function() op(1) i = i + 1 return parts[i] end)() == 42)\n"
       "assert(select(2, xpcall(error, function(m) op(1) return 'handled ' .. m end, 'x')) == "
       "'handled x')\n"
       "local t = {2, 1}; table.sort(t, function(a, b) return coroutine.wrap(function() op(1) "
       "local w = "
       "coroutine.wrap(function() op(1) return a < b end) return w() end)() end)\n"
       "assert(t[1] == 1)\n"
       "local ok, e = pcall(table.sort, {2, 1}, function() op(1, true) end); assert(not ok and "
       "e:find 'operation failed')")

SCRIPT(others_do_not_run_while_pumped,
       "local n = 0; local f = spawn(function() while true do n = n + 1 op(0) sleep(0) end end)\n"
       "op(5); local before = n; assert(before > 0)\n"
       "table.sort({2, 1}, function(a, b) op(10) return a < b end); assert(n == before)\n"
       "f:cancel(); assert(not pcall(f.join, f))")

SCRIPT(join_and_all_where_a_yield_is_impossible,
       "local n = 0\n"
       "local r = ('ab'):gsub('.', function(c) local f = spawn(function() op(1) n = n + 1 return c "
       ".. c end) return "
       "f:join() end)\n"
       "assert(r == 'aabb' and n == 2)\n"
       ";('x'):gsub('.', function() local a, b = all(function() op(2) return 1 end, function() "
       "op(1) return 2 end) "
       "assert(a == 1 and b == 2) end)\n"
       ";('x'):gsub('.', function() coroutine.wrap(function() assert(spawn(function() op(1) return "
       "5 end):join() == 5) "
       "end)() end)\n"
       "local deep; local f = spawn(function() op(1); ('x'):gsub('.', function() deep = "
       "table.pack(pcall(function() "
       "return spawn(function() end):join() end)) end) end)\n"
       ";('x'):gsub('.', function() f:join() end)\n"
       "assert(deep[1] == false and deep[2]:find 'cannot wait for a fiber here')")

SCRIPT(works_in_pcall_and_close,
       "local log = {}\n"
       "do local a <close> = setmetatable({}, {__close = function(_, e) op(1) log[#log+1] = "
       "'closed' end}) op(1) end\n"
       "local function f() local a <close> = setmetatable({}, {__close = function(_, e) op(1) "
       "log[#log+1] = e or "
       "'none' end}) op(1) return 1, 2, 3 end\n"
       "assert(select('#', f()) == 3)\n"
       "assert(not pcall(function() local a <close> = setmetatable({}, {__close = function(_, e) "
       "op(1) log[#log+1] = e "
       "end}) op(1) error('E', 0) end))\n"
       "assert(table.concat(log, ' ') == 'closed none E', table.concat(log, ' '))\n"
       "local ok, e = xpcall(function() op(1) error('a', 0) end, function(m) return m .. 'b' end); "
       "assert(e == 'ab')\n"
       "assert(select(2, pcall(pcall, op, 1)) == true)")

SCRIPT(require_is_as_lua_has_it,
       "package.preload.one = function(name, extra) op(1) assert(name == 'one' and extra == "
       "':preload:') return {1} end\n"
       "local m, extra = require 'one'; assert(m[1] == 1 and extra == ':preload:' and "
       "package.loaded.one == m)\n"
       "assert(select('#', require 'one') == 1 and require 'one' == m)\n"
       "package.preload.two = function() op(1) end; assert(require 'two' == true and "
       "package.loaded.two == true)\n"
       "package.preload.three = function(n) package.loaded[n] = 'set' op(1) end; assert(require "
       "'three' == 'set')\n"
       "package.preload.four = function() op(1) return false end; assert(require 'four' == false)\n"
       "local ok, e = pcall(require, 'no.such'); assert(not ok)\n"
       "assert(e:find(\"^module 'no.such' not found:\\n\\tno field "
       "package.preload%['no.such'%]\\n\\tno file '\"), e)\n"
       "package.preload.bad = function() op(1) error('bad', 0) end; local ok, e = pcall(require, "
       "'bad'); assert(e == "
       "'bad' and package.loaded.bad == nil)\n"
       "table.insert(package.searchers, 1, function(n) op(1) if n == 'dyn' then return function(a, "
       "b) op(1) return a .. b "
       "end, 'data' end return 'words' end)\n"
       "table.insert(package.searchers, 2, function(n) end)\n"
       "local d, x = require 'dyn'; assert(d == 'dyndata' and x == 'data')\n"
       "local ok, e = pcall(require, 'no.such'); assert(e:find(\"not found:\\n\\twords\\n\\tno "
       "field\"), e)\n"
       "assert(not pcall(require)); package.searchers = nil; assert(select(2, pcall(require, "
       "'zz')):find 'must be a "
       "table')")

SCRIPT(a_module_is_loaded_once_by_two_fibers,
       "local n = 0; package.preload.m = function() n = n + 1 op(10) return {} end\n"
       "local a, b = all(function() return require 'm' end, function() return require 'm' end); "
       "assert(a == b and n == "
       "1)\n"
       "package.preload.p = function() op(5) if n == 1 then n = 2 error('once', 0) end return 'p' "
       "end\n"
       "local r = all { function() return (select(2, pcall(require, 'p'))) end, function() return "
       "require 'p' end }\n"
       "assert(r[1] == 'once' and r[2] == 'p')\n"
       "package.preload.x = function() op(3) package.loaded.x = 1 require 'y' return 2 end\n"
       "package.preload.y = function() op(3) package.loaded.y = 1 require 'x' return 2 end\n"
       "all(function() require 'x' end, function() require 'y' end)")

SCRIPT(cancel_runs_close_variables_that_block,
       "local log = {}\n"
       "local f = spawn(function() local a <close> = setmetatable({}, {__close = function(_, e) "
       "op(5) log[#log+1] = "
       "'closed ' .. tostring(e) end})\n"
       "  log[#log+1] = 'in' op(100000) log[#log+1] = 'never' end)\n"
       "op(1); f:cancel(); f:cancel(); assert(f:status() == 'running')\n"
       "local ok, e = pcall(f.join, f); assert(not ok and e == 'cancelled' and f:status() == "
       "'cancelled')\n"
       "assert(table.concat(log, ',') == 'in,closed cancelled', table.concat(log, ','))")

SCRIPT(
    cancel_is_raised_once,
    "local f = spawn(function() local ok, e = pcall(op, 100000) assert(not ok and e == "
    "'cancelled') op(1) return "
    "'survived' end)\n"
    "op(1) f:cancel() assert(f:join() == 'survived' and f:status() == 'done')\n"
    "local g = spawn(function() pcall(op, 100000) error('other', 0) end); op(1) g:cancel()\n"
    "local ok, e = pcall(g.join, g) assert(e:find '^other' and g:status() == 'failed')\n"
    "local me; me = spawn(function() me:cancel() local x = 1 op(1) error 'not reached' end)\n"
    "assert(select(2, pcall(me.join, me)) == 'cancelled')\n"
    "local done = spawn(function() end) done:join() done:cancel() assert(done:status() == 'done')")

SCRIPT(cancel_before_the_start,
       "local ran; local f = spawn(function() ran = true end); f:cancel()\n"
       "local ok, e = pcall(f.join, f); assert(not ok and e == 'cancelled' and not ran and "
       "f:status() == 'cancelled')")

SCRIPT(cancel_reaches_coroutines_and_joins,
       "local closed = 0; local function c() return setmetatable({}, {__close = function() op(1) "
       "closed = closed + 1 "
       "end}) end\n"
       "local f = spawn(function() local a <close> = c() coroutine.wrap(function() local b <close> "
       "= c() op(100000) "
       "end)() end)\n"
       "op(1) f:cancel() assert(not pcall(f.join, f) and closed == 2)\n"
       "local slow = spawn(function() op(20) return 'slow' end); local j = spawn(function() return "
       "slow:join() end)\n"
       "op(1) j:cancel() assert(not pcall(j.join, j) and j:status() == 'cancelled'); "
       "assert(slow:join() == 'slow')")

SCRIPT(all_returns_in_order,
       "local a, b, c = all(function() op(5) return 'a', 'x' end, function() return 'b' end, "
       "function() end); assert(a "
       "== 'a' and b == 'b' and c == nil)\n"
       "assert(select('#', all(function() return 1, 2 end, function() end)) == 2 and select('#', "
       "all()) == 0)\n"
       "local r = all { function() op(5) return 1 end, function() end, function() return 3 end }; "
       "assert(r[1] == 1 and "
       "r[2] == nil and r[3] == 3 and r.n == 3)\n"
       "assert(all({}).n == 0)\n"
       "local ok, e = pcall(all, { print, 5 }); assert(not ok and e:find 'function expected at "
       "index 2, got number')\n"
       "local ok, e = pcall(all, print, 5); assert(not ok and e:find 'bad argument #2')\n"
       "assert(not pcall(spawn) and not pcall(spawn, 5))")

SCRIPT(all_cancels_the_rest,
       "local closed, e0 = 0, {}\n"
       "local function slow() local a <close> = setmetatable({}, {__close = function() op(3) "
       "closed = closed + 1 end}) "
       "op(100000) end\n"
       "local ok, e = pcall(all, slow, function() op(2) error(e0) end, slow); assert(not ok and "
       "rawequal(e, e0) and "
       "closed == 2)\n"
       "closed = 0; local p = spawn(function() all(slow, slow) end); op(1) p:cancel(); local ok, e "
       "= pcall(p.join, p)\n"
       "assert(not ok and e == 'cancelled' and closed == 2 and p:status() == 'cancelled')\n"
       "local late; local ok = pcall(all, function() error 'first' end, function() late = true "
       "end); assert(not ok and "
       "not late)")

SCRIPT(fibers_can_be_closed, "local ended; do local f <close> = spawn(function() local ok = "
                             "pcall(op, 100000) op(1) ended = not ok end) "
                             "op(1) end assert(ended)\n"
                             "local ok, e = pcall(function() local f <close> = spawn(function() "
                             "error('inside', 0) end) op(2) end)\n"
                             "assert(not ok and e:find '^inside')")

SCRIPT(sleep_checks_its_argument,
       "sleep(0) sleep(0.001) sleep(1e-9)\n"
       "for _, bad in ipairs { -1, 0/0, 1/0, 'x', {} } do local ok, e = pcall(sleep, bad) "
       "assert(not ok and e:find 'bad argument #1', bad) end")

SCRIPT(deadlocks_are_raised,
       "local a, b; a = spawn(function() return b:join() end); b = spawn(function() return "
       "a:join() end)\n"
       "local ok, e = pcall(a.join, a); assert(not ok and e:find 'deadlock')\n"
       "a:cancel(); b:cancel(); pcall(a.join, a); pcall(b.join, b)\n"
       "local me; me = spawn(function() me:join() end)\n"
       "local ok, e = pcall(me.join, me) assert(e:find 'own end')\n"
       "local ok, e = pcall(op, -1) assert(not ok and e:find 'deadlock')\n"
       "local ok, e = pcall(table.sort, {2, 1}, function() op(-1) end) assert(not ok and e:find "
       "'deadlock')\n"
       "local ok, e = pcall(coroutine.wrap(function() op(-1) end)) assert(not ok and e:find "
       "'deadlock')")

SCRIPT(odd_yields_are_harmless,
       "odd_yield() local f = spawn(function() odd_yield() return 1 end) assert(f:join() == 1)\n"
       "local co = coroutine.create(function() assert(op(1) == 1) coroutine.yield(4, 5) end)\n"
       "local status, n = foreign_resume(co) assert(status == 1 and n == 2)")

SCRIPT(memory_goes_back, "collectgarbage() collectgarbage() local before = collectgarbage 'count'\n"
                         "for i = 1, 20 do local list = {} for j = 1, 200 do list[j] = "
                         "spawn(function() op(1) return j end) end\n"
                         "  for j = 1, 200 do assert(list[j]:join() == j) end end\n"
                         "collectgarbage() collectgarbage() assert(collectgarbage 'count' < before "
                         "+ 60, collectgarbage 'count' - before)")

SCRIPT(many_fibers, "local n = 0 local fs = {} for i = 1, 3000 do fs[i] = function() sleep(0.001) "
                    "n = n + 1 return i end end\n"
                    "local r = all(fs) assert(n == 3000 and r[3000] == 3000)")

SCRIPT(garbage_everywhere,
       "local function g() collectgarbage() collectgarbage() end\n"
       "local f = spawn(function() g() op(1) g() coroutine.wrap(function() g() op(1) g() end)() "
       "return {} end) g()\n"
       "assert(type(f:join()) == 'table') g() f = nil g()\n"
       "local r = all { function() op(2) g() return {1} end, function() g() op(1) return {2} end } "
       "g() assert(r[1][1] "
       "== 1 and r[2][1] == 2)\n"
       "package.preload.g = function() g() op(1) g() return {} end require 'g'\n"
       "local h = spawn(function() local x <close> = setmetatable({}, {__close = function() g() "
       "op(1) g() end}) "
       "op(100000) end)\n"
       "op(1) g() h:cancel() g() pcall(h.join, h) g()")

/* -- what needs C -- */

static void unjoined_failures_are_reported(void **state) {
  (void)state;
  world w = open_world();
  passes(&w, "local e = {} spawn(function() op(1) error(e) end) op(5) collectgarbage() "
             "collectgarbage() op(1) "
             "assert(reports[1] == e)\n"
             "local f = spawn(function() error('two', 0) end) op(1) assert(#reports == 1)\n"
             "local g = spawn(function() error('joined', 0) end) pcall(g.join, g) kept = f");
  assert_int_equal(fiber_unjoined_failures(w.L), 2);
  passes(&w, "assert(#reports == 2 and reports[2]:find '^two') local f = spawn(function() "
             "op(100000) end) f:cancel()");
  assert_int_equal(fiber_unjoined_failures(w.L), 2);
  close_world(&w);
}

static void fibers_end_with_main(void **state) {
  (void)state;
  world w = open_world();
  passes(&w, "f = spawn(function() local a <close> = setmetatable({}, {__close = function() op(3) "
             "closed = true end}) "
             "op(100000) end)\n"
             "g = spawn(function() ran = true end) f.name = 'kept' op(1)\n"
             "h = spawn(function() never = true end)");
  passes(&w, "assert(closed and ran and not never and f:status() == 'cancelled' and h:status() == "
             "'cancelled' and "
             "f.name == 'kept')");
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
                      "op(100000) end)\n"
                      "spawn(function() op(5) interrupt() op(100000) end) op(100000)",
      /* in Lua code */
      "local a <close> = cleaned() spawn(function() local b <close> = cleaned() op(100000) end) "
      "op(1) interrupt() "
      "while true do end",
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
    passes(&w, "n = 0 function cleaned() return setmetatable({}, {__close = function() op(2) n = n "
               "+ 1 end}) end");
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
  const char *scripts[] = {"while true do end",
                           "local f = coroutine.wrap(function() while true do coroutine.yield() "
                           "end end) while true do f() end",
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
  passes(&w, "local seen local f = spawn(function() local ok, e = pcall(op, 100000) seen = e "
             "error(e, 0) end) op(1) "
             "f:cancel()\n"
             "local ok, e = pcall(f.join, f) assert(e.kind == 'cancelled' and rawequal(e, seen) "
             "and f:status() == "
             "'cancelled')");
  close_world(&w);
}

/* Outside of any fiber: as the host may call a library function. */
static void works_outside_fibers(void **state) {
  (void)state;
  world w = open_world();
  assert_int_equal(
      luaL_dostring(w.L, "assert(op(1) == 1) local c = coroutine.wrap(function() op(1) "
                         "coroutine.yield(3) end) assert(c() == 3)\n"
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
  passes(&w, "local status, message = run_again(function() end) assert(status ~= 0 and "
             "message:find 'main fiber')");
  passes(&w, "op(1)");
  close_world(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocking_calls_return),
      cmocka_unit_test(fibers_overlap),
      cmocka_unit_test(join_rethrows_the_value_itself),
      cmocka_unit_test(works_in_user_coroutines),
      cmocka_unit_test(deeply_nested_coroutines),
      cmocka_unit_test(a_waiting_coroutine_does_not_look_suspended),
      cmocka_unit_test(errors_in_coroutines),
      cmocka_unit_test(main_looks_like_the_main_thread),
      cmocka_unit_test(works_in_metamethods_and_iterators),
      cmocka_unit_test(works_where_a_yield_is_impossible),
      cmocka_unit_test(others_do_not_run_while_pumped),
      cmocka_unit_test(join_and_all_where_a_yield_is_impossible),
      cmocka_unit_test(works_in_pcall_and_close),
      cmocka_unit_test(require_is_as_lua_has_it),
      cmocka_unit_test(a_module_is_loaded_once_by_two_fibers),
      cmocka_unit_test(cancel_runs_close_variables_that_block),
      cmocka_unit_test(cancel_is_raised_once),
      cmocka_unit_test(cancel_before_the_start),
      cmocka_unit_test(cancel_reaches_coroutines_and_joins),
      cmocka_unit_test(all_returns_in_order),
      cmocka_unit_test(all_cancels_the_rest),
      cmocka_unit_test(fibers_can_be_closed),
      cmocka_unit_test(sleep_checks_its_argument),
      cmocka_unit_test(deadlocks_are_raised),
      cmocka_unit_test(odd_yields_are_harmless),
      cmocka_unit_test(memory_goes_back),
      cmocka_unit_test(many_fibers),
      cmocka_unit_test(garbage_everywhere),
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
