/* require while fibers run. */
#include "fiber_world.h"

SCRIPT(require_is_as_lua_has_it,
       "package.preload.one = function(name, extra) op(1) assert(name == 'one' and extra == "
       "':preload:') return {1} end\n"
       "local m, extra = require 'one'; assert(m[1] == 1 and extra == ':preload:' and "
       "package.loaded.one == m)\n"
       "assert(select('#', require 'one') == 1 and require 'one' == m)\n"
       "package.preload.two = function() op(1) end; assert(require 'two' == true and "
       "package.loaded.two == true)\n"
       "package.preload.three = function(n) package.loaded[n] = 'set' op(1) end; "
       "assert(require 'three' == 'set')\n"
       "package.preload.four = function() op(1) return false end; "
       "assert(require 'four' == false)\n"
       "local ok, e = pcall(require, 'no.such'); assert(not ok)\n"
       "assert(e:find(\"^module 'no.such' not found:\\n"
       "\\tno field package.preload%['no.such'%]\\n"
       "\\tno file '\"), e)\n"
       "package.preload.bad = function() op(1) error('bad', 0) end; "
       "local ok, e = pcall(require, 'bad'); assert(e == 'bad' and package.loaded.bad == nil)\n"
       "table.insert(package.searchers, 1, function(n) op(1) if n == 'dyn' then return "
       "function(a, b) op(1) return a .. b end, 'data' end return 'words' end)\n"
       "table.insert(package.searchers, 2, function(n) end)\n"
       "local d, x = require 'dyn'; assert(d == 'dyndata' and x == 'data')\n"
       "local ok, e = pcall(require, 'no.such'); assert(e:find(\"not found:\\n"
       "\\twords\\n"
       "\\tno field\"), e)\n"
       "assert(not pcall(require)); package.searchers = nil; assert(select(2, pcall(require, "
       "'zz')):find 'must be a table')")

SCRIPT(a_module_is_loaded_once_by_two_fibers,
       "local n = 0; package.preload.m = function() n = n + 1 op(10) return {} end\n"
       "local a, b = all(function() return require 'm' end, function() return require 'm' end); "
       "assert(a == b and n == 1)\n"
       "package.preload.p = function() op(5) if n == 1 then n = 2 error('once', 0) "
       "end return 'p' end\n"
       "local r = all { function() return (select(2, pcall(require, 'p'))) end, function() "
       "return require 'p' end }\n"
       "assert(r[1] == 'once' and r[2] == 'p')\n"
       "package.preload.x = function() op(3) package.loaded.x = 1 require 'y' return 2 end\n"
       "package.preload.y = function() op(3) package.loaded.y = 1 require 'x' return 2 end\n"
       "all(function() require 'x' end, function() require 'y' end)")

/* The fiber that was loading the module has ended, and left it in a coroutine that nobody resumes:
 * whoever wants the module, or waits for it, loads it again. */
SCRIPT(a_module_that_was_left_half_loaded_is_loaded_again,
       "local n, go = 0 package.preload.m = function() n = n + 1\n"
       "  if n == 1 then coroutine.yield() end return 'module ' .. n end\n"
       "local co = coroutine.create(require)\n"
       "local f = spawn(function() assert(coroutine.resume(co, 'm'))\n"
       "  while not go do op(1) end end) op(1)\n"
       "local g = spawn(function() return (require 'm') end) op(1)\n"
       "assert(n == 1 and g:status() == 'running') go = true\n"
       "assert(g:join() == 'module 2' and f:status() == 'done' and require 'm' == 'module 2')\n"
       "assert(coroutine.close(co) and require 'm' == 'module 2' and n == 2)")

/* A fiber is cancelled while it waits for a module: that it waited is forgotten. */
SCRIPT(a_cancelled_fiber_waits_for_no_module,
       "local go, waited package.preload.m = function() while not go do op(1) end return 'm' end\n"
       "local loader = spawn(function() return (require 'm') end) op(1)\n"
       "local waiting = spawn(function() waited = not pcall(require, 'm')\n"
       "  while not go do op(1) end end) op(1)\n"
       "waiting:cancel() op(1) assert(waited)\n"
       "local late = spawn(function() return (require 'm') end) op(1) go = true\n"
       "assert(loader:join() == 'm' and late:join() == 'm') waiting:join()")

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(require_is_as_lua_has_it),
      cmocka_unit_test(a_module_is_loaded_once_by_two_fibers),
      cmocka_unit_test(a_module_that_was_left_half_loaded_is_loaded_again),
      cmocka_unit_test(a_cancelled_fiber_waits_for_no_module),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
