-- What comes from outside of a simulated device: found health and connections.
local f5 = require "f5"
local sim = require "f5.sim"

local MEMBER <const> = "/mgmt/tm/ltm/pool/~Common~web/members/~Common~10.0.0.1:80"

describe("The traffic of a simulated device", function()
  local device, bip, web, member
  before_each(function()
    device = sim.start { seed = {
      objects = { ["/mgmt/tm/ltm/pool"] = { { name = "web", monitor = "/Common/http", members = {
        { name = "10.0.0.1:80", address = "10.0.0.1" }, { name = "10.0.0.2:80", address = "10.0.0.2" },
      } } } },
      traffic = { { path = MEMBER, health = "up", connections = 20, ending = 4 } },
    } }
    bip = f5.connect(device:options "admin")
    web = bip.ltm.pool["/Common/web"]
    member = web.members["/Common/10.0.0.1:80"]
  end)
  after_each(function()
    bip:close()
    assert.equal(0, device:problems())
    device:stop()
  end)

  local function connections() return member:stats()["serverside.curConns"], web:stats()["serverside.curConns"] end

  it("stands while the member takes part, and ends when it does not", function()
    device:advance(60)
    assert.same({ 20, 20 }, { connections() })
    for _, out in ipairs { { session = "user-disabled" }, { state = "user-down" } } do
      member:modify(out)
      connections() -- from now on
      device:advance(2)
      local one <const>, all <const> = connections()
      assert.truthy(one <= 12 and one >= 8, one)
      assert.equal(one, all)
      device:advance(60)
      assert.same({ 0, 0 }, { connections() })
      member:modify { session = "user-enabled", state = "user-up" }
      assert.same({ 20, 20 }, { connections() })
    end
  end)

  it("keeps the health that was found while the member changes, until nothing monitors it", function()
    assert.equal("up", member:load().state)
    assert.equal("available", web:stats()["status.availabilityState"])
    assert.equal("up", member:modify({ session = "user-disabled" }).state)
    assert.equal("up", member:modify({ session = "user-enabled", description = "x" }).state)
    device:plant { traffic = { { path = MEMBER, health = "down" } } }
    assert.equal("down", member:load().state)
    assert.equal("offline", member:stats()["status.availabilityState"])
    assert.equal("user-down", member:modify({ state = "user-down" }).state)
    device:plant { traffic = { { path = MEMBER, health = "up" } } }
    assert.equal("user-down", member:load().state)
    assert.equal("checking", member:modify({ state = "user-up" }).state)
  end)

  it("refuses what is not there", function()
    assert.has_error(function() device:plant { traffic = { { path = MEMBER .. "0", health = "up" } } } end)
    assert.has_error(function() device:plant { traffic = { { path = MEMBER, health = "fine" } } } end)
  end)
end)
