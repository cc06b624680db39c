-- Declarations of DO on the simulated device, through the program and bip:declare: reboots, a
-- changed password, rollbacks, dry runs.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local device, place, bip

before_each(function()
  device, bip = lab.start { extensions = { "do" } }
  place = lab.scratch()
end)
after_each(function() lab.stop(bip, device, place) end)

local function device_of(common)
  common.class = "Tenant"
  return { class = "Device", schemaVersion = "1.45.0", Common = common }
end

local function run(words, common)
  place:file("device.json", json.encode(device_of(common), { sort = true }))
  return program.run(words, {
    directory = place.path, timeout = 90,
    env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" }),
  })
end

local DNS <const> = { class = "DNS", nameServers = { "192.0.2.7" } }

describe("D2 DO on the simulated device", function()
  it("is sent, followed and reported; the second time it writes nothing", function()
    local result = run({ "declare", "device.json" }, { dns = DNS })
    assert.equal(0, result.status, result.err .. result.out)
    assert.equal("success", json.decode(result.out).message)
    local dns = bip.sys.dns:load()
    assert.same({ "192.0.2.7" }, dns.nameServers)
    result = run({ "declare", "device.json" }, { dns = DNS })
    assert.equal(0, result.status, result.err)
    assert.same(dns, bip.sys.dns:load())
  end)

  it("shows in a dry run what it would change", function()
    local before = bip.sys.dns:load().nameServers
    local result = run({ "declare", "device.json", "--dry-run" }, { dns = DNS })
    assert.equal(0, result.status, result.err)
    assert.is_true(json.decode(result.out).dry_run)
    assert.same(before, bip.sys.dns:load().nameServers)
  end)

  it("is followed through the reboot that the device needs", function()
    bip.sys.db["provision.action"]:modify { value = "reboot" }
    local result = run({ "declare", "device.json" }, { dns = DNS })
    assert.equal(0, result.status, result.err .. result.out)
    assert.same({ "192.0.2.7" }, bip.sys.dns:load().nameServers)
    assert.equal("none", bip.sys.db["provision.action"]:load().value)
  end)

  it("is followed with the new password of its user", function()
    local states = {}
    local results = bip:declare(device_of {
      admin = { class = "User", userType = "regular", password = "An0ther-Pass", shell = "bash" },
      dns = DNS,
    }, { progress = function(state) states[#states + 1] = state end })
    assert.is_true(results[1].ok)
    assert.same({ "192.0.2.7" }, bip.sys.dns:load().nameServers)
    lab.fails("auth", function()
      local old <close> = lab.connect(device)
      old.sys.dns:load()
    end)
  end)

  it("says what the device refused, whatever its status is, and that nothing remains", function()
    local result = run({ "declare", "device.json" }, {
      v = { class = "VLAN", interfaces = { { name = "1.1", tagged = false } } },
      a = { class = "SelfIp", address = "198.51.100.1/24", vlan = "v" },
      b = { class = "SelfIp", address = "198.51.100.1/24", vlan = "v" },
    })
    assert.equal(3, result.status, result.err)
    assert.matches("invalid config %- rolled back %(409%).-already exists", result.err)
    assert.is_false(bip.net.vlan["/Common/v"]:exists())
    result = run({ "declare", "device.json" }, {
      a = { class = "SelfIp", address = "198.51.100.1/24", vlan = "nowhere" },
    })
    assert.matches("invalid config %- rolled back %(404%).-nowhere", result.err)
  end)

  it("names the mistakes of a declaration, and classes that are not simulated", function()
    local result = run({ "declare", "device.json" }, { v = { class = "VLAN", interfaces = 1 } })
    assert.equal(3, result.status, result.err)
    assert.matches("bad declaration %(400%).-Common%['v'%].interfaces should be array", result.err)
    result = run({ "declare", "device.json" }, {
      d = { class = "Disk", applicationData = 26214400 },
    })
    assert.matches("the class Disk is not simulated", result.err)
  end)
end)
