-- S9: check, plan and apply on the devices of an inventory.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local PLAYBOOK <const> = [[
return (bip.ltm.pool["/Common/web"]:ensure { monitor = "/Common/http", description = "managed" })
]]

describe("S9 a fleet", function()
  local devices, place, env

  -- One device lacks the pool, one has another monitor, one is as it should be.
  before_each(function()
    devices, place = {}, lab.scratch()
    local lines = {}
    for i, name in ipairs { "lacks", "differs", "fine", "lacks-too" } do
      devices[name] = sim.start {}
      local options <const> = devices[name]:options "admin"
      -- a copy: the device takes its own file with it when it ends
      local certificate <close> = assert(io.open(options.ca))
      local ca <const> = place:file(name .. ".pem", certificate:read "a")
      lines[i] = ("{ name = %q, host = %q, port = %d, ca = %q, username = 'admin', "
        .. "password_env = 'DEVICE_PASSWORD' }"):format(name, options.host, options.port, ca)
    end
    local function pool(name) return f5.connect(devices[name]:options "admin"), "/Common/web" end
    for name, body in pairs {
      differs = { monitor = "/Common/https" },
      fine = { monitor = "/Common/http", description = "managed" },
    } do
      local bip <close>, full = pool(name)
      bip.ltm.pool[full]:create(body)
    end
    place:file("inventory.lua", "return { devices = { " .. table.concat(lines, ", ") .. " } }")
    place:file("playbook.lua", PLAYBOOK)
    env = { DEVICE_PASSWORD = "admin", XDG_STATE_HOME = place.path .. "/state" }
  end)
  after_each(function()
    for _, device in pairs(devices) do lab.stop(device) end
    lab.stop(place)
  end)

  local function run(...) return program.run({ ... }, { env = env, directory = place.path }) end

  local function plan()
    local done = run("plan", "-o", "a.plan", "--inventory", "inventory.lua", "playbook.lua")
    assert.equal(0, done.status, done.err)
    return done
  end

  local function description(name)
    local bip <close> = f5.connect(devices[name]:options "admin")
    local web <const> = bip.ltm.pool["/Common/web"]
    return web:exists() and (web:load().description or "none") or "missing"
  end

  it("is shown in groups of devices on which the same would happen", function()
    local done = run("run", "--check", "--inventory", "inventory.lua", "playbook.lua")
    assert.equal(0, done.status, done.err)
    assert.matches("4 devices, nothing was written", done.out)
    assert.matches(
      "2 devices: this change %(lacks, lacks%-too%)\nltm/pool\n  %+ /Common/web  created", done.out
    )
    assert.matches(
      "1 device: this change %(differs%)\nltm/pool\n  ~ /Common/web  changed", done.out
    )
    assert.matches("1 device: no changes %(fine%)", done.out)
    assert.equal("missing", description "lacks")
    assert.equal("none", description "differs")
  end)

  it("is planned, applied and taken back as one", function()
    assert.matches("plan with 3 steps", plan().out)
    local done = run("apply", "a.plan", "--inventory", "inventory.lua")
    assert.equal(0, done.status, done.err)
    for name in pairs(devices) do assert.equal("managed", description(name)) end
    local undone = run("undo", "last", "--inventory", "inventory.lua")
    assert.equal(0, undone.status, undone.err)
    assert.equal("missing", description "lacks")
    assert.equal("none", description "differs")
    assert.equal("managed", description "fine")
  end)

  it("is left alone as a whole when one device has drifted or is away", function()
    plan()
    do
      local bip <close> = f5.connect(devices.differs:options "admin")
      bip.ltm.pool["/Common/web"]:modify { description = "somebody else's" }
    end
    local done = run("apply", "a.plan", "--inventory", "inventory.lua")
    assert.equal(3, done.status)
    assert.matches("differs is not as the plan saw it", done.out)
    assert.matches("nothing was sent", done.err)
    assert.equal("missing", description "lacks")
    local limited = run("apply", "a.plan", "--inventory", "inventory.lua", "--limit", "lacks")
    assert.equal(0, limited.status, limited.err)
    assert.equal("managed", description "lacks")
    assert.equal("missing", description "lacks-too")

    plan()
    lab.stop(devices.fine)
    devices.fine = nil
    done = run("apply", "a.plan", "--inventory", "inventory.lua")
    assert.equal(3, done.status, done.out .. done.err)
    assert.matches("\nfine: .*cannot connect", "\n" .. done.out)
    assert.is_nil(done.out:find "fine: fine:")
    assert.equal("missing", description "lacks-too")
  end)

  it("says nothing of a check as if it had changed devices, and prints only JSON", function()
    local done = run("run", "--check", "--inventory", "inventory.lua", "--output", "json",
      "playbook.lua")
    assert.equal(0, done.status, done.err)
    assert.equal(4, #json.decode(done.out).devices)
    assert.is_nil(done.err:find("(changed)", 1, true))
    assert.matches("\nfine: checked", "\n" .. done.err)
    place:file("playbook.lua", 'return function(_, device) error(device.name .. " fails") end')
    done = run("run", "--check", "--inventory", "inventory.lua", "playbook.lua")
    assert.equal(1, done.status)
    assert.matches("fine: failed: .*fine fails", done.err)
  end)

  it("never says 'no changes' of a device that could not be checked", function()
    devices.fine:fault { match = { path = "ltm/pool" }, status = 500, times = 99 }
    devices.differs:fault { match = { path = "/login$" }, status = 401, times = 99 }
    local done = run("run", "--check", "--inventory", "inventory.lua", "playbook.lua")
    assert.equal(1, done.status)
    assert.is_nil(done.out:find "no changes")
    assert.matches("1 device: nothing is known %(fine%)\nnot checked to its end: [^\n]+ 500",
      done.out)
    assert.matches("differs: failed: ", done.err)
    done = run("run", "--check", "--inventory", "inventory.lua", "--output", "json", "playbook.lua")
    local errors = {}
    for _, one in ipairs(json.decode(done.out).devices) do errors[one.device] = one.error end
    assert.matches(" 500 ", errors.fine)
    assert.is_nil(errors.lacks)
  end)

  it("refuses what makes no sense", function()
    plan()
    for _, case in ipairs {
      { { "apply", "a.plan", "--limit", "lacks" }, "needs %-%-inventory" },
      { { "apply", "a.plan", "--inventory", "inventory.lua", "--limit", "nobody" }, "nobody" },
      { { "apply", "a.plan", "--inventory", "inventory.lua", "--host", "x" }, "either" },
      { { "plan", "-o", "b.plan", "--inventory", "inventory.lua" }, "needs a playbook" },
      { { "plan", "-o", "b.plan", "--limit", "x", "playbook.lua" }, "needs %-%-inventory" },
    } do
      local done = run(table.unpack(case[1]))
      assert.equal(2, done.status, table.concat(case[1], " ") .. done.out)
      assert.matches(case[2], done.err)
    end
  end)
end)
