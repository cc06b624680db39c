-- The specs of the f5 module under a stock lua5.4, through f5.so:
--   LUA_CPATH='build/release/lua/?.so;;' lua5.4 tests/stock.lua [FILE…]
-- Without a FILE: all of tests/spec.
-- Specs of what only the program has (lualib/build, lualib/cli, lualib/console), and those that
-- start it, are left out.
local f5 = require "f5"

if #arg == 0 then
  local list = io.popen "ls tests/spec/*/*_spec.lua"
  for file in list:lines() do
    local text <close> = assert(io.open(file))
    local source = text:read "a"
    if
      not source:find 'require "build[.]' and not source:find 'require "cli[.]'
      and not source:find 'require "console[.]' and not source:find 'require "program"'
    then
      table.insert(arg, file)
    end
  end
  list:close()
end
f5.run(assert(loadfile "tests/run.lua"))
