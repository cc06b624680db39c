-- Declarations of AS3 on the simulated device, through the program: tenants as objects of one-line
-- calls, and what goes wrong.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local AS3 <const> = "/mgmt/shared/appsvcs"
local DECLARE <const> = AS3 .. "/declare"

local device, place, bip

local function pool(address)
  return {
    class = "Application",
    p = { class = "Pool", members = { { servicePort = 80, serverAddresses = { address } } } },
  }
end

local function adc(tenants)
  local body = { class = "ADC", schemaVersion = "3.50.0", id = "ours" }
  for name, value in pairs(tenants) do body[name] = value end
  return body
end

local function tenant(address) return { class = "Tenant", A = pool(address) } end

local function write(tenants, name)
  place:file(name or "app.json", json.encode(adc(tenants), { sort = true }))
end

before_each(function()
  device, bip = lab.start { extensions = { "as3" } }
  place = lab.scratch()
end)
after_each(function() lab.stop(bip, device, place) end)

local function options(more)
  local given = {
    directory = place.path, timeout = 60,
    env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" }),
  }
  for name, value in pairs(more or {}) do given[name] = value end
  return given
end

local function ok(words)
  local result <const> = program.run(words, options())
  assert.equal(0, result.status, result.err .. result.out)
  return result.out, result.err
end

local function fails(status, pattern, words)
  local result <const> = program.run(words, options())
  assert.equal(status, result.status, result.err .. result.out)
  assert.matches(pattern, result.err)
  return result
end

-- The names of the tenants that are declared.
local function declared()
  local names = {}
  for name, value in pairs(bip:declared() or {}) do
    if type(value) == "table" and value.class == "Tenant" then names[#names + 1] = name end
  end
  table.sort(names)
  return table.concat(names, " ")
end

-- The writes below AS3 since the log was cleared.
local function writes()
  local list = {}
  for _, line in ipairs(lab.writes(device)) do
    if line:find(AS3, 1, true) then list[#list + 1] = line end
  end
  return list
end

describe("D1 one-line calls on tenants", function()
  before_each(function()
    write { Blue = tenant "192.0.2.1", Green = tenant "192.0.2.2", Red = tenant "192.0.2.3" }
    ok { "declare", "app.json" }
    device:clear_log()
  end)

  it("read what is declared, and take what was asked for out of the answer", function()
    assert.matches('"Blue":%b{}', (ok { "get", DECLARE .. "/Blue" }))
    assert.equal('{"id":"ours"}\n', (ok { "get", DECLARE, "--select", "id" }))
    assert.matches('^{"id":"[%x-]+"}\n$', (ok { "list", AS3 .. "/task", "--select", "id" }))
    fails(2, "AS3 has no %-%-filter; %-%-where and %-%-select work on its answer",
      { "get", DECLARE, "--filter", "name eq x" })
    assert.is_true(#device:log() > 0)
    for _, call in ipairs(device:log()) do assert.not_matches("%$", call.query or "") end
  end)

  it("delete one, follow the task, and send no look that AS3 does not know", function()
    local out, err = ok { "delete", DECLARE .. "/Blue" }
    assert.equal("", out .. err)
    assert.equal("Green Red", declared())
    assert.same({ "DELETE " .. DECLARE .. "/Blue" }, writes())
    out, err = ok { "delete", DECLARE, "Green" }
    assert.equal("", out .. err)
    assert.equal("Red", declared())
    out, err = ok { "delete", DECLARE, "Green" }
    assert.equal("f5lua: Green: no change\n", out .. err)
  end)

  it("ask before they delete all, or those of a pattern", function()
    fails(2, "Delete 3 objects of /mgmt/shared/appsvcs/declare%? Say %-%-yes",
      { "delete", DECLARE })
    fails(2, "Delete 1 object of", { "delete", DECLARE, "B*" })
    assert.same({}, writes())
    ok { "delete", DECLARE, "B*", "--yes" }
    assert.equal("Green Red", declared())
    ok { "delete", DECLARE, "--yes" }
    assert.equal("", declared())
  end)

  it("have the same in playbooks: no option of a query that nobody gave", function()
    assert.is_true(bip:at(DECLARE .. "/Red"):exists())
    assert.is_false(bip:at(DECLARE .. "/Nope"):exists())
    local first <const> = bip:at(AS3 .. "/task"):list()[1]
    local seen = 0
    for task in bip:at(AS3 .. "/task"):each { top = 1 } do
      assert.equal(first.id, task.id)
      seen = seen + 1
    end
    assert.equal(1, seen)
    assert.is_true(#device:log() >= 4)
    for _, call in ipairs(device:log()) do assert.not_matches("%$", call.query or "") end
    assert.is_true(bip:at("/mgmt/shared/echo"):exists()) -- of the device itself
    assert.equal("$select=name", device:log()[#device:log()].query)
  end)

  it("make sure that one is absent", function()
    assert.matches('"result":"deleted"', (ok { "absent", DECLARE, "Blue" }))
    assert.matches('"result":"unchanged"', (ok { "absent", DECLARE, "Blue" }))
    local ref <const> = bip:at(DECLARE .. "/Red")
    assert.has_error(function() ref:absent() end)
    assert.equal("Green Red", declared())
  end)
end)
