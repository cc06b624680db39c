-- A tenant that is updated is the same as one that is deployed fresh, and a tenant that is deleted
-- leaves nothing. The declarations are the probes of ../shared/data/as3-mapping-facts.json.
local as3_facts = require "walk.as3_facts"
local as3_state = require "walk.as3_state"
local curl = require "curl"
local lab = require "lab"

local DECLARE <const> = "/mgmt/shared/appsvcs/declare"

describe("updates of AS3 on the simulated device", function()
  local device

  setup(function() device = as3_facts.device() end)
  teardown(function() lab.stop(device) end)

  local function declare(declaration)
    local answer = curl { device, "POST", DECLARE, body = declaration }
    return answer.status == 200, answer.body
  end

  local function remove(path)
    local answer = curl { device, "DELETE", DECLARE .. (path or "") }
    assert.equal(200, answer.status, answer.body)
  end

  local function tenants(declaration)
    local names = {}
    for name, value in pairs(declaration) do
      if type(value) == "table" and value.class == "Tenant" then names[#names + 1] = name end
    end
    return names
  end

  -- What the device holds after a declaration; nil if it is refused.
  local function deployed(declaration)
    local made = declare(declaration)
    local state = made and as3_state.read(device)
    remove()
    return state
  end

  it("makes the same of a tenant, whatever it was before", function()
    local facts, missing = as3_facts.read()
    if not facts then return pending(missing) end
    local names = {}
    for name in pairs(facts.probes) do names[#names + 1] = name end
    table.sort(names)
    local updates, differ, last = 0, {}, nil
    for i, name in ipairs(names) do
      local declaration = facts.probes[name].declaration
      -- what uses an address of the device makes the others use it, too
      local fresh = not as3_facts.needs(name) and (lab.slow or i % 10 < 2)
        and deployed(declaration)
      if fresh and last then
        assert.is_true(declare(last), name)
        -- Common goes after those that use it, the others make room
        for _, tenant in ipairs(tenants(last)) do
          if not declaration[tenant] and tenant ~= "Common" then remove("/" .. tenant) end
        end
        local made, body = declare(declaration)
        assert.is_true(made, name .. ": " .. body)
        if last.Common and not declaration.Common then remove "/Common" end
        updates = updates + 1
        local found = as3_state.differences(fresh, as3_state.read(device))
        if found[1] then differ[#differ + 1] = name .. ":\n  " .. table.concat(found, "\n  ") end
        remove()
      end
      last = fresh and declaration or nil
    end
    assert.equal("", table.concat(differ, "\n"))
    assert.is_true(updates >= (lab.slow and 70 or 7), updates .. " updates")
  end)
end)
