-- Declarations of AS3 and safe change: check mode, plans, change records and undo, on the simulated
-- device with AS3.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local device, place, bip

local function pool(name, address)
  return {
    class = "Application",
    [name] = { class = "Pool", members = { { servicePort = 80, serverAddresses = { address } } } },
  }
end

local function adc(tenants)
  local body = { class = "ADC", schemaVersion = "3.50.0", id = "ours" }
  for name, value in pairs(tenants) do body[name] = value end
  return body
end

local BLUE <const> = { class = "Tenant", A = pool("p", "192.0.2.1") }
local OTHER <const> = { class = "Tenant", A = pool("p", "192.0.2.2") }
local RED <const> = { class = "Tenant", A = pool("q", "192.0.2.3") }

before_each(function()
  device, bip = lab.start { extensions = { "as3" } }
  place = lab.scratch()
end)
after_each(function() lab.stop(bip, device, place) end)

local function f5lua(words)
  return program.run(words, {
    directory = place.path, timeout = 60,
    env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" }),
  })
end

local function ok(words)
  local result <const> = f5lua(words)
  assert.equal(0, result.status, result.err .. result.out)
  return result.out, result.err
end

local function has(path) return bip:at(path):exists() end

local function members(pool_name)
  local names = {}
  for i, one in ipairs(bip.ltm.pool[pool_name].members:list()) do names[i] = one.name end
  return names
end

describe("D1 declarations on the simulated device", function()
  it("have an effect, change nothing the second time, and are removed", function()
    local found = bip:declare(adc { Blue = BLUE, Red = RED })
    assert.equal("Blue: success\nRed: success", tostring(found))
    assert.same({ "192.0.2.1:80" }, members "/Blue/A/p")
    assert.equal("Blue: no change\nRed: no change", tostring(bip:declare(adc {
      Blue = BLUE, Red = RED,
    })))
    assert.equal("Tenant", bip:declared("Blue").Blue.class)
    assert.equal("Blue: success", tostring(bip:undeclare "Blue"))
    assert.is_false(has "/mgmt/tm/ltm/pool/~Blue~A~p")
    assert.is_true(has "/mgmt/tm/ltm/pool/~Red~A~q")
    assert.is_nil(bip:declared "Blue")
  end)

  it("that are checked are dry runs of the device, and nothing is written", function()
    place:file("app.json", json.encode(adc { Blue = BLUE }))
    local out <const> = ok { "declare", "app.json", "--check" }
    assert.matches("nothing was written", out)
    assert.matches("accepted by AS3's dry run, not by the device: Blue: success", out)
    assert.matches("%+ /Blue/A/p %(ltm pool%)", out)
    assert.is_false(has "/mgmt/tm/ltm/pool/~Blue~A~p")
    assert.is_nil(bip:declared())
    place:file("remove.lua", 'require("f5").connect():undeclare "Blue"')
    local result <const> = f5lua { "run", "--check", "remove.lua" }
    assert.equal(1, result.status)
    assert.matches("not simulated: AS3 has no dry run of a removal", result.err)
  end)

  it("are one step of a plan, which apply sends and waits for", function()
    place:file("play.lua", ([[
      local f5 = require "f5"
      local bip <close> = f5.connect()
      print(bip:declare(%q))
    ]]):format(json.encode(adc { Blue = BLUE })))
    ok { "plan", "-o", "change.plan", "play.lua" }
    assert.is_false(has "/mgmt/tm/ltm/pool/~Blue~A~p")
    ok { "apply", "change.plan" }
    assert.is_true(has "/mgmt/tm/ltm/pool/~Blue~A~p")
  end)

  it("are taken back tenant by tenant", function()
    bip:declare(adc { Blue = BLUE })
    local id <const> = bip:undoable(function()
      bip:declare(adc { Blue = OTHER, Red = RED })
    end)
    assert.same({ "192.0.2.2:80" }, members "/Blue/A/p")
    local result <const> = f5.undo(id, { session = bip })
    assert.is_true(result.complete, json.encode(result.left))
    assert.matches("declare again .*tenants Blue, Red", result.done[1])
    assert.same({ "192.0.2.1:80" }, members "/Blue/A/p")
    assert.is_false(has "/mgmt/tm/ltm/pool/~Red~A~q")
    assert.is_nil(bip:declared "Red")
    local again <const> = f5.undo(result.record, { session = bip }) -- an undo may be undone
    assert.is_true(again.complete, json.encode(again.left))
    assert.same({ "192.0.2.2:80" }, members "/Blue/A/p")
    assert.is_true(has "/mgmt/tm/ltm/pool/~Red~A~q")
  end)

  it("that were removed come back; what somebody else declared since is left", function()
    bip:declare(adc { Blue = BLUE, Red = RED })
    local id <const> = bip:undoable(function() bip:undeclare("Blue", "Red") end)
    bip:declare(adc { Red = { class = "Tenant", B = pool("z", "192.0.2.9") } })
    local result = f5.undo(id, { session = bip })
    assert.is_false(result.complete)
    assert.matches("somebody else has changed the tenant Red since", result.left[1])
    assert.same({ "192.0.2.1:80" }, members "/Blue/A/p")
    assert.is_true(has "/mgmt/tm/ltm/pool/~Red~B~z")
    result = f5.undo(id, { session = bip, force = true })
    assert.is_true(result.complete, json.encode(result.left))
    assert.is_true(has "/mgmt/tm/ltm/pool/~Red~A~q")
    assert.is_false(has "/mgmt/tm/ltm/pool/~Red~B~z")
  end)

  it("are taken back by a guard, and by f5lua undo", function()
    local fine = pcall(bip.guard, bip, function()
      bip:declare(adc { Blue = BLUE })
      error "something else failed"
    end)
    assert.is_false(fine)
    assert.is_false(has "/mgmt/tm/ltm/pool/~Blue~A~p")
    place:file("app.json", json.encode(adc { Blue = BLUE }))
    ok { "declare", "app.json", "--undoable" }
    assert.is_true(has "/mgmt/tm/ltm/pool/~Blue~A~p")
    local out <const> = ok { "undo", "last" }
    assert.matches("tenant Blue", out)
    assert.is_false(has "/mgmt/tm/ltm/pool/~Blue~A~p")
  end)

  it("stop a plan where a tenant fails, and what was done is taken back", function()
    local faulty = pool("p", "192.0.2.4")
    faulty.p.monitors = { { bigip = "/Common/nope" } }
    place:file("app.json", json.encode(adc {
      Blue = BLUE, Green = { class = "Tenant", A = faulty },
    }))
    place:file("play.lua", [[
      local f5 = require "f5"
      local bip <close> = f5.connect()
      bip.ltm.pool:create { name = "first" }
      bip:declare(f5.asset "app.json")
      bip.ltm.pool:create { name = "last" }
    ]])
    ok { "plan", "-o", "change.plan", "play.lua" }
    local result <const> = f5lua { "apply", "change.plan" }
    assert.equal(3, result.status, result.err)
    local said <const> = result.out .. result.err
    assert.matches("1 of 3 steps were sent and carried out", said)
    assert.matches("\n  | Green: declaration failed %(422%): 01020036:3: ", said)
    assert.is_true(has "/mgmt/tm/ltm/pool/~Common~first")
    assert.is_true(has "/mgmt/tm/ltm/pool/~Blue~A~p")
    assert.is_false(has "/mgmt/tm/ltm/pool/~Common~last")
    ok { "undo", "last" }
    assert.is_false(has "/mgmt/tm/ltm/pool/~Common~first")
    assert.is_nil(bip:declared())
    assert.matches("the device answered with nothing",
      select(2, ok { "get", "/mgmt/shared/appsvcs/declare" }))
  end)

  it("of a run that was killed are taken back only when AS3 has ended", function()
    place:file("app.json", json.encode(adc { Blue = BLUE }))
    device:control("next_declaration", { seconds = 3600 })
    local process <close> = program.start({ "declare", place.path .. "/app.json", "--undoable" }, {
      env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" }),
    })
    lab.arrived(device, "GET", "/appsvcs/task/%x+")
    process:kill "KILL"
    process:wait()
    assert.matches("broken off", (ok { "changes" }))
    local result <const> = f5lua { "undo", "last" }
    assert.equal(1, result.status, result.err)
    assert.matches("AS3 still works on a declaration: what it changes is not known; undo again",
      result.out .. result.err)
    device:advance(3600)
    assert.is_true(has "/mgmt/tm/ltm/pool/~Blue~A~p")
    ok { "undo", "last" }
    assert.is_nil(bip:declared())
    assert.is_false(has "/mgmt/tm/ltm/pool/~Blue~A~p")
  end)

  it("of single applications leave the others of the tenant, also when they are undone", function()
    bip:declare(adc { Blue = BLUE })
    place:file("apps.json", json.encode { schemaVersion = "3.50.0", B = pool("q", "192.0.2.7") })
    local result <const> = f5lua { "declare", "apps.json" }
    assert.equal(2, result.status)
    assert.matches("these are applications and no tenant: name it with %-%-tenant NAME", result.err)
    ok { "declare", "apps.json", "--tenant", "Blue", "--undoable" }
    assert.same({ "192.0.2.7:80" }, members "/Blue/B/q")
    assert.same({ "192.0.2.1:80" }, members "/Blue/A/p")
    ok { "undo", "last" }
    assert.is_false(has "/mgmt/tm/ltm/pool/~Blue~B~q")
    assert.same({ "192.0.2.1:80" }, members "/Blue/A/p")
  end)

  it("with secrets are in no change record in clear", function()
    local secret <const> = "hunter2-and-more"
    local tenant <const> = { class = "Tenant", A = pool("p", "192.0.2.1") }
    tenant.A.constants = { class = "Constants", passphrase = secret }
    local text <const> = json.encode(adc { Blue = tenant })
    place:file("app.json", text)
    local result <const> = f5lua { "declare", "app.json", "--undoable", "-vv" }
    assert.not_matches(secret, result.out .. result.err)
    local kept <close> = io.popen("cat " .. place.path .. "/state/f5lua/changes/*")
    local record <const> = kept:read "a"
    assert.matches("appsvcs/declare", record)
    assert.not_matches(secret, record)
  end)

  it("of 200 tenants report each of them", function()
    local tenants = {}
    for i = 1, 200 do tenants["T" .. i] = { class = "Tenant", A = pool("p", "192.0.2." .. i) } end
    place:file("many.json", json.encode(adc(tenants)))
    local out <const> = ok { "declare", "many.json", "-o", "text" }
    local count = 0
    for _ in out:gmatch "T%d+: success\n" do count = count + 1 end
    assert.equal(200, count)
    assert.is_true(has "/mgmt/tm/ltm/pool/~T200~A~p")
  end)
end)

describe("D4 an extension of the simulated device", function()
  it("is waited for, and listed", function()
    assert.equal("number", type(bip:wait_ready { extension = "as3", timeout = 60 }))
    assert.equal("as3", bip:extensions()[1].name)
  end)
end)
