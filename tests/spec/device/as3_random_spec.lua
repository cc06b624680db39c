-- Whatever a declaration of AS3 holds, the answer is 200, 207 or 422 with a reason, and nothing of
-- a refused tenant is left.
local as3_random = require "walk.as3_random"
local as3_state = require "walk.as3_state"
local curl = require "curl"
local declarations = require "walk.as3_declarations"
local json = require "f5.json"
local lab = require "lab"
local seeds = require "walk.seeds"
local sim = require "f5.sim"

local DECLARE <const> = "/mgmt/shared/appsvcs/declare"

describe("random declarations of AS3", function()
  local device, before, names

  setup(function()
    device = sim.start {
      extensions = { "as3" }, provision = { "ltm", "asm", "afm", "gtm", "apm", "avr", "cgnat" },
    }
    before = as3_state.read(device)
    names = {}
    for name, entry in pairs(declarations) do
      if entry.made then names[#names + 1] = name end
    end
    table.sort(names)
  end)
  teardown(function() lab.stop(device) end)

  local function declaration_of(tenants)
    local text = json.encode { class = "ADC", schemaVersion = "3.50.0", id = "x" }
    local declaration = json.decode(text)
    for name, tenant in pairs(json.decode(json.encode(tenants))) do declaration[name] = tenant end
    return declaration
  end

  local function try(declaration)
    local text = json.encode(declaration)
    local answer = curl { device, "POST", DECLARE, body = declaration }
    local good = answer.status == 200 or answer.status == 207 or answer.status == 422
    assert.is_true(good, ("%d %s\n%s"):format(answer.status, answer.body, text))
    if answer.json.errors then
      assert.matches("^/[^:]*: .", answer.json.errors[1], text)
    elseif answer.json.results then
      for _, result in ipairs(answer.json.results) do
        assert.is_true(result.code == 200 or #(result.response or result.message) > 5, answer.body)
      end
    else
      assert.is_true(#answer.json.message > 5, answer.body)
    end
    if answer.status ~= 422 then
      local removed = curl { device, "DELETE", DECLARE }
      assert.equal(200, removed.status, text)
    end
    assert.equal("", table.concat(as3_state.differences(before, as3_state.read(device)), "\n"),
      text)
  end

  it("have items of all classes, with values of all kinds", function()
    seeds.each(40, 1500, function(seed)
      math.randomseed(seed)
      local items = { class = "Application", x = as3_random.item(), y = as3_random.item() }
      try(declaration_of { T = { class = "Tenant", A = items } })
    end)
  end)

  it("are good ones with a mistake", function()
    seeds.each(40, 1500, function(seed)
      math.randomseed(seed)
      local declaration = declaration_of(declarations[names[seed % #names + 1]].tenants)
      for _ = 1, math.random(2) do as3_random.spoil(declaration) end
      try(declaration)
    end)
  end)
end)
