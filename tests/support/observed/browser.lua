-- Scripts of tests/browser, which drive a real Chromium.
local json = require "f5.json"
local program = require "program"

local M = {}

local function path_of(name)
  local pipe <close> = assert(io.popen("command -v " .. name))
  return pipe:read "l"
end

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

-- Why there is no browser to test with; nil: there is one. CI must have it.
local function missing()
  if not path_of "chromium" then return "there is no chromium" end
  if not path_of "node" then return "there is no node" end
  for _, package in ipairs { "playwright-core", "har-validator" } do
    if not exists("tests/browser/node_modules/" .. package .. "/package.json") then
      return package .. " is not installed: run scripts/setup --tests"
    end
  end
end

--- Runs a script on a file; returns what it prints, decoded.
function M.run(script, file)
  -- Without these variables of the user, Chromium finds no other profile.
  local place <const> = program.directory()
  local done = program.run(
    { "tests/browser/" .. script, path_of "chromium", file, os.getenv "F5LUA_PICTURES" },
    { program = path_of "node", env = { HOME = place.path } }
  )
  getmetatable(place).__close()
  if done.status ~= 0 or done.err ~= "" then error(done.err) end
  return json.decode(done.out)
end

--- Returns the body of a test that needs a browser. `pending` looks up that of the test: the one
-- outside of tests skips nothing.
function M.test(pending, fn)
  return function()
    local why <const> = missing()
    if why and os.getenv "CI" == "true" then error(why) end
    if why then return pending(why) end
    fn()
  end
end

return M
