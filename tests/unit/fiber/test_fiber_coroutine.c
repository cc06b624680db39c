/* Blocking calls inside of user coroutines, metamethods and C functions. */
#include "fiber_world.h"

SCRIPT(works_in_user_coroutines,
       "local inner, outer\n"
       "inner = coroutine.wrap(function(a) for i = 1, 3 do assert(op(1) == 1); "
       "coroutine.yield(a, i) end op(1) return 'end' end)\n"
       "local co = coroutine.create(function(...) assert(select('#', ...) == 2)\n"
       "  local a, i = inner('x'); assert(a == 'x' and i == 1)\n"
       "  local back = coroutine.yield(i); assert(back == 'back'); op(2)\n"
       "  return select(2, inner()), 'two' end)\n"
       "local ok, v = coroutine.resume(co, 1, nil); assert(ok and v == 1 and "
       "coroutine.status(co) == 'suspended')\n"
       "local ok, v, w = coroutine.resume(co, 'back'); assert(ok and v == 2 and w == 'two' and "
       "coroutine.status(co) == 'dead')\n"
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
       "local ok, e = pcall(coroutine.close, co); assert(not ok and e:find 'cannot close a "
       "normal coroutine')\n"
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
    "local closed; local w = coroutine.wrap(function() local x <close> = setmetatable({}, "
    "{__close = function() op(1) closed = true end}) error 'x' end)\n"
    "assert(not pcall(w) and closed)\n"
    "closed = nil; local co = coroutine.create(function() local x <close> = setmetatable({}, "
    "{__close = function() op(1) closed = true end}) coroutine.yield() end)\n"
    "coroutine.resume(co); assert(coroutine.close(co) and closed and coroutine.status(co) "
    "== 'dead')\n"
    "local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = "
    "function() op(1) error('in close', 0) end}) coroutine.yield() end)\n"
    "coroutine.resume(co); local ok, e = coroutine.close(co); assert(not ok and e == 'in close')")

SCRIPT(main_looks_like_the_main_thread,
       "local co, main = coroutine.running(); assert(main and not coroutine.isyieldable())\n"
       "local ok, e = pcall(coroutine.yield, 1); assert(not ok and e:find 'outside a "
       "coroutine')\n"
       "coroutine.wrap(function() local c, m = coroutine.running(); "
       "assert(not m and coroutine.isyieldable()) end)()\n"
       "assert(coroutine.status(co) == 'running'); assert(not coroutine.resume(co))")

SCRIPT(works_in_metamethods_and_iterators,
       "local t = setmetatable({}, {__index = function(_, k) op(1) "
       "return k .. '!' end, __add = function(a, b) return op(1) + 1 end,\n"
       "  __call = function(_, x) op(1) return x end, __eq = function() op(1) "
       "return true end, __lt = function() op(1) return true end,\n"
       "  __len = function() op(1) return 5 end, __concat = function() op(1) "
       "return 'c' end, __newindex = function(t, k, v) op(1) rawset(t, k, v) end,\n"
       "  __tostring = function() op(1) return 'ts' end, __pairs = function() op(1) "
       "return function(_, k) if not k then op(1) return 1, 2 end end end})\n"
       "assert(t.a == 'a!' and t + 1 == 2 and t(4) == 4 and t == setmetatable({}, "
       "getmetatable(t)) and t < t and #t == 5 and t .. 1 == 'c')\n"
       "t.z = 1; assert(rawget(t, 'z') == 1); assert(tostring(t) == 'ts')\n"
       "local n = 0; for k, v in pairs(t) do n = n + k + v end assert(n == 3)\n"
       "for i in coroutine.wrap(function() for i = 1, 3 do op(1) coroutine.yield(i) end end) "
       "do n = n + i end assert(n == 9)")

SCRIPT(works_where_a_yield_is_impossible,
       "local t = {3, 1, 2}; table.sort(t, function(a, b) assert(op(1) == 1) return a < b end); "
       "assert(t[1] == 1 and t[3] == 3)\n"
       "assert(('abc'):gsub('.', function(c) op(1) return c:upper() end) == 'ABC')\n"
       "local parts = {'return ', '42'}; local i = 0\n"
       "assert(load(function() op(1) i = i + 1 return parts[i] end)() == 42)\n"
       "assert(select(2, xpcall(error, function(m) op(1) return 'handled ' .. m end, 'x')) "
       "== 'handled x')\n"
       "local t = {2, 1}; table.sort(t, function(a, b) return coroutine.wrap(function() op(1) "
       "local w = coroutine.wrap(function() op(1) return a < b end) return w() end)() end)\n"
       "assert(t[1] == 1)\n"
       "local ok, e = pcall(table.sort, {2, 1}, function() op(1, true) end); "
       "assert(not ok and e:find 'operation failed')")

SCRIPT(others_do_not_run_while_pumped,
       "local n = 0; local f = spawn(function() while true do n = n + 1 op(0) sleep(0) end end)\n"
       "op(5); local before = n; assert(before > 0)\n"
       "table.sort({2, 1}, function(a, b) op(10) return a < b end); assert(n == before)\n"
       "f:cancel(); assert(not pcall(f.join, f))")

SCRIPT(join_and_all_where_a_yield_is_impossible,
       "local n = 0\n"
       "local r = ('ab'):gsub('.', function(c) local f = spawn(function() op(1) "
       "n = n + 1 return c .. c end) return f:join() end)\n"
       "assert(r == 'aabb' and n == 2)\n"
       ";('x'):gsub('.', function() local a, b = all(function() op(2) return 1 end, function() "
       "op(1) return 2 end) assert(a == 1 and b == 2) end)\n"
       ";('x'):gsub('.', function() coroutine.wrap(function() assert(spawn(function() op(1) "
       "return 5 end):join() == 5) end)() end)\n"
       "local deep; local f = spawn(function() op(1); ('x'):gsub('.', function() "
       "deep = table.pack(pcall(function() return spawn(function() end):join() end)) end) end)\n"
       ";('x'):gsub('.', function() f:join() end)\n"
       "assert(deep[1] == false and deep[2]:find 'cannot wait for a fiber here')")

SCRIPT(works_in_pcall_and_close,
       "local log = {}\n"
       "do local a <close> = setmetatable({}, {__close = function(_, e) op(1) "
       "log[#log+1] = 'closed' end}) op(1) end\n"
       "local function f() local a <close> = setmetatable({}, {__close = function(_, e) op(1) "
       "log[#log+1] = e or 'none' end}) op(1) return 1, 2, 3 end\n"
       "assert(select('#', f()) == 3)\n"
       "assert(not pcall(function() local a <close> = setmetatable({}, {__close = function(_, e) "
       "op(1) log[#log+1] = e end}) op(1) error('E', 0) end))\n"
       "assert(table.concat(log, ' ') == 'closed none E', table.concat(log, ' '))\n"
       "local ok, e = xpcall(function() op(1) error('a', 0) end, function(m) "
       "return m .. 'b' end); assert(e == 'ab')\n"
       "assert(select(2, pcall(pcall, op, 1)) == true)")

SCRIPT(odd_yields_are_harmless,
       "odd_yield() local f = spawn(function() odd_yield() return 1 end) assert(f:join() == 1)\n"
       "local co = coroutine.create(function() assert(op(1) == 1) coroutine.yield(4, 5) end)\n"
       "local status, n = foreign_resume(co) assert(status == 1 and n == 2)")

int main(void) {
  const struct CMUnitTest tests[] = {
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
      cmocka_unit_test(odd_yields_are_harmless),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
