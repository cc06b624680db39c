-- How twins are started: by `f5lua sim --twin`, by packed programs, and in a stock Lua.
local curl = require "curl"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local twinned = require "devices.twinned"

local TM <const>, SEED <const> = twinned.TM, twinned.SEED

local device

-- A playbook that changes something in a twin of a device, and prints what.
local PLAYBOOK <const> = [[
  local f5 = require "f5"
  local twins <close> = require("f5.twin").start { devices = { {
    host = "127.0.0.1", port = %d, ca = "%s", username = "admin", password = "admin",
  } } }
  local bip <close> = f5.connect(twins:options(1))
  bip.ltm.pool.blue:modify { description = "x" }
  local change = twins:report(1).changes[1]
  print(change.verb, change.kind)
]]

describe("S3 twins are started", function()
  before_each(function() device = sim.start { seed = SEED } end)
  after_each(function() lab.stop(device) end)

  it("by a packed program, from itself", function()
    local directory <close> = program.directory()
    local deploy <const> = directory.path .. "/deploy"
    directory:file("main.lua", PLAYBOOK:format(device.port, device.ca))
    local built <const> = program.run { "build", directory.path .. "/main.lua", "-o", deploy }
    assert.equal(0, built.status, built.err)
    local result = program.run({}, { program = deploy })
    assert.same({ status = 0, out = "modify\tltm/pool\n", err = "" }, result)
    -- its arguments are the playbook's all the same
    result = program.run({ "sim", "--twin", "-" }, { program = deploy, input = "" })
    assert.same({ status = 0, out = "modify\tltm/pool\n", err = "" }, result)
  end)

  it("in a stock Lua, by F5LUA_PROGRAM, or not at all", function()
    local beside <const> = program.path:match "^(.*)/"
    if not io.open(beside .. "/lua/f5.so") then
      pending "f5.so is built beside the release program only"
      return
    end
    local function lua(env)
      env.LUA_CPATH = beside .. "/lua/?.so"
      local words <const> = { "-e", PLAYBOOK:format(device.port, device.ca) }
      return program.run(words, { program = "/usr/bin/lua5.4", env = env })
    end
    local result = lua { F5LUA_PROGRAM = program.path }
    assert.same({ status = 0, out = "modify\tltm/pool\n", err = "" }, result)
    result = lua { F5LUA_PROGRAM = "/nowhere/f5lua" }
    assert.equal(1, result.status)
    assert.matches("cannot start /nowhere/f5lua: ", result.err)
    assert.matches("set F5LUA_PROGRAM to the path of f5lua", result.err)
  end)
end)

describe("f5lua sim --twin", function()
  before_each(function() device = sim.start { seed = SEED } end)
  after_each(function() lab.stop(device) end)

  local function begin(more)
    local words = {
      "sim", "--twin", ("%s:%d"):format(device.host, device.port), "--user", "admin",
      "--ca", device.ca,
      "--port", "0",
    }
    for _, word in ipairs(more or {}) do words[#words + 1] = word end
    return program.start(words, { env = { F5_PASSWORD = "admin" } })
  end

  it("serves any client, and a signal ends it, also while the device does not answer", function()
    local process <close> = begin()
    process:expect "twin of 127.0.0.1:%d+ at https://127.0.0.1:%d+"
    local port, ca = process:output():match ":(%d+), CA certificate in (%S+)"
    local at = { host = "127.0.0.1", port = tonumber(port), ca = ca }
    assert.equal("blue", curl(at, "GET", TM .. "ltm/pool/blue").json.name)
    device:fault { match = { path = "^/mgmt/tm/ltm/rule" }, delay_ms = 20000 }
    local url = ("https://127.0.0.1:%s%sltm/rule"):format(port, TM)
    local waiting = io.popen("curl -sk -u admin:admin " .. url)
    f5.sleep(0.3)
    process:kill "INT"
    local result = process:wait()
    waiting:close()
    assert.same({ 0, "" }, { result.status, result.err })
  end)

  it("saves what it knows and what changed, and goes on from there", function()
    local directory <close> = program.directory()
    local file <const> = directory.path .. "/state.json"
    for round, option in ipairs { "--save", "--seed" } do
      local process <close> = begin { option, file }
      process:expect "CA certificate in %S+\n"
      local port, ca = process:output():match ":(%d+), CA certificate in (%S+)"
      local at = { host = "127.0.0.1", port = tonumber(port), ca = ca }
      if round == 1 then
        curl(at, "PATCH", TM .. "ltm/pool/blue", { description = "x" })
        curl(at, "POST", TM .. "auth/user", {
          name = "bob", password = "Sekret-1x2!",
          partitionAccess = { { name = "all-partitions", role = "guest" } },
        })
      end
      assert.equal("x", curl(at, "GET", TM .. "ltm/pool/blue").json.description)
      local changes = curl(at, "GET", "/f5lua-sim/twin").json.changes
      assert.same({ "ltm/pool", "auth/user" }, { changes[1].kind, changes[2].kind })
      local login = curl(at, "POST", "/mgmt/shared/authn/login", {
        username = "bob", password = "Sekret-1x2!", loginProviderName = "tmos",
      })
      assert.equal(200, login.status)
      process:kill "INT"
      assert.equal(0, process:wait().status)
    end
    local direct <close> = lab.connect(device)
    assert.is_nil(direct.ltm.pool.blue:load().description)
  end)

  it("refuses a wrong password and options that do not go together, before it serves", function()
    local place = ("%s:%d"):format(device.host, device.port)
    local result = program.run(
      { "sim", "--twin", place, "--user", "admin", "--ca", device.ca },
      { env = { F5_PASSWORD = "wrong" } }
    )
    assert.equal(3, result.status)
    assert.matches("^f5lua: Authentication failed", result.err)
    for words, message in pairs {
      [{ "--twin", place, "--fleet", "3" }] = "%-%-twin does not work with %-%-fleet",
      [{ "--ca", "x" }] = "%-%-ca needs %-%-twin",
      [{ "--twin", place, "--user", "a:b:admin" }] = "the name of the user on the real device",
    } do
      result = program.run({ "sim", table.unpack(words) }, {})
      assert.equal(2, result.status)
      assert.matches(message, result.err)
    end
    result = program.run({ "sim", "--twin", "-" }, { input = "[]\n" })
    assert.equal(2, result.status)
    assert.matches("expected { \"devices\"", result.err)
  end)
end)
