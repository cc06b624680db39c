-- States that a device keeps under names: it goes back to them exactly, and says what has changed.
local json = require "f5.json"
local lab = require "lab"

describe("a kept state", function()
  local device, bip
  before_each(function()
    device, bip = lab.start({ provision = { "ltm", "gtm" } }, { auth = "basic" })
    bip.ltm.pool["/Common/web"]:create { monitor = "/Common/http", members = { "10.0.0.1:80" } }
    bip.ltm.virtual["/Common/vs"]:create { destination = "10.9.0.1:80", pool = "web" }
    device:advance(60)
  end)
  after_each(function() lab.stop(bip, device) end)

  -- Without what each request changes.
  local function state()
    local all <const> = device:state()
    all.operations = nil
    return json.encode(all, { sort = true })
  end

  local function change()
    bip.ltm.virtual["/Common/vs"]:modify { pool = "none" }
    bip.ltm.pool["/Common/web"]:delete()
    bip.ltm.pool["/Common/new"]:create { members = { "10.0.0.2:80" } }
    bip.sys.ntp:modify { servers = { "192.0.2.1" } }
    bip.sys.provision.afm:modify { level = "nominal" }
    device:control("write_file", { path = "/shared/x", text = "x" })
    device:control("health", { ["/Common/10.0.0.2:80"] = "down" })
    bip:bash "touch /var/tmp/y"
    device:advance(1000)
  end

  it("is what the device goes back to", function()
    local before <const> = state()
    device:control("keep", "a")
    change()
    local after <const> = state()
    device:control("keep", "b")
    device:control("go_back", "a")
    assert.equal(before, state())
    -- what is derived from the objects is as before, too
    lab.fails("invalid", bip.ltm.pool["/Common/web"].delete, bip.ltm.pool["/Common/web"])
    assert.equal(1, #bip.ltm.pool:list())
    assert.equal("up", bip.ltm.pool["/Common/web"].members:list()[1].state)
    device:control("go_back", "b")
    assert.equal(after, state())
    bip.ltm.pool["/Common/new"]:delete()
    assert.equal(0, #bip.ltm.pool:list())
    device:control("go_back", "a")
    assert.equal(before, state())
  end)

  it("is compared with the objects of the device", function()
    device:control("keep", "a")
    assert.same({}, device:control("changed", "a"))
    bip.ltm.virtual["/Common/vs"]:modify { pool = "none" }
    bip.ltm.pool["/Common/new"]:create {}
    bip.ltm.pool["/Common/web"]:delete()
    local found = {}
    for _, one in ipairs(device:control("changed", "a")) do found[one.path] = one end
    local pool <const> = "/mgmt/tm/ltm/pool/~Common~"
    assert.equal("web", found[pool .. "web"].before.name)
    assert.is_nil(found[pool .. "web"].after)
    assert.equal("new", found[pool .. "new"].after.name)
    assert.is_nil(found[pool .. "new"].before)
    local virtual <const> = found["/mgmt/tm/ltm/virtual/~Common~vs"]
    assert.equal("/Common/web", virtual.before.pool)
    assert.is_nil(virtual.after.pool)
  end)

  it("is forgotten", function()
    device:control("keep", "a")
    device:control("forget", "a")
    for _, name in ipairs { "go_back", "changed", "forget" } do
      local ok <const>, err = pcall(device.control, device, name, "a")
      assert.is_false(ok)
      assert.matches("there is no kept state 'a'", tostring(err))
    end
  end)
end)
