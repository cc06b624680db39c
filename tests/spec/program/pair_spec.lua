-- Two `f5lua sim` programs as a pair, and `f5lua run --inventory --on active` over them.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local a, b, x, y, directory

-- A program that simulates a device, at its own port.
local function start(name)
  local certificate = directory.path .. "/" .. name .. ".pem"
  local process = program.start {
    "sim", "--port", "0", "--hostname", name .. ".example.net", "--ca-file", certificate,
  }
  local port = tonumber(process:expect "https://127.0.0.1:(%d+)")
  return { name = name, process = process, port = port, ca = certificate }
end

local function session(device)
  return f5.connect {
    host = "127.0.0.1", port = device.port, ca = device.ca, username = "admin", password = "admin",
  }
end

local function status(bip) return f5.flat(bip:at("cm/sync-status"):load())[1].status end

local function pair()
  x:at("cm/add-to-trust"):run("run", {
    name = "Root", caDevice = true, device = "127.0.0.1:" .. b.port, deviceName = "bigip2",
    username = "admin", password = "admin",
  })
  x:at("cm/device-group"):create {
    name = "pair", type = "sync-failover", devices = { "bigip1", "bigip2" },
  }
  x.cm:run("run", { utilCmdArgs = "config-sync to-group pair" })
  lab.wait("in sync", function() return status(x) == "In Sync" and status(y) == "In Sync" end)
  lab.wait("one is active", function()
    return (x:failover_state() == "active") ~= (y:failover_state() == "active")
  end)
  if x:failover_state() ~= "active" then
    y.sys.failover:run("run", { standby = f5.null })
    lab.wait("a is active", function() return x:failover_state() == "active" end)
    lab.wait("b is standby", function() return y:failover_state() == "standby" end)
  end
end

local function inventory()
  return directory:file("pair.lua", ([[return { defaults = {
    username = "admin", password_command = "echo admin", host = "127.0.0.1", retries = 0,
  }, devices = { { name = "a", port = %d, ca = %q }, { name = "b", port = %d, ca = %q } } }]]):format(
    a.port, a.ca, b.port, b.ca))
end

-- The states of both devices in the report of a run on the active unit.
local function run(playbook, ...)
  local done = program.run {
    "run", "--inventory", inventory(), "--on", "active", "--report", directory.path .. "/r.json",
    directory:file("p.lua", playbook), ...,
  }
  local report = json.decode(directory:read "r.json")
  local states = {}
  for i, entry in ipairs(report.devices) do states[i] = entry.state end
  return table.concat(states, " "), done, report
end

describe("a pair of two programs", function()
  before_each(function()
    directory = program.directory()
    a, b = start "a", start "b"
    x, y = session(a), session(b)
  end)
  after_each(function()
    for _, bip in ipairs { x, y } do bip:close() end
    for _, device in ipairs { a, b } do getmetatable(device.process).__close() end
    getmetatable(directory).__close()
  end)

  it("is changed on the active unit by --on active, before and after a fail-over", function()
    pair()
    local PLAYBOOK <const> = [[local name = ...
      return function(bip) bip.ltm.pool:create { name = name } end]]
    assert.equal("done skipped", (run(PLAYBOOK, "first")))
    assert.is_true(y.ltm.pool["/Common/first"]:exists())
    x.sys.failover:run("run", { standby = f5.null })
    lab.wait("b is active", function()
      return x:failover_state() == "standby" and y:failover_state() == "active"
    end)
    local states, _, report = run(PLAYBOOK, "second")
    assert.equal("skipped done", states)
    assert.equal("the unit is standby", report.devices[1].reason)
    assert.is_true(x.ltm.pool["/Common/second"]:exists())
    assert.equal("In Sync", status(x))
    assert.equal("In Sync", status(y))
  end)

  it("is in sync after a fail-over in the middle of a playbook", function()
    pair()
    local states, done = run [[return function(bip, device)
      if device.name == "b" then return end -- it was looked at after the fail-over
      bip.ltm.pool:create { name = "before" }
      bip.sys.failover:run("run", { standby = f5.null })
      local deadline = os.time() + 5
      while bip:failover_state() == "active" and os.time() < deadline do f5.sleep(0.05) end
      bip.ltm.pool:create { name = "after" }
    end]]
    assert.equal(0, done.status, done.err)
    assert.is_not_nil(states:find "done")
    assert.equal("standby", x:failover_state())
    lab.wait("b is active", function() return y:failover_state() == "active" end)
    for _, bip in ipairs { x, y } do
      assert.equal("In Sync", status(bip))
      assert.is_true(bip.ltm.pool["/Common/before"]:exists())
      assert.is_true(bip.ltm.pool["/Common/after"]:exists())
    end
  end)

  it("goes on with the other unit when the active one is killed in the middle", function()
    pair()
    local states, done, report = run(([[return function(bip)
      bip.ltm.pool:create { name = "before" }
      os.execute "kill -KILL %d"
      bip.ltm.pool:create { name = "after" }
    end]]):format(a.process.pid))
    assert.equal("failed skipped", states)
    assert.equal(1, done.status)
    local kind <const> = report.devices[1].error.kind
    assert.is_true(kind == "transport" or kind == "tls", kind) -- it may die in a handshake
    lab.wait("b is active", function() return y:failover_state() == "active" end)
    x:close()
    assert.equal("Disconnected", status(y))
    -- what was not synchronised is lost; the playbook can run again
    assert.is_false(y.ltm.pool["/Common/before"]:exists())
    states = run [[return function(bip) return bip:failover_state() end]]
    assert.equal("failed done", states)
  end)
end)
