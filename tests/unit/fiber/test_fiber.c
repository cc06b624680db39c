/* Fibers: spawn, join, cancel, all, sleep. Each test is a script in a state of its own. */
#include "fiber_world.h"

SCRIPT(blocking_calls_return,
       "assert(op(1) == 1); assert(op(0) == 0)\n"
       "local ok, e = pcall(op, 1, true); assert(not ok and e:find 'operation failed')")

SCRIPT(fibers_overlap,
       "local order = {}\n"
       "local a = spawn(function(x, y) op(30); order[#order+1] = 'a'; "
       "return x, y, nil end, 1, 2)\n"
       "local b = spawn(function() op(10); order[#order+1] = 'b'; return 'b' end)\n"
       "assert(a:status() == 'running' and a.name == 'fiber 2' and tostring(a) "
       "== 'fiber 2 (running)')\n"
       "local r = table.pack(a:join()); assert(r.n == 3 and r[1] == 1 and r[2] == 2)\n"
       "assert(b:join() == 'b' and b:join() == 'b'); assert(order[1] == 'b' and order[2] == "
       "'a')\n"
       "assert(a:status() == 'done'); a.name = 'copy'; assert(a.name == 'copy')\n"
       "assert(not pcall(function() a.other = 1 end))")

SCRIPT(join_rethrows_the_value_itself,
       "local e = setmetatable({}, {})\n"
       "local f = spawn(function() op(1) error(e) end)\n"
       "local ok, got = pcall(f.join, f); assert(not ok and rawequal(got, e)); assert(f:status() "
       "== 'failed')\n"
       "ok, got = pcall(f.join, f); assert(not ok and rawequal(got, e))\n"
       "local g = spawn(function() error('plain', 0) end)\n"
       "ok, got = pcall(g.join, g); assert(not ok and got:find('^plain\\n"
       "stack traceback'))")

SCRIPT(cancel_runs_close_variables_that_block,
       "local log = {}\n"
       "local f = spawn(function() local a <close> = setmetatable({}, {__close = function(_, e) "
       "op(5) log[#log+1] = 'closed ' .. tostring(e) end})\n"
       "  log[#log+1] = 'in' op(100000) log[#log+1] = 'never' end)\n"
       "op(1); f:cancel(); f:cancel(); assert(f:status() == 'running')\n"
       "local ok, e = pcall(f.join, f); assert(not ok and e == 'cancelled' and f:status() "
       "== 'cancelled')\n"
       "assert(table.concat(log, ',') == 'in,closed cancelled', table.concat(log, ','))")

SCRIPT(
    cancel_is_raised_once,
    "local f = spawn(function() local ok, e = pcall(op, 100000) "
    "assert(not ok and e == 'cancelled') op(1) return 'survived' end)\n"
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
       "closed = closed + 1 end}) end\n"
       "local f = spawn(function() local a <close> = c() coroutine.wrap(function() "
       "local b <close> = c() op(100000) end)() end)\n"
       "op(1) f:cancel() assert(not pcall(f.join, f) and closed == 2)\n"
       "local slow = spawn(function() op(20) return 'slow' end); local j = spawn(function() "
       "return slow:join() end)\n"
       "op(1) j:cancel() assert(not pcall(j.join, j) and j:status() == 'cancelled'); "
       "assert(slow:join() == 'slow')")

SCRIPT(all_returns_in_order,
       "local a, b, c = all(function() op(5) return 'a', 'x' end, function() "
       "return 'b' end, function() end); assert(a == 'a' and b == 'b' and c == nil)\n"
       "assert(select('#', all(function() return 1, 2 end, function() end)) "
       "== 2 and select('#', all()) == 0)\n"
       "local r = all { function() op(5) return 1 end, function() end, function() "
       "return 3 end }; assert(r[1] == 1 and r[2] == nil and r[3] == 3 and r.n == 3)\n"
       "assert(all({}).n == 0)\n"
       "local callable = setmetatable({}, {__call = function() return 7 end})\n"
       "assert(select('#', all(callable)) == 1 and all(callable) == 7)\n"
       "local ok, e = pcall(all, { print, 5 }); assert(not ok and e:find 'function expected at "
       "index 2, got number')\n"
       "local ok, e = pcall(all, print, 5); assert(not ok and e:find 'bad argument #2')\n"
       "assert(not pcall(spawn) and not pcall(spawn, 5))")

SCRIPT(all_cancels_the_rest,
       "local closed, e0 = 0, {}\n"
       "local function slow() local a <close> = setmetatable({}, {__close = function() op(3) "
       "closed = closed + 1 end}) op(100000) end\n"
       "local ok, e = pcall(all, slow, function() op(2) error(e0) end, slow); "
       "assert(not ok and rawequal(e, e0) and closed == 2)\n"
       "closed = 0; local p = spawn(function() all(slow, slow) end); op(1) p:cancel(); "
       "local ok, e = pcall(p.join, p)\n"
       "assert(not ok and e == 'cancelled' and closed == 2 and p:status() == 'cancelled')\n"
       "local late; local ok = pcall(all, function() error 'first' end, function() "
       "late = true end); assert(not ok and not late)")

SCRIPT(fibers_can_be_closed,
       "local ended; do local f <close> = spawn(function() local ok = pcall(op, 100000) op(1) "
       "ended = not ok end) op(1) end assert(ended)\n"
       "local ok, e = pcall(function() local f <close> = spawn(function() error('inside', 0) "
       "end) op(2) end)\n"
       "assert(not ok and e:find '^inside')")

SCRIPT(sleep_checks_its_argument,
       "sleep(0) sleep(0.001) sleep(1e-9)\n"
       "for _, bad in ipairs { -1, 0/0, 1/0, 'x', {} } do local ok, e = pcall(sleep, bad) "
       "assert(not ok and e:find 'bad argument #1', bad) end")

SCRIPT(deadlocks_are_raised,
       "local a, b; a = spawn(function() return b:join() end); b = spawn(function() "
       "return a:join() end)\n"
       "local ok, e = pcall(a.join, a); assert(not ok and e:find 'deadlock')\n"
       "a:cancel(); b:cancel(); pcall(a.join, a); pcall(b.join, b)\n"
       "local me; me = spawn(function() me:join() end)\n"
       "local ok, e = pcall(me.join, me) assert(e:find 'own end')\n"
       "local ok, e = pcall(op, -1) assert(not ok and e:find 'deadlock')\n"
       "local ok, e = pcall(table.sort, {2, 1}, function() op(-1) end) "
       "assert(not ok and e:find 'deadlock')\n"
       "local ok, e = pcall(coroutine.wrap(function() op(-1) end)) "
       "assert(not ok and e:find 'deadlock')")

SCRIPT(memory_goes_back,
       "collectgarbage() collectgarbage() local before = collectgarbage 'count'\n"
       "for i = 1, 20 do local list = {} for j = 1, 200 do list[j] = spawn(function() op(1) "
       "return j end) end\n"
       "  for j = 1, 200 do assert(list[j]:join() == j) end end\n"
       "collectgarbage() collectgarbage() assert(collectgarbage 'count' < before + 60, "
       "collectgarbage 'count' - before)")

SCRIPT(many_fibers, "local n = 0 local fs = {} for i = 1, 3000 do fs[i] = function() sleep(0.001) "
                    "n = n + 1 return i end end\n"
                    "local r = all(fs) assert(n == 3000 and r[3000] == 3000)")

SCRIPT(garbage_everywhere,
       "local function g() collectgarbage() collectgarbage() end\n"
       "local f = spawn(function() g() op(1) g() coroutine.wrap(function() g() op(1) g() end)() "
       "return {} end) g()\n"
       "assert(type(f:join()) == 'table') g() f = nil g()\n"
       "local r = all { function() op(2) g() return {1} end, function() g() op(1) return {2} "
       "end } g() assert(r[1][1] == 1 and r[2][1] == 2)\n"
       "package.preload.g = function() g() op(1) g() return {} end require 'g'\n"
       "local h = spawn(function() local x <close> = setmetatable({}, {__close = function() g() "
       "op(1) g() end}) op(100000) end)\n"
       "op(1) g() h:cancel() g() pcall(h.join, h) g()")

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocking_calls_return),
      cmocka_unit_test(fibers_overlap),
      cmocka_unit_test(join_rethrows_the_value_itself),
      cmocka_unit_test(cancel_runs_close_variables_that_block),
      cmocka_unit_test(cancel_is_raised_once),
      cmocka_unit_test(cancel_before_the_start),
      cmocka_unit_test(cancel_reaches_coroutines_and_joins),
      cmocka_unit_test(all_returns_in_order),
      cmocka_unit_test(all_cancels_the_rest),
      cmocka_unit_test(fibers_can_be_closed),
      cmocka_unit_test(sleep_checks_its_argument),
      cmocka_unit_test(deadlocks_are_raised),
      cmocka_unit_test(memory_goes_back),
      cmocka_unit_test(many_fibers),
      cmocka_unit_test(garbage_everywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
