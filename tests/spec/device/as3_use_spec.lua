-- Declarations as users write them (walk/as3_declarations.lua): what becomes of them, twice the
-- same is no change, and nothing is left afterwards.
local as3_state = require "walk.as3_state"
local curl = require "curl"
local declarations = require "walk.as3_declarations"
local lab = require "lab"
local sim = require "f5.sim"

local DECLARE <const> = "/mgmt/shared/appsvcs/declare"

describe("declarations of AS3 as users write them", function()
  local device, before

  setup(function()
    device = sim.start { extensions = { "as3" }, provision = { "ltm", "asm", "afm", "gtm" } }
    curl { device, "POST", "/mgmt/tm/net/vlan", body = { name = "external" } }
    curl { device, "POST", "/mgmt/tm/net/route-domain", body = { name = "2", id = 2 } }
    before = as3_state.read(device)
  end)
  after_each(function() curl { device, "DELETE", DECLARE } end)
  teardown(function() lab.stop(device) end)

  local function get(path) return curl { device, "GET", "/mgmt/tm/" .. path } end

  local function declare(tenants)
    local declaration = { class = "ADC", schemaVersion = "3.50.0", id = "x" }
    for name, tenant in pairs(tenants) do declaration[name] = tenant end
    return curl { device, "POST", DECLARE, body = declaration }
  end

  local function check_made(entry)
    for path, properties in pairs(entry.made) do
      local object = get(path)
      assert.equal(200, object.status, path)
      for name, value in pairs(properties) do
        assert.same(value, object.json[name], path .. " " .. name)
      end
    end
    for _, path in ipairs(entry.absent or {}) do assert.equal(404, get(path).status, path) end
    for _, result in ipairs(declare(entry.tenants).json.results) do
      assert.equal("no change", result.message)
    end
  end

  for name, entry in pairs(declarations) do
    it(name, function()
      local answer = declare(entry.tenants)
      if entry.refused then
        assert.is_true(answer.status == 422 or answer.status == 207, answer.body)
        assert.truthy(answer.body:find(entry.refused, 1, true), answer.body)
      else
        assert.equal(200, answer.status, answer.body)
        check_made(entry)
      end
      assert.equal(200, curl({ device, "DELETE", DECLARE }).status)
      assert.equal("", table.concat(as3_state.differences(before, as3_state.read(device)), "\n"))
    end)
  end

  it("leave out what an older device does not have, or refuse it", function()
    local old <close> = sim.start { extensions = { "as3" }, version = { version = "13.1.5" } }
    local function send(items)
      items.class = "Application"
      return curl { old, "POST", DECLARE, body = {
        class = "ADC", schemaVersion = "3.50.0", id = "x", T = { class = "Tenant", A = items },
      } }
    end
    local warned = send { f = { class = "FTP_Profile", activeModeEnabled = false } }
    assert.equal(200, warned.status, warned.body)
    assert.equal("FTP_Profile.activeModeEnabled ignored. This is only valid on BIG-IP versions "
      .. "14.0 and above.", warned.json.results[1].warnings[1].message)
    assert.is_nil(send({ f = { class = "FTP_Profile" } }).json.results[1].warnings)
    local refused = send {
      web = { class = "Service_TCP", virtualAddresses = { "198.51.100.1" },
        virtualPort = { use = "ports" } },
      ports = { class = "Net_Port_List", ports = { 80 } },
    }
    assert.equal("/T/A/web/virtualPort: Service_TCP.virtualPort is only valid on BIG-IP versions "
      .. "14.1 and above.", (refused.json.errors or { refused.body })[1])
  end)
end)
