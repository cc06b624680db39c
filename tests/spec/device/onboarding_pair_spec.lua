-- DO on two simulated devices: trust and device groups by declarations.
local curl = require "curl"
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local ROOT <const> = "/mgmt/shared/declarative-onboarding"

local function start()
  local fleet = sim.start { fleet = 2, extensions = { "do" } }
  return fleet, fleet:member(1), fleet:member(2)
end

-- The declaration of a device: both get the same but for the name.
local function device_of(name, more)
  local trust = {
    class = "DeviceTrust", localUsername = "admin", localPassword = "admin",
    remoteHost = "127.0.0.1", remoteUsername = "admin", remotePassword = "admin",
  }
  for key, value in pairs(more or {}) do trust[key] = value end
  return {
    class = "Device", schemaVersion = "1.45.0",
    Common = {
      class = "Tenant", hostname = name,
      marker = { class = "DNS", nameServers = { "192.0.2.99" } },
      trust = trust,
      group = {
        class = "DeviceGroup", type = "sync-failover", owner = "a.example.net",
        members = { "a.example.net", "b.example.net" }, networkFailover = true,
      },
    },
  }
end

local function post(device, body) return curl { device, "POST", ROOT, body = body } end

local function names(device, path)
  local list = {}
  for i, one in ipairs(curl { device, "GET", path }.json.items or {}) do list[i] = one.name end
  table.sort(list)
  return table.concat(list, " ")
end

local MEMBERS <const> = "/mgmt/tm/cm/device-group/~Common~group/devices"

describe("D2 two simulated devices with DO", function()
  it("join the same trust domain and device group", function()
    local _fleet <close>, a, b = start()
    local first = post(a, device_of "a.example.net")
    assert.equal(200, first.status, first.body)
    assert.equal("a.example.net", names(a, MEMBERS))
    assert.equal("enabled", curl {
      a, "GET", "/mgmt/tm/cm/device-group/~Common~group",
    }.json.networkFailover)
    local second = post(b, device_of "b.example.net")
    assert.equal(200, second.status, second.body)
    assert.equal("success", second.json.result.message)
    assert.is_nil(second.json.declaration.Common.trust.remotePassword)
    for _, device in ipairs { a, b } do
      lab.wait("both are members", function()
        return names(device, MEMBERS) == "a.example.net b.example.net"
      end)
      assert.equal("a.example.net b.example.net", names(device, "/mgmt/tm/cm/device"))
    end
    -- again: nothing to do
    assert.equal(200, post(b, device_of "b.example.net").status)
    assert.equal(200, post(a, device_of "a.example.net").status)
    assert.equal("a.example.net b.example.net", names(a, MEMBERS))
  end)

  it("wait for each other in the background, too", function()
    local _fleet <close>, a, b = start()
    assert.equal(200, post(a, device_of "a.example.net").status)
    local bip <close> = f5.connect(b:options "admin")
    local results = bip:declare(device_of "b.example.net")
    assert.is_true(results[1].ok)
    assert.equal("a.example.net b.example.net", names(b, MEMBERS))
  end)

  it("take everything back if the other one refuses", function()
    local _fleet <close>, a, b = start()
    assert.equal(200, post(a, device_of "a.example.net").status)
    local before = curl { b, "GET", "/mgmt/tm/sys/dns" }.json.nameServers
    local answer = post(b, device_of("b.example.net", { remotePassword = "wrong" }))
    assert.equal(401, answer.json.result.code, answer.body)
    assert.equal("invalid config - rolled back", answer.json.result.message)
    assert.same(before, curl { b, "GET", "/mgmt/tm/sys/dns" }.json.nameServers)
    assert.equal(0, select(2, names(b, "/mgmt/tm/cm/device"):gsub(" ", "")))
    answer = post(b, device_of("b.example.net", { localPassword = "wrong" }))
    assert.matches("Authentication failed", answer.json.result.errors[1])
    answer = post(b, device_of("b.example.net", { remoteHost = "127.0.0.9" }))
    assert.equal("ERROR", answer.json.result.status)
    answer = post(b, {
      class = "Device", schemaVersion = "1.45.0", Common = {
        class = "Tenant",
        group = { class = "DeviceGroup", type = "sync-only", owner = "other.example.net" },
      },
    })
    assert.same("Device group group does not exist on this device.",
      answer.json.result.errors[1])
  end)
end)
