-- Objects are reached by both styles of names, with and without a partition, whatever their kind.
local f5 = require "f5"
local lab = require "lab"

local device, bip

local function writes()
  local list = {}
  for _, call in ipairs(device:log()) do
    if call.method ~= "GET" and call.path:find "^/mgmt/tm/" then
      list[#list + 1] = call.method .. " " .. call.path:gsub("^/mgmt/tm/", "")
    end
  end
  device:clear_log()
  return list
end

describe("The name of an object", function()
  setup(function()
    device, bip = lab.start { provision = { "ltm", "gtm", "afm" } }
    bip.ltm.policy["/Common/Drafts/pol"]:create { strategy = "/Common/first-match" }
    bip.gtm.pool.cname["/Common/gc"]:create {}
    bip.ltm.pool["/Common/members"]:create {}
  end)
  teardown(function() lab.stop(bip, device) end)

  local function works(title, collection, name, properties, change, ...)
    local spellings = { name, ... }
    for _, spelling in ipairs(spellings) do
      it(("reaches %s as %s"):format(title, spelling), function()
        local ref = bip:at(collection, spelling)
        assert.is_false(ref:exists())
        assert.equal("created", (ref:ensure(properties)))
        writes()
        assert.equal("unchanged", (ref:ensure(properties)))
        assert.same({}, writes())
        for _, other in ipairs(spellings) do
          local same = bip:at(collection, other)
          assert.is_true(same:exists())
          local one, two = ref:load(), same:load()
          assert.same({ one.name, one.generation }, { two.name, two.generation })
        end
        local ok, err = f5.try(ref.create, ref, properties)
        assert.same({ false, "conflict" }, { ok, err.kind })
        assert.equal("changed", (ref:ensure(change)))
        ref:delete()
        assert.is_false(ref:exists())
        ref:create(properties)
        ref:modify(change)
        ref:delete()
        assert.is_false(ref:exists())
      end)
    end
  end

  works("a user", "auth/user", "bob", { description = "Bob" }, { description = "B." },
    "/Common/bob", "/bob")
  works("a partition", "auth/partition", "east", { description = "E" }, { description = "e" },
    "/east", "/Common/east")
  works("a trunk", "net/trunk", "trunk1", { lacp = "enabled" }, { lacp = "disabled" },
    "/Common/trunk1")
  works("a rule of a policy", "ltm/policy/~Common~Drafts~pol/rules", "r1", { ordinal = 3 },
    { ordinal = 4 }, "/Common/r1")
  works("a member that is a name", "gtm/pool/cname/~Common~gc/members", "www.example.net",
    { ratio = 2 }, { ratio = 3 }, "/Common/www.example.net")
  works("a node", "ltm/node", "n1", { address = "10.0.0.1" }, { description = "x" },
    "/Common/n1")
  works("a pool", "ltm/pool", "p1", { monitor = "/Common/http" }, { description = "x" },
    "/Common/p1")
  works("a member", "ltm/pool/~Common~members/members", "10.0.7.1:80", { ratio = 2 },
    { ratio = 3 }, "/Common/10.0.7.1:80")
  works("a data group", "ltm/data-group/internal", "d1", { type = "string" },
    { description = "x" }, "/Common/d1")
  works("a monitor", "ltm/monitor/http", "m1", { interval = 7 }, { interval = 8 }, "/Common/m1")
  works("a wide IP", "gtm/wideip/a", "www.example.com", { description = "x" },
    { description = "y" }, "/Common/www.example.com")
  works("a community of SNMP", "sys/snmp/communities", "/Common/com1",
    { communityName = "one" }, { communityName = "two" })
  works("a folder", "sys/folder", "/Common/folder1", { description = "x" }, { description = "y" })

  it("may be written as a field", function()
    assert.equal("bob", bip.auth.user.bob:create { description = "Bob" }.name)
    assert.is_true(bip.auth.user["/Common/bob"]:exists())
    bip.auth.user.bob:delete()
    assert.equal("created", (bip.auth.partition["/T"]:ensure {}))
    assert.equal("unchanged", (bip.auth.partition["/T"]:ensure {}))
    assert.is_true(bip.auth.partition.T:exists())
    assert.is_true(bip.sys.folder["/T"]:exists())
    bip.auth.partition.T:delete()
  end)

  it("is asked for only when the path does not tell", function()
    device:clear_log()
    bip.ltm.pool:create { name = "one" }
    bip.ltm.pool["/Common/two"]:create {}
    bip.net.trunk.three:create {}
    local count = 0
    for _, call in ipairs(device:log()) do count = count + 1; assert.equal("POST", call.method) end
    assert.equal(3, count)
    writes()
    bip.ltm.pool.four:create { description = "d" }
    assert.same({ "POST ltm/pool" }, writes())
    for _, name in ipairs { "one", "two", "four" } do bip.ltm.pool["/Common/" .. name]:delete() end
    bip.net.trunk.three:delete()
  end)

  it("is a part of a transaction, too", function()
    bip:transaction(function(tx)
      tx(bip.ltm.node.n9):create { address = "10.0.0.9" }
      tx(bip.ltm.policy["/Common/Drafts/pol"].rules.r9):create { ordinal = 9 }
      assert.equal("created", (tx(bip.ltm.pool.p9):ensure { members = { "n9:80" } }))
    end)
    assert.is_true(bip.ltm.pool.p9.members["/Common/n9:80"]:exists())
    assert.is_true(bip.ltm.policy["/Common/Drafts/pol"].rules["/Common/r9"]:exists())
  end)

  it("may have slashes of its own", function()
    assert.equal(
      "/mgmt/tm/sys/management-ip/192.0.2.1~24",
      tostring(bip.sys["management-ip"]["192.0.2.1/24"])
    )
    for _, path in ipairs { "/mgmt/tm/sys/management-ip", "https://x/mgmt/tm/sys/management-ip" } do
      assert.equal(
        "/mgmt/tm/sys/management-ip/192.0.2.1~24",
        tostring(bip:at(path, "192.0.2.1/24"))
      )
    end
    assert.equal("/mgmt/tm/auth/user/bob", tostring(bip:at("/mgmt/tm/auth/user", "/Common/bob")))
    assert.equal(
      "/mgmt/tm/auth/user/~Common~bob", tostring(bip:at "/mgmt/tm/auth/user/~Common~bob")
    )
    assert.equal(
      "/mgmt/tm/sys/management-ip/192.0.2.1~24/stats",
      tostring(bip:at("sys/management-ip", "192.0.2.1/24", "stats"))
    )
  end)

  it("with a tilde has no path, so it is refused", function()
    for _, act in ipairs {
      function() return bip.ltm.pool["/Common/a~b"] end,
      function() return bip:at("ltm/pool", "/Common/a~b") end,
      function() return bip.ltm.pool["a~b"]:create { monitor = "/Common/http" } end,
    } do
      local ok, err = pcall(act)
      assert.same({ false, "usage" }, { ok, err.kind })
      assert.matches("no path for a name with '~'", err.message)
    end
    assert.equal("/mgmt/tm/ltm/pool/~Common~web", tostring(bip.ltm.pool["~Common~web"]))
  end)

  it("may begin with a slash itself", function()
    bip.gtm.datacenter["/Common/dc"]:create {}
    local server = bip.gtm.server["/Common/srv"]
    server:create { datacenter = "/Common/dc", devices = { { name = "box", addresses = {
      { name = "10.0.7.1" } } } } }
    local full, short = server["virtual-servers"]["/Common/vs"], server["virtual-servers"].vs
    assert.equal("/Common/vs", full:create({ destination = "10.0.7.2:80" }).name)
    assert.is_false(short:exists())
    assert.equal("vs", short:create({ destination = "10.0.7.3:80" }).name)
    assert.equal("10.0.7.2:80", full:load().destination:match "[^/]+$")
    assert.equal("unchanged", (full:ensure { destination = "10.0.7.2:80" }))
    full:delete()
    assert.is_true(short:exists())
  end)

  it("is missed in words for its kind", function()
    local ok, err = f5.try(function() bip.ltm.pool:create { monitor = "/Common/http" } end)
    assert.is_false(ok)
    assert.not_equal("not_found", err.kind)
    ok, err = f5.try(function() return bip.auth.user:ensure { name = "bob" } end)
    assert.same({ false, "usage" }, { ok, err.kind })
    assert.matches('collection%["NAME"%]:ensure { … }$', err.message)
    ok, err = f5.try(function() return bip.ltm.pool:ensure { name = "bob" } end)
    assert.is_false(ok)
    assert.matches('collection%["/Common/NAME"%]:ensure { … }$', err.message)
  end)
end)
