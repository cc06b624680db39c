-- f5lua declare with TS and FAST of the simulated device: what is printed, and the exit status.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local zip = require "devices.zip"

local TEMPLATE <const> = [[
{"class":"ADC","schemaVersion":"3.0.0","{{tenant}}":{"class":"Tenant","{{app}}":{
"class":"Application","pool":{"class":"Pool","members":[
{"servicePort":80,"serverAddresses":{{members::array}}}]}}}}
]]

local device, place

-- Installs the template set "shop".
local function install()
  local bytes = zip { ["web.mst"] = TEMPLATE }
  curl {
    device, "POST", "/mgmt/shared/file-transfer/uploads/shop.zip", body = bytes,
    headers = {
      ["Content-Type"] = "application/octet-stream",
      ["Content-Range"] = ("0-%d/%d"):format(#bytes - 1, #bytes),
    },
  }
  local answer = curl(device, "POST", "/mgmt/shared/fast/templatesets", { name = "shop" })
  assert.equal(200, answer.status, answer.body)
end

setup(function()
  device = sim.start { extensions = { "as3", "fast", "ts" } }
  place = lab.scratch()
  install()
end)
teardown(function() lab.stop(device, place) end)

local function declare(option, body)
  place:file("declaration.json", type(body) == "table" and json.encode(body) or body)
  return program.run({ "declare", "declaration.json", option }, {
    directory = place.path, timeout = 60,
    env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" }),
  })
end

local function app(name, member)
  return {
    name = "shop/web", parameters = { tenant = "Blue", app = name, members = { member } },
  }
end

describe("D3 f5lua declare", function()
  it("sends a declaration of TS, and shows it without secrets", function()
    local result = declare(nil, {
      class = "Telemetry",
      Splunk = {
        class = "Telemetry_Consumer", type = "Splunk", host = "192.0.2.9",
        passphrase = { cipherText = "canary-9c" },
      },
    })
    assert.equal(0, result.status, result.err .. result.out)
    assert.equal("success", json.decode(result.out).message)
    local stored = curl(device, "GET", "/mgmt/shared/telemetry/declare").json.declaration
    assert.equal(8088, stored.Splunk.port)
    local verbose = declare("-vv", { class = "Telemetry", S = stored.Splunk })
    assert.equal(0, verbose.status, verbose.err)
    assert.falsy((verbose.out .. verbose.err):find(stored.Splunk.passphrase.cipherText, 1, true))
  end)

  it("says where TS finds a mistake, and that nothing was changed", function()
    local before = curl(device, "GET", "/mgmt/shared/telemetry/declare").body
    local result = declare(nil, {
      class = "Telemetry", Poller = { class = "Telemetry_System_Poller", interval = "soon" },
    })
    assert.equal(3, result.status, result.err .. result.out)
    assert.matches("TS refused the declaration and changed nothing", result.err)
    assert.matches("/Poller/interval should be integer", result.err)
    assert.equal(before, curl(device, "GET", "/mgmt/shared/telemetry/declare").body)
    local dry = declare("--dry-run", { class = "Telemetry" })
    assert.equal(2, dry.status)
    assert.matches("TS has no dry run; nothing was sent", dry.err)
  end)

  it("deploys applications of FAST", function()
    local function deploys(name, member)
      local result = declare(nil, app(name, member))
      assert.equal(0, result.status, result.err .. result.out)
      local said = json.decode(result.out)
      assert.equal("Blue success 200", ("%s %s %d"):format(said.tenant, said.message, said.code))
    end
    deploys("one", "192.0.2.1")
    device:advance(10) -- until then FAST lets others wait
    deploys("two", "192.0.2.2")
    local there = curl(device, "GET", "/mgmt/tm/ltm/pool/~Blue~two~pool/members").json.items
    assert.equal("192.0.2.2:80", there[1].name)
  end)

  it("says why FAST or AS3 refuses an application", function()
    device:advance(10)
    local unknown = declare(nil, { name = "shop/nothing", parameters = { a = 1 } })
    assert.equal(3, unknown.status, unknown.err .. unknown.out)
    assert.matches('Could not find template "nothing" in template set "shop"', unknown.err)
    local wrong = declare(nil, { name = "shop/web", parameters = { tenant = "Blue", app = "x" } })
    assert.equal(3, wrong.status, wrong.err .. wrong.out)
    assert.matches("should have required property 'members'", wrong.err)
    local refused = declare(nil, app("three", "192.0.2.300"))
    assert.equal(3, refused.status, refused.err .. refused.out)
    assert.matches("FAST: Blue: declaration is invalid", refused.err)
    assert.matches("/Blue/three/pool/members", refused.err)
  end)

  it("finds no task of FAST any more after a restart of the services", function()
    device:advance(10)
    device:control("next_declaration", { seconds = 600 })
    local answer = curl(device, "POST", "/mgmt/shared/fast/applications", app("four", "192.0.2.4"))
    assert.equal(202, answer.status, answer.body)
    local id = answer.json.message[1].id
    device:restart { seconds = 1 }
    device:advance(30)
    local task = curl(device, "GET", "/mgmt/shared/fast/tasks/" .. id)
    assert.equal(404, task.status) -- FAST forgets which tasks of AS3 were its own
  end)
end)
