-- The specs of the f5 module under a stock lua5.4, through f5.so:
--   LUA_CPATH='build/release/lua/?.so;;' lua5.4 tests/stock.lua [FILE…]
-- Without a FILE: all of tests/spec, or what is in the folder of tests/spec that STOCK_SPECS names.
-- Specs of what only the program has (lualib/build, lualib/cli, lualib/console), and those that
-- start it, are left out.
local f5 = require "f5"

local has_file = false
for _, word in ipairs(arg) do has_file = has_file or word:sub(1, 2) ~= "--" end
if not has_file then
  local list = io.popen(("ls tests/spec/%s/*_spec.lua"):format(os.getenv "STOCK_SPECS" or "*"))
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
