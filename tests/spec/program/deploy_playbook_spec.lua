-- scripts/playbooks/deploy-as3.lua on a simulated device with AS3.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local PLAYBOOK <const> = "scripts/playbooks/deploy-as3.lua"

local device, place, bip

before_each(function()
  device, bip = lab.start { extensions = { "as3" } }
  place = lab.scratch()
end)
after_each(function() lab.stop(bip, device, place) end)

local function run(words, more)
  local all = { PLAYBOOK, place.path .. "/app.json" }
  if more and more.check then all = { "run", "--check", table.unpack(all) } end
  for _, word in ipairs(words) do all[#all + 1] = word end
  return program.run(all, { env = lab.environment(device), input = more and more.input })
end

local function app(address)
  place:file("app.json", json.encode {
    class = "ADC", schemaVersion = "3.50.0", id = "ours",
    Blue = {
      class = "Tenant",
      A = {
        class = "Application",
        p = { class = "Pool", members = { { servicePort = 80, serverAddresses = { address } } } },
      },
    },
  })
end

local function has() return bip.ltm.pool["/Blue/A/p"]:exists() end

describe("D1 deploy-as3.lua", function()
  it("shows, applies and verifies; the second time there is nothing to do", function()
    app "192.0.2.1"
    local result = run { "--yes" }
    assert.equal(0, result.status, result.err)
    assert.matches("^Blue: success\n.*  %+ /Blue/A/p %(ltm pool%)\n.*Blue: success\n"
      .. "verified: the device is as declared\n$", result.out)
    assert.is_true(has())
    result = run {}
    assert.equal(0, result.status, result.err)
    assert.equal("Blue: no change\nnothing to change\n", result.out)
  end)

  it("changes nothing in a dry run, in a check, and after a no", function()
    app "192.0.2.1"
    local result = run { "--dry-run" }
    assert.equal(0, result.status, result.err)
    assert.matches("dry run: nothing was changed\n$", result.out)
    result = run({ "--yes" }, { check = true })
    assert.equal(0, result.status, result.err)
    assert.matches("this was a check: nothing was changed\n", result.out)
    assert.matches("deploy%-as3%.lua:%d+  POST /mgmt/shared/appsvcs/declare: accepted by AS3's dry "
      .. "run, not by the device", result.out)
    result = run({}, { input = "n\n" })
    assert.equal(1, result.status)
    assert.matches("nothing was changed", result.err)
    assert.is_nil(bip:declared())
    assert.is_false(has())
    result = run({}, { input = "y\n" })
    assert.equal(0, result.status, result.err)
    assert.is_true(has())
  end)

  it("keeps what was declared before, which can be declared again", function()
    app "192.0.2.1"
    assert.equal(0, run({ "--yes" }).status)
    app "192.0.2.2"
    local backup <const> = place.path .. "/before.json"
    local result <const> = run { "--yes", "--backup", backup }
    assert.equal(0, result.status, result.err)
    local file <close> = assert(io.open(backup))
    bip:declare(file:read "a")
    assert.equal("192.0.2.1:80", bip.ltm.pool["/Blue/A/p"].members:list()[1].name)
  end)

  it("names the mistakes of a file and of a declaration", function()
    place:file("app.json", "{")
    assert.matches("app%.json is not JSON", run({}).err)
    place:file("app.json", '{"class":"Device"}')
    assert.matches("it has no class ADC", run({}).err)
    place:file("app.json", '{"class":"ADC","schemaVersion":"3.50.0"}')
    assert.matches("has no tenant", run({}).err)
    place:file("app.json", json.encode {
      class = "ADC", schemaVersion = "3.50.0",
      Blue = { class = "Tenant", A = { class = "Application", x = { class = "Nonsense" } } },
    })
    local result <const> = run { "--yes" }
    assert.equal(3, result.status)
    assert.matches("AS3 refused the declaration and changed nothing", result.err)
  end)
end)
