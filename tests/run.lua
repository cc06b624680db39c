-- Runs busted inside the program, so that specs can `require "f5"`:
--   build/release/f5lua tests/run.lua [--slow] [--filter=PATTERN …] [FILE…]
-- Without a FILE: all of tests/spec. With --slow some specs run a long variant (lab.slow). With
-- F5LUA_TEST_COUNTS=FILE FILE gets one line "PASSED FAILED SKIPPED end"; without "end" the program
-- died before all specs had run.

-- Loaded before busted takes its snapshot of package.loaded: one runtime for all specs, as for a
-- playbook.
for _, name in ipairs { "f5", "f5.json", "cjson" } do
  local ok, message = pcall(require, name)
  if not ok and not tostring(message):find("module '" .. name .. "' not found", 1, true) then
    error(message, 0)
  end
end

local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/support/?.lua;" .. package.path

local words, files = {}, 0
for _, word in ipairs(arg) do
  if word == "--slow" then
    require("lab").slow = true
  else
    if word:sub(1, 1) ~= "-" then
      files = files + 1
    else
      require("checks").whole_files = false -- --filter and the like
    end
    words[#words + 1] = word
  end
end
if files == 0 then words[#words + 1] = here .. "/spec" end
table.insert(words, 1, "--output=" .. here .. "/support/output.lua")
for i = 1, math.max(#arg, #words) do arg[i] = words[i] end

-- Change records of specs go to a directory of their own, not to that of the user.
local state <const> = os.tmpname()
os.remove(state)
local getenv <const>, exit <const> = os.getenv, os.exit
rawset(os, "getenv", function(name) return name == "XDG_STATE_HOME" and state or getenv(name) end)
rawset(os, "exit", function(...)
  os.execute("rm -rf '" .. state .. "'")
  return exit(...)
end)

require "busted.runner" { standalone = false }
