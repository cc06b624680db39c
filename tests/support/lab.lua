-- What most specs need: a simulated device, a session with it, a directory for files, and the
-- environment of a program that is started.
--
--   local device, bip
--   before_each(function() device, bip = lab.start { provision = { "asm" } } end)
--   after_each(function() lab.stop(bip, device) end)
--
--   local err = lab.fails("not_found", bip.load, bip.ltm.pool["/Common/nope"])
--   program.run(words, { env = lab.environment(device) })
local core = require "f5.core"
local f5 = require "f5"
local sim = require "f5.sim"
local assert = require "luassert"

local M = {}

--- The long variants of some specs: scripts/test --slow.
M.slow = false

--- Retries without the pauses that a real device needs.
M.RETRIES = { count = 3, delay = 0.01 }

--- A session: as admin, unless `more` has another user.
function M.connect(device, more)
  local options = device:options(more and more.username or "admin")
  for name, value in pairs(more or {}) do options[name] = value end
  return f5.connect(options)
end

--- A simulated device and a session with it as admin. `options`: of sim.start; `more`: of
-- f5.connect.
function M.start(options, more)
  local device = sim.start(options)
  return device, M.connect(device, more)
end

--- Ends sessions, devices and directories, in this order; nils are left out. A device must not have
-- had problems of its own.
function M.stop(...)
  for i = 1, select("#", ...) do
    local what <const> = select(i, ...)
    if type(what) == "userdata" then
      what:close()
    elseif what and what.problems then
      local problems <const> = what:problems()
      what:stop()
      assert.equal(0, problems)
    elseif what then
      getmetatable(what).__close(what)
    end
  end
end

--- A directory for files (see program.directory); lab.stop deletes it.
function M.scratch() return require("program").directory() end

--- For a block of specs of the program: `give` gets a device with these options and a directory for
-- files. Before each test the device has no faults, and its log is empty.
function M.block(setup, teardown, before_each, give, options)
  local device, place
  setup(function()
    device, place = sim.start(options), M.scratch()
    give(device, place)
  end)
  teardown(function() M.stop(device, place) end)
  before_each(function()
    device:clear_faults()
    device:clear_log()
  end)
end

--- For a spec file: start(options) and stop of a device that a function gets; `options` are those
-- of sim.start, by default a device with ltm and gtm.
function M.device_of(give)
  local device
  return function(options)
      return function()
        device = sim.start(options or { provision = { "ltm", "gtm" } })
        give(device)
      end
    end,
    function() M.stop(device) end
end

--- get, post, patch, put and delete by curl, each (path, body), of the device that a function
-- returns. What curl answers: see tests/support/curl.lua.
function M.calls(device)
  local curl <const> = require "curl"
  local function call(method)
    return function(path, body) return curl(device(), method, path, body) end
  end
  return call "GET", call "POST", call "PATCH", call "PUT", call "DELETE"
end

--- bash and prints of the session that a function returns: bash(script) -> what the script prints
-- on the device, without the exit status that bip:bash adds; prints(expected, script) compares it.
function M.shell(session)
  local function bash(script)
    local words <const> = "-c '" .. script:gsub("'", "'\\''") .. "'"
    return session():request("POST", "/mgmt/tm/util/bash", {
      body = { command = "run", utilCmdArgs = words },
    }).commandResult
  end
  return bash, function(expected, script) assert.equal(expected, bash(script), script) end
end

--- The writes since the device's log was cleared, in order: "PATCH ltm/pool/~Common~p". Clears it.
function M.writes(device)
  local list = {}
  for _, call in ipairs(device:log()) do
    if call.method ~= "GET" then
      list[#list + 1] = call.method .. " " .. call.path:gsub("^/mgmt/tm/", "")
    end
  end
  device:clear_log()
  return list
end

--- Waits until a function returns true; other fibers go on.
function M.wait(what, done, seconds)
  local deadline <const> = core.now() + (seconds or 10)
  while not done() do
    assert.is_true(core.now() < deadline, "waited too long: " .. what)
    f5.sleep(0.01)
  end
end

--- Waits until the device has got a call (`count` calls) since its log was cleared; the answer may
-- still be on its way. `path`: a pattern.
function M.arrived(device, method, path, count)
  M.wait(method .. " " .. path, function()
    local found = 0
    for _, call in ipairs(device:log()) do
      if call.method == method and call.path:find(path) then found = found + 1 end
    end
    return found >= (count or 1)
  end)
end

--- Expects that curl got this error.
function M.refused(answer, status, message, api_error)
  assert.equal(status, answer.status, answer.body)
  assert.equal(message, answer.json.message)
  assert.equal(status, answer.json.code)
  assert.equal(api_error, answer.json.apiError)
end

--- The variables that let a program find the device.
function M.environment(device, more)
  local env = {
    F5_SERVER = device.host,
    F5_SERVER_PORT = device.port,
    F5_USER = "admin",
    F5_PASSWORD = "admin",
    SSL_CERT_FILE = device.ca,
  }
  for name, value in pairs(more or {}) do env[name] = value end
  return env
end

--- Expects that a call raises an error object, and returns it.
function M.failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("table", type(err), "an error object, not: " .. tostring(err))
  return err
end

--- Expects an error of this kind, and returns it.
function M.fails(kind, fn, ...)
  local err = M.failure(fn, ...)
  assert.equal(kind, err.kind, tostring(err))
  return err
end

--- Writes an inventory, sites.lua, in which all devices are this one; vars.n counts them.
function M.inventory(directory, device, names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = ("{ name = %q, host = '127.0.0.1', port = %d, vars = { n = %d } }"):format(
      name, device.port, i)
  end
  directory:file("sites.lua", "return { devices = {" .. table.concat(list, ",") .. "} }")
end

return M
