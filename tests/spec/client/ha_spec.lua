-- bip:add_to_trust{…}, bip:sync(…) and bip:fail_over(…) with two simulated devices.
local f5 = require "f5"
local lab = require "lab"
local markdown = require "markdown"
local paired = require "paired"
local program = require "program"

local a, b, x, y

local function start()
  a, b, x, y = paired.start()
  for _, bip in ipairs { x, y } do bip.ltm.pool:exists() end -- logs in
end

local function stop() lab.stop(x, y, a, b) end

local function add(more)
  local options = {
    device = "127.0.0.1:" .. b.port, name = "b.example.net", username = "admin",
    password = "admin",
  }
  for name, value in pairs(more or {}) do options[name] = value end
  return x:add_to_trust(options)
end

local function make_pair()
  add()
  paired.make_group(x)
end

local function writes(device) return lab.writes(device) end

local function fails(kind, message, fn, ...)
  writes(a)
  local err = lab.fails(kind, fn, ...)
  assert.matches(message, err.message, 1, true)
  assert.same({}, writes(a))
end

-- Waits until one device is active and the other one standby, and returns the sessions in this
-- order.
local function active_and_standby()
  paired.wait("one is active", function()
    local states = paired.states(x, y)
    return states == "active standby" or states == "standby active"
  end)
  if x:failover_state() == "active" then return x, y, a end
  return y, x, b
end

describe("E6 bip:add_to_trust", function()
  before_each(start)
  after_each(stop)

  it("adds a device, and sends nothing the second time", function()
    writes(a)
    assert.same({ "changed", "/Common/b.example.net" }, { add() })
    assert.same({ "POST cm/add-to-trust" }, writes(a))
    assert.equal(2, #y.cm.device:list())
    assert.same({ "unchanged", "/Common/b.example.net" }, { add() })
    assert.same({}, writes(a))
  end)

  it("raises what the device refuses, without the password", function()
    local err = lab.fails("invalid", add, { password = "wrong-secret" })
    assert.matches("Authentication failed", err.message)
    assert.not_matches("wrong%-secret", tostring(err))
    err = lab.fails("invalid", add, { device = "127.0.0.1:1", name = "c" })
    assert.matches("could not be reached", err.message)
  end)

  it("does not believe a device that says yes and does nothing", function()
    a:fault { match = { path = "/cm/add%-to%-trust$" }, status = 200, body = "{}" }
    local err = lab.fails("timeout", add, { timeout = 0.1 })
    assert.matches("is not in the trust domain after 0.1 s; is it in another trust domain?",
      err.message, 1, true)
  end)
end)

describe("E6 bip:sync", function()
  before_each(start)
  after_each(stop)

  it("waits until the group is in sync, and sends nothing if it is", function()
    make_pair()
    x.ltm.pool["/Common/p"]:create {}
    writes(a)
    local what, state = x:sync()
    assert.equal("changed", what)
    assert.same({ "POST cm" }, writes(a))
    assert.equal("In Sync", state.status)
    assert.equal("b.example.net: connected", state.details[1])
    assert.is_true(y.ltm.pool["/Common/p"]:exists())
    for _, given in ipairs { "dg", "/Common/dg", { group = "dg" } } do
      assert.equal("unchanged", (x:sync(given)))
    end
    assert.equal("unchanged", (x:sync()))
    assert.same({}, writes(a))
    -- After a write it does not ask whether it is necessary.
    x.ltm.pool["/Common/q"]:create {}
    assert.equal("changed", (x:sync "dg"))
    assert.is_true(y.ltm.pool["/Common/q"]:exists())
    assert.equal("changed", (x:sync { force = true }))
  end)

  it("takes over the configuration of the others", function()
    make_pair()
    x:sync()
    y.ltm.pool["/Common/theirs"]:create {}
    paired.wait_status(x, "Changes Pending")
    assert.equal("changed", (x:sync { from = true }))
    assert.is_true(x.ltm.pool["/Common/theirs"]:exists())
  end)

  it("takes it over also before the device has heard of the change", function()
    make_pair()
    x:sync()
    y.ltm.pool["/Common/theirs"]:create {}
    writes(a)
    local what <const> = x:sync { from = true }
    assert.equal("changed", what)
    assert.same({ "POST cm" }, writes(a))
    assert.is_true(x.ltm.pool["/Common/theirs"]:exists())
  end)

  it("names the device's reasons if it does not come about", function()
    make_pair()
    x:sync()
    x.ltm.pool["/Common/p"]:create {}
    a:fault { match = { method = "POST", path = "/mgmt/tm/cm$" }, status = 200, body = "{}" }
    local err = lab.fails("timeout", x.sync, x, { timeout = 0.1 })
    assert.matches("^the device group dg is not in sync after 0.1 s: Changes Pending %(.*"
      .. "Recommended action: Synchronize bigip1 to group dg", err.message)
  end)

  it("refuses what it cannot do, as the others do", function()
    fails("usage", "add_to_trust: expected a table of options", x.add_to_trust, x)
    fails("usage", "add_to_trust: option 'device' is missing", add, { device = "" })
    fails("usage", "add_to_trust: unknown option 'user'", add, { user = "admin" })
    fails("usage", "add_to_trust: 'password' must be a string, not a number", add, { password = 1 })
    fails("usage", "add_to_trust: 'ca' must be a boolean, not a string", add, { ca = "yes" })
    fails("usage", "add_to_trust: 'timeout' must be a number of seconds, not -1", add,
      { timeout = -1 })
    fails("usage", "fail_over: expected a table of options, got a string", x.fail_over, x, "now")
    fails("usage", "fail_over: unknown option 'group'", x.fail_over, x, { group = "x" })
    lab.fails("not_found", x.fail_over, x, { traffic_group = "nope" })
    fails("invalid", "the device is in no sync-failover device group", x.sync, x)
    fails("usage", "sync: 'from' or 'force', not both", x.sync, x, { from = true, force = true })
    fails("usage", "sync: expected a table of options, got a boolean", x.sync, x, true)
    fails("usage", 'sync: \'group\' is not the name of a device group: "a; b"', x.sync, x, "a; b")
    x:at("cm/device-group"):create { name = "one", type = "sync-failover" }
    x:at("cm/device-group"):create { name = "two", type = "sync-only" }
    lab.fails("invalid", x.sync, x, "nope")
  end)
end)

describe("E6 bip:fail_over", function()
  before_each(start)
  after_each(stop)

  it("hands over and waits until the other device is active", function()
    make_pair()
    x:sync()
    local active, standby, device = active_and_standby()
    writes(device)
    local what, name = active:fail_over()
    assert.equal("changed", what)
    assert.equal(active == x and "b.example.net" or "bigip1", name)
    assert.same({ "POST sys/failover" }, writes(device))
    assert.same({ "standby", "active" }, { active:failover_state(), standby:failover_state() })
    assert.same({ "unchanged", name }, { active:fail_over() })
    assert.same({}, writes(device))
    -- back, for one traffic group
    assert.equal("changed", (standby:fail_over { traffic_group = "traffic-group-1" }))
    assert.equal("unchanged", (standby:fail_over { traffic_group = "traffic-group-1" }))
    assert.equal("active", active:failover_state())
  end)

  it("checks before that it is safe", function()
    local overrides <const> = "; force = true overrides this"
    fails("invalid", "no other device can take over: there is none" .. overrides, x.fail_over, x)
    make_pair()
    x:sync()
    local active, standby = active_and_standby()
    active.ltm.pool["/Common/p"]:create {}
    local pending = "the devices are not in sync (Changes Pending): call bip:sync() first"
    paired.wait_status(active, "Changes Pending")
    local err = lab.fails("invalid", active.fail_over, active)
    assert.equal(pending .. overrides, err.message)
    assert.equal("changed", (active:fail_over { force = true }))
    active:sync()
    active.sys.failover:run("run", { offline = f5.null })
    paired.wait("the other one knows it", function()
      local other = active == x and "bigip1" or "b.example.net"
      return standby.cm.device["/Common/" .. other]:load().failoverState == "forced-offline"
    end)
    err = lab.fails("invalid", standby.fail_over, standby)
    assert.matches("no other device can take over: %S+ is forced%-offline; force", err.message)
    err = lab.fails("invalid", active.fail_over, active)
    assert.equal("the device is forced-offline: it has nothing to hand over", err.message)
  end)

  it("waits for a state that passes", function()
    make_pair()
    x:sync()
    local active, _, device = active_and_standby()
    device:fault {
      match = { path = "/cm/sync%-status$" }, times = 1, status = 200,
      body = { entries = { ["https://localhost/mgmt/tm/cm/sync-status/0"] = {
        nestedStats = { entries = { status = { description = "Not All Devices Synced" } } },
      } } },
    }
    assert.equal("changed", (active:fail_over()))
  end)

  it("raises if no other device becomes active", function()
    make_pair()
    x:sync()
    local active, _, device = active_and_standby()
    device:fault { match = { path = "/sys/failover$" }, status = 200, body = "{}" }
    local err = lab.fails("timeout", active.fail_over, active, { timeout = 0.1 })
    assert.equal("no other device is active after 0.1 s; this one is active", err.message)
  end)
end)

describe("docs/fleets.md", function()
  it("makes a pair as it says", function()
    local directory <close> = program.directory()
    start()
    local text
    for _, block in ipairs(markdown.blocks("docs/fleets.md", "lua")) do
      if block.text:find("add_to_trust", 1, true) then text = block.text end
    end
    text = text:gsub("192%.0%.2%.2", "127.0.0.1:" .. b.port)
    local file <const> =
      directory:file("pair.lua", (text:gsub('f5.connect "[^"]*"', "f5.connect {}")))
    local env <const> = lab.environment(a, { PEER_PASSWORD = "admin" })
    local result = program.run({ file }, { env = env })
    assert.equal(0, result.status, result.err)
    assert.matches("^changed\tIn Sync\n%a+\tbigip2.example.net\n$", result.out)
    result = program.run({ file }, { env = env })
    assert.equal(0, result.status, result.err)
    assert.matches("^unchanged\tIn Sync\nunchanged\tbigip2.example.net\n$", result.out)
    stop()
  end)
end)
