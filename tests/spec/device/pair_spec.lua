-- Two simulated devices that belong together: the trust domain, synchronisation. They meet over
-- HTTPS only.
local core = require "f5.core"
local curl = require "curl"
local f5 = require "f5"
local lab = require "lab"
local paired = require "paired"
local program = require "program"
local sim = require "f5.sim"

local post <const>, wait <const>, shown <const> = paired.post, paired.wait, paired.shown
local status <const>, wait_status <const> = paired.status, paired.wait_status
local sync <const>, details <const> = paired.sync, paired.details
local trust_body <const> = paired.trust_body

-- Two devices and the session of each.
local a, b, x, y

local function start(...) a, b, x, y = paired.start(...) end
local function join() paired.join(a, b) end
local function make_group(more) paired.make_group(x, more) end
local function in_sync() paired.in_sync(x, y) end
local function states() return paired.states(x, y) end

local function devices(bip)
  local list = {}
  for device in bip:at("cm/device"):each() do
    list[#list + 1] = ("%s %s %s"):format(device.name, device.hostname, device.selfDevice)
  end
  return list
end

describe("a pair of simulated devices", function()
  after_each(function() lab.stop(x, y, a, b) end)

  it("is made by add-to-trust and ended by remove-from-trust", function()
    start()
    assert.equal("Standalone", status(x))
    assert.same({ "Optional action: Add a device to the trust domain" }, details(a))
    join()
    assert.same({ "b.example.net b.example.net false", "bigip1 a.example.net true" }, devices(x))
    assert.same({ "b.example.net b.example.net true", "bigip1 a.example.net false" }, devices(y))
    for _, bip in ipairs { x, y } do
      local domain = bip:at("cm/trust-domain", "/Common/Root"):load()
      assert.same({ "/Common/bigip1", "/Common/b.example.net" }, domain.caDevices)
      assert.equal(2, #bip:at("cm/device-group/~Common~device_trust_group/devices"):list())
      assert.equal("trust-only", shown(bip, "sync-status").mode)
      assert.equal("In Sync", status(bip))
    end
    assert.equal(
      x:at("cm/trust-domain", "/Common/Root"):load().guid,
      y:at("cm/trust-domain", "/Common/Root"):load().guid
    )
    assert.same(
      { "b.example.net: connected",
        "device_trust_group (In Sync): All devices in the device group are in sync" },
      details(a)
    )
    x:at("cm/remove-from-trust"):run("run", { name = "Root", deviceName = "b.example.net" })
    assert.same({ "bigip1 a.example.net true" }, devices(x))
    wait("the other device is alone", function() return status(y) == "Standalone" end)
    assert.same({ "b.example.net b.example.net true" }, devices(y))
    assert.equal("Standalone", status(x))
    join()  -- and again
  end)

  it("is made and ended by asynchronous tasks, too", function()
    start()
    local function task(template, body)
      local path = "/mgmt/tm/task/cm/" .. template
      local id = curl(a, "POST", path, body).json._taskId
      curl(a, "PUT", path .. "/" .. id, { _taskState = "VALIDATING" })
      a:advance(4)
      wait("task " .. template, function()
        return curl(a, "GET", path .. "/" .. id).json._taskState ~= "VALIDATING"
      end)
      return curl(a, "GET", path .. "/" .. id).json._taskState
    end
    assert.equal("FAILED", task("add-to-trust", trust_body(b, { password = "wrong" })))
    assert.equal("COMPLETED", task("add-to-trust", trust_body(b)))
    assert.equal(2, #devices(y))
    assert.equal(
      "COMPLETED",
      task("remove-from-trust", { command = "run", name = "Root", deviceName = "b.example.net" })
    )
    assert.equal(1, #devices(x))
  end)

  it("refuses to be made of what does not fit", function()
    start { version = { version = "16.1.0" } }
    local function refused(wanted, more, code)
      local answer = post(a, "cm/add-to-trust", trust_body(b, more))
      assert.equal(code or 400, answer.status, answer.body)
      assert.matches(wanted, answer.json.message)
    end
    refused("Authentication failed for device 127%.0%.0%.1:%d+", { password = "wrong" })
    refused("Authentication failed", { username = "operator", password = "operator" })
    refused("b?ig?ip1? ?.*runs version 16%.1%.0, this device runs version 17", {})
    refused("could not be reached", { device = "127.0.0.1:1" })
    refused("is an address on this device", { device = "127.0.0.1:" .. a.port })
    refused('invalid property value "device":"b%.example%.net"', { device = "b.example.net" })
    refused("requested device %(/Common/bigip1%) already exists", { deviceName = "bigip1" }, 409)
    refused('"password" must be specified', { password = "" })
    assert.equal(1, #devices(x))
    assert.equal(1, #devices(y))
    local missing = post(a, "cm/remove-from-trust", { command = "run", deviceName = "nobody" })
    assert.equal(404, missing.status)
    local third <close> = sim.start { hostname = "c.example.net" }
    local fourth <close> = sim.start { hostname = "d.example.net" }
    local more = { deviceName = "c.example.net" }
    assert.equal(200, post(a, "cm/add-to-trust", trust_body(third, more)).status)
    refused("c%.example%.net is already in the trust domain", {
      device = "127.0.0.1:" .. third.port, deviceName = "other",
    })
    local answer = post(fourth, "cm/add-to-trust", trust_body(third, more))
    assert.equal(400, answer.status)
    assert.matches("c%.example%.net is already in a trust domain", answer.json.message)
  end)

  it("takes a password that is quoted as for tmsh", function()
    start()
    assert.equal(
      200, post(a, "cm/add-to-trust", trust_body(b, { password = '"admin"' })).status
    )
  end)

  it("synchronises the configuration by hand, in both directions", function()
    start()
    join()
    make_group()
    wait_status(y, "Awaiting Initial Sync")
    assert.equal("blue", shown(x, "sync-status").color)
    assert.equal("high-availability", shown(x, "sync-status").mode)
    x.ltm.pool:create { name = "web", members = { "10.0.0.1:80" } }
    assert.equal("Awaiting Initial Sync", status(x))
    sync(x)
    in_sync()
    assert.equal("green", shown(y, "sync-status").color)
    assert.equal(1, #y.ltm.pool["/Common/web"].members:list())
    y.ltm.pool["/Common/web"]:modify { description = "of b" }
    assert.equal("Changes Pending", status(y))
    wait_status(x, "Changes Pending")
    assert.equal("yellow", shown(x, "sync-status").color)
    local lines = details(a)
    assert.equal("b.example.net: connected", lines[1])
    assert.matches("^dg %(Changes Pending%): ", lines[2])
    assert.equal(" - Recommended action: Synchronize b.example.net to group dg", lines[3])
    sync(x, "from-group dg")
    in_sync()
    assert.equal("of b", x.ltm.pool["/Common/web"]:load().description)
    x.ltm.pool["/Common/web"]:delete()
    sync(x)
    in_sync()
    assert.is_false(y.ltm.pool["/Common/web"]:exists())
    x.ltm.pool:create { name = "again" }
    x.ltm.pool["/Common/again"]:modify { description = "not in sync" }
    assert.equal("Changes Pending", status(x))
  end)

  it("synchronises ASM with the group that is meant for it", function()
    local modules <const> = { provision = { "ltm", "asm" } }
    start(modules, modules)
    join()
    make_group()
    local function names(bip)
      local list <const> = {}
      for policy in bip.asm.policies:each() do list[#list + 1] = policy.name end
      return table.concat(list, " ")
    end
    x.asm.policies:create { name = "one" }
    sync(x)
    in_sync()
    assert.equal("", names(y)) -- the group is not one of ASM
    x:at("cm/device-group/asm"):create {
      type = "sync-only", asmSync = "enabled", autoSync = "enabled",
      devices = { "bigip1", "b.example.net" },
    }
    sync(x, "to-group asm")
    wait("the policy is there", function() return names(y) == "one" end)
    local policy <const> = x.asm.policies:list()[1]
    x:at("asm/policies/" .. policy.id .. "/urls"):create { name = "/login", protocol = "http" }
    wait("the URL is there", function()
      for url in y:at("asm/policies/" .. policy.id .. "/urls"):each() do
        if url.name == "/login" then return true end
      end
      return false
    end)
    y.asm.policies:create { name = "two" }
    wait("the other way", function() return names(x) == "one two" end)
    x:at("asm/tasks/apply-policy"):create {
      policyReference = { link = "/mgmt/tm/asm/policies/" .. policy.id },
    }
    wait("the policy is applied on both", function()
      return y:at("asm/policies/" .. policy.id):load().isModified == false
    end)
    assert.equal(0, #y:at("asm/tasks/apply-policy"):list()) -- a task stays where it is
    local refused <const> = post(a, "cm/device-group", {
      name = "asm2", asmSync = "enabled", devices = { "bigip1" },
    })
    assert.same({ 400, "01070734:3: Configuration error: The device (/Common/bigip1) is already a "
      .. "member of the ASM-enabled device group (/Common/asm)." },
      { refused.status, refused.json.message })
  end)

  it("says when both have changes, and lets one win", function()
    start()
    join()
    make_group()
    sync(x)
    in_sync()
    x.ltm.pool:create { name = "of-a" }
    y.ltm.pool:create { name = "of-b" }
    wait("conflict", function() return shown(x, "sync-status").color == "red" end)
    assert.equal("Changes Pending", status(x))
    assert.equal(
      "There is a possible change conflict between b.example.net and bigip1.",
      shown(x, "sync-status").summary
    )
    sync(x)
    in_sync()
    assert.is_true(y.ltm.pool["/Common/of-a"]:exists())
    assert.is_false(y.ltm.pool["/Common/of-b"]:exists())
    -- a device without changes of its own does not overwrite newer ones, unless it is forced
    y.ltm.pool:create { name = "newer" }
    wait_status(x, "Changes Pending")
    sync(x)
    core.sleep(0.3)
    assert.equal("Changes Pending", status(x))
    assert.is_true(y.ltm.pool["/Common/newer"]:exists())
    sync(x, "force-full-load-push to-group dg")
    in_sync()
    assert.is_false(y.ltm.pool["/Common/newer"]:exists())
  end)

  it("leaves on each device what describes this device", function()
    start()
    join()
    make_group()
    x.auth.partition:create { name = "P" }
    x.ltm.node:create { name = "n", partition = "P", address = "10.0.0.7" }
    x.auth.user:create { name = "u", password = "secret-Of-u1", ["partition-access"] = {
      { name = "all-partitions", role = "admin" } } }
    y.net.vlan:create { name = "of-b" }
    wait_status(y, "Awaiting Initial Sync")
    x.net.vlan:create { name = "v" }
    x.net.self:create { name = "local", address = "10.1.0.1/24", vlan = "v" }
    x.sys.dns:modify { nameServers = { "192.0.2.53" } }
    x.sys["global-settings"]:modify { guiSecurityBanner = "disabled" }
    x.sys.provision["gtm"]:modify { level = "nominal" }
    sync(x)
    in_sync()
    assert.is_true(y.ltm.node["/P/n"]:exists())
    assert.same({ "192.0.2.53" }, y.sys.dns:load().nameServers)
    assert.is_false(y.net.vlan["/Common/v"]:exists())
    assert.is_true(y.net.vlan["/Common/of-b"]:exists())
    y.net.vlan:create { name = "later" }
    assert.equal("In Sync", status(y))
    assert.is_false(y.net.self["/Common/local"]:exists())
    assert.equal("enabled", y.sys["global-settings"]:load().guiSecurityBanner)
    assert.equal("b.example.net", y.sys["global-settings"]:load().hostname)
    assert.equal("none", y.sys.provision.gtm:load().level)
    local options = b:options "admin"
    options.username, options.password = "u", "secret-Of-u1"
    local user <close> = f5.connect(options)
    assert.is_true(user.ltm.node["/P/n"]:exists())
    assert.equal("/Common/dg", y:at("sys/folder", "/Common"):load().deviceGroup)
    -- a folder without a device group stays
    x:at("sys/folder", "/P"):modify { deviceGroup = "none" }
    x.ltm.node:create { name = "mine", partition = "P", address = "10.0.0.8" }
    sync(x)
    wait_status(x, "In Sync")
    assert.is_false(y.ltm.node["/P/mine"]:exists())
  end)

  it("synchronises by itself, after the first time", function()
    start()
    join()
    make_group { autoSync = "enabled", saveOnAutoSync = "true" }
    x.ltm.pool:create { name = "one" }
    core.sleep(0.2)
    assert.equal("Awaiting Initial Sync", status(x))
    sync(x)
    in_sync()
    x.ltm.pool:create { name = "two" }
    wait("automatic sync", function() return y.ltm.pool["/Common/two"]:exists() end)
    in_sync()
    y.ltm.pool:create { name = "three" }
    wait("automatic sync", function() return x.ltm.pool["/Common/three"]:exists() end)
    in_sync()
  end)

  it("lets one of two changes of the trust domain win", function()
    start()
    join()
    for n = 1, 5 do
      x:at("cm/traffic-group"):create { name = "of-a" .. n }
      y:at("cm/traffic-group"):create { name = "of-b" .. n }
    end
    local function list(bip)
      local names = {}
      for group in bip:at("cm/traffic-group"):each() do names[#names + 1] = group.name end
      return table.concat(names, " ")
    end
    wait("both have the same", function() return list(x) == list(y) end)
  end)

  it("brings a device up to date that was away", function()
    start()
    join()
    make_group { autoSync = "enabled" }
    sync(x)
    in_sync()
    y:close()
    y = nil
    b:reboot { seconds = 3 }
    x.ltm.pool:create { name = "meanwhile" }
    x:at("cm/traffic-group"):create { name = "tg2" }
    wait("b answers", function()
      local ok, session = pcall(lab.connect, b)
      y = ok and session or nil
      return ok
    end)
    y:wait_ready { timeout = 10 }
    in_sync()
    assert.is_true(y.ltm.pool["/Common/meanwhile"]:exists())
    wait("b has the traffic group", function()
      return y:at("cm/traffic-group", "/Common/tg2"):exists()
    end)
  end)

  it("shares folders of a sync-only group and nothing else", function()
    start()
    join()
    make_group { type = "sync-only" }
    assert.equal("sync-only", shown(x, "sync-status").mode)
    x.auth.partition:create { name = "shared" }
    x:at("sys/folder", "/shared"):modify { deviceGroup = "/Common/dg" }
    x.ltm.pool:create { name = "p", partition = "shared" }
    x.ltm.pool:create { name = "q" }
    sync(x)
    in_sync()
    assert.is_true(y.ltm.pool["/shared/p"]:exists())
    assert.is_false(y.ltm.pool["/Common/q"]:exists())
    assert.equal("active active", states())
  end)

  it("shows what the other device refuses, which then keeps what it has", function()
    start()
    join()
    make_group()
    sync(x)
    in_sync()
    x.net.vlan:create { name = "only-here" }
    x.net.self:create {
      name = "floating", address = "10.2.0.1/24", vlan = "only-here",
      trafficGroup = "traffic-group-1",
    }
    sync(x)
    wait_status(x, "Sync Failure")
    assert.equal("red", shown(x, "sync-status").color)
    assert.matches(
      "^Sync error on b%.example%.net: Load failed from /Common/bigip1 01020036:3: .*only%-here",
      details(a)[3]
    )
    assert.is_false(y.net.self["/Common/floating"]:exists())
    y.net.vlan:create { name = "only-here" }
    sync(x)
    in_sync()
    assert.is_true(y.net.self["/Common/floating"]:exists())
  end)

  it("refuses to synchronise what does not exist or was never pushed", function()
    start()
    join()
    make_group()
    local function run(words)
      return post(a, "cm", { command = "run", utilCmdArgs = "config-sync " .. words })
    end
    assert.matches("Device group %(nope%) not found", run("to-group nope").json.message)
    assert.matches("until a push has been done first", run("from-group dg").json.message)
    local answer = post(a, "cm/config-sync", {
      command = "run", options = { { ["to-group"] = "dg" } },
    })
    assert.equal(200, answer.status, answer.body)
    in_sync()
  end)
end)

describe("a simulated device with others", function()
  it("answers while it waits for a device that does not", function()
    local silent <close> = program.start { "sim", "--port", "0" }
    local port <const> = tonumber(silent:expect "https://127.0.0.1:(%d+)")
    silent:kill "STOP"
    local device <close> = sim.start()
    local bip <close> = lab.connect(device)
    local ended, message
    local fiber <const> = f5.spawn(function()
      local _, err = pcall(function()
        local body = trust_body { port = port }
        body.command = nil
        bip:at("cm/add-to-trust"):run("run", body)
      end)
      ended, message = true, tostring(err)
    end)
    for _ = 1, 20 do
      bip.ltm.pool:list()
      core.sleep(0.02)
    end
    assert.is_nil(ended, message)
    silent:kill "KILL"
    fiber:join()
    assert.matches("The device 127%.0%.0%.1:%d+ could not be reached", message)
    assert.equal(0, device:problems())
  end)

  it("answers strangers as it answers for any unknown path", function()
    local device <close> = sim.start()
    local unknown = curl(device, "POST", "/some/where", {})
    for _, verb in ipairs { "hello", "sync", "fetch", "leave", "take", "join", "x" } do
      local answer = curl { device, "POST", "/f5lua-sim/" .. verb, body = {},
        headers = { ["X-F5lua-Secret"] = "", ["X-F5lua-Device"] = "/Common/bigip1" } }
      assert.equal(unknown.status, answer.status, verb)
    end
    local answer = curl(device, "POST", "/f5lua-sim/join", {
      username = "admin", password = "wrong", endpoints = {}, objects = {}, hello = {}, from = "x",
      record = { n = 1, base = 0, by = "x" },
    })
    assert.equal(401, answer.status)
    -- an administrator who is no device changes nothing
    local bip <close> = lab.connect(device)
    local before <const> = devices(bip)
    for _, objects in ipairs {
      {}, { ["/etc/passwd"] = {} }, { ["/mgmt/tm/cm/device/~Common~x"] = { name = 1 } },
      { ["/mgmt/tm/cm/device-group/~Common~dg"] = { name = "dg", fullPath = "/Common/dg" } },
    } do
      local strange = curl(device, "POST", "/f5lua-sim/join", {
        username = "admin", password = "admin", objects = objects, hello = {}, from = "x",
        endpoints = { a = { host = "127.0.0.1", port = 1 } }, version = "17.1.3",
        record = { n = 1, base = 0, by = "x" },
      })
      assert.is_true(strange.status == 400 or strange.status == 409, strange.body)
      assert.same(before, devices(bip))
    end
    assert.equal(0, device:problems())
  end)

  it("can be a device of the same fleet", function()
    local fleet <close> = sim.start { fleet = 3 }
    local one <close> = f5.connect(fleet:member(1):options "admin")
    local two <close> = f5.connect(fleet:member(2):options "admin")
    local third <close> = f5.connect(fleet:member(3):options "admin")
    one:at("cm/add-to-trust"):run("run", {
      name = "Root", device = "127.0.0.2", deviceName = "bigip2", username = "admin",
      password = "admin",
    })
    one:at("cm/device-group"):create {
      name = "dg", type = "sync-failover", devices = { "bigip1", "bigip2" },
    }
    one.ltm.pool:create { name = "web" }
    sync(one)
    wait_status(one, "In Sync")
    assert.is_true(two.ltm.pool["/Common/web"]:exists())
    assert.is_false(third.ltm.pool["/Common/web"]:exists())
    -- both were active; the one with the higher management address stays
    wait("one is standby", function()
      return one:failover_state() .. two:failover_state() == "standbyactive"
    end)
    assert.equal("127.0.0.1", two:at("cm/device", "/Common/bigip1"):load().managementIp)
  end)

  it("makes a group of three", function()
    local fleet <close> = sim.start { fleet = 3 }
    local bips = {}
    for n = 1, 3 do bips[n] = f5.connect(fleet:member(n):options "admin") end
    for n = 2, 3 do
      bips[1]:at("cm/add-to-trust"):run("run", {
        name = "Root", device = "127.0.0." .. n, deviceName = "bigip" .. n, username = "admin",
        password = "admin",
      })
    end
    wait("all know all", function() return #devices(bips[2]) == 3 end)
    bips[2]:at("cm/device-group"):create {
      name = "dg", type = "sync-failover", devices = { "bigip1", "bigip2", "bigip3" },
    }
    wait("all have the group", function()
      return bips[3]:at("cm/device-group", "/Common/dg"):exists()
    end)
    bips[3].ltm.pool:create { name = "web" }
    sync(bips[3])
    for n = 1, 3 do wait_status(bips[n], "In Sync") end
    for n = 1, 3 do assert.is_true(bips[n].ltm.pool["/Common/web"]:exists()) end
    wait("one is active", function()
      local active = 0
      for n = 1, 3 do active = active + (bips[n]:failover_state() == "active" and 1 or 0) end
      return active == 1
    end)
    -- DELETE of the trust domain: this device is alone, the others miss it
    bips[3]:request("DELETE", "/mgmt/tm/cm/trust-domain")
    assert.equal("Standalone", status(bips[3]))
    assert.equal(1, #devices(bips[3]))
    wait("the others miss it", function() return status(bips[1]) == "Disconnected" end)
    bips[1]:at("cm/remove-from-trust"):run("run", { deviceName = "bigip3" })
    wait("two are left", function() return #devices(bips[2]) == 2 end)
    wait_status(bips[1], "In Sync")
    for n = 1, 3 do bips[n]:close() end
  end)

  it("keeps its peers in a saved state", function()
    local one <close> = sim.start { bind = "127.0.0.8" }
    local two <close> = sim.start { bind = "127.0.0.9" }
    assert.equal(200, post(one, "cm/add-to-trust", trust_body(two, {
      device = "127.0.0.9:" .. two.port })).status)
    local state = one:state()
    local port <const> = one.port
    one:stop()
    local again <close> = sim.start { bind = "127.0.0.8", port = port, seed = state }
    local bip <close> = lab.connect(again)
    wait_status(bip, "In Sync")
    assert.equal("b.example.net: connected", details(again)[1])
  end)
end)
