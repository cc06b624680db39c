-- Addresses that several tenants of AS3 want, on the simulated device.
local curl = require "curl"
local lab = require "lab"
local sim = require "f5.sim"

local DECLARE <const> = "/mgmt/shared/appsvcs/declare"

describe("AS3 on the simulated device", function()
  local device

  local function call(method, path, body)
    return curl { device, method, path, body = body }
  end

  local function declare(tenants)
    local declaration = { class = "ADC", schemaVersion = "3.50.0", id = "x" }
    for name, value in pairs(tenants) do declaration[name] = value end
    return call("POST", DECLARE, declaration)
  end

  local function exists(path) return call("GET", "/mgmt/tm/" .. path).status == 200 end

  before_each(function() device = sim.start { extensions = { "as3" } } end)
  after_each(function() lab.stop(device) end)

  it("gives an address to one tenant, unless it is shared", function()
    local function web(port, is_shared, address)
      return { class = "Tenant", A = { class = "Application", v = {
        class = "Service_HTTP", virtualAddresses = { address or "198.51.100.7" },
        virtualPort = port, shareAddresses = is_shared,
      } } }
    end
    assert.equal(200, declare({ One = web(80) }).status)
    local answer = declare { Two = web(81) }
    assert.equal(422, answer.status)
    assert.equal("0107176c:3: Invalid Virtual Address, the IP address 198.51.100.7 already exists.",
      answer.json.results[1].response)
    for _, path in ipairs { "auth/partition/Two", "ltm/virtual/~Two~A~v" } do
      assert.is_false(exists(path))
    end
    assert.is_true(exists "ltm/virtual/~One~A~v")
    -- one with several tenants, of which the second one is refused
    answer = declare { Three = web(80, nil, "198.51.100.8"), Two = web(81) }
    assert.equal(207, answer.status)
    assert.equal(200, call("DELETE", DECLARE .. "/One").status)
    assert.equal(200, declare({ Two = web(81) }).status) -- the address is free
    assert.equal(200, declare({ One = web(80, true, "198.51.100.9") }).status)
    assert.equal(200, declare({ Four = web(81, true, "198.51.100.9") }).status)
    assert.is_true(exists "ltm/virtual-address/~Common~Shared~198.51.100.9"
      or exists "ltm/virtual-address/~Common~198.51.100.9")
    -- every address is no address
    assert.equal(200, declare({ Five = web(82, nil, "0.0.0.0") }).status)
    assert.equal(200, declare({ Six = web(83, nil, "0.0.0.0") }).status)
  end)
end)
