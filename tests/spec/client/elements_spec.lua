-- ref:absent(), and add and remove: one element of a list, without the rest of it.
local f5 = require "f5"
local lab = require "lab"

local device, bip

local function writes() return lab.writes(device) end

-- Runs it, and expects what it returns and sends; a second time it sends nothing.
local function does(act, what, ...)
  writes()
  assert.equal(what, act())
  assert.same({ ... }, writes())
  assert.equal("unchanged", act())
  assert.same({}, writes())
end

local function fails(kind, act)
  local ok, err = f5.try(act)
  assert.same({ false, kind }, { ok, type(err) == "table" and err.kind or err })
  return err.message
end

local function start()
  device, bip = lab.start { provision = { "ltm", "gtm" } }
end

local function stop()
  lab.stop(bip, device)
end

-- What `add` and `set` refuse. Only the device knows which properties there are: one write asks it.
local function check_refused(verb)
  local pool = bip.ltm.pool["/Common/p"]
  pool:create {}
  writes()
  local function use(members, ...) return members[verb](members, ...) end
  for _, given in ipairs { true, 1.5, { { ratio = 1 } }, { true } } do
    assert.matches(
      "elements_spec.lua:%d+: " .. verb .. ": expected one element or a list of elements",
      fails("usage", function() use(pool.members, given) end)
    )
  end
  fails("usage", function() use(pool.members) end)
  fails("usage", function() use(pool.members, "a", "b") end)
  fails("not_found", function() use(bip.ltm.pool["/Common/nope"].members, "10.0.0.1:80") end)
  assert.matches("unknown property", fails("invalid", function() use(pool.membrs, "x") end))
  assert.same({ "PATCH ltm/pool/~Common~p" }, writes())
end

describe("an element that is given twice", function()
  before_each(start)
  after_each(stop)

  it("is added or removed once", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {}
    local twice <const> = { "/Common/10.0.0.1:80", "10.0.0.1:http", "10.0.0.1%0:80" }
    writes()
    assert.equal("changed", pool.members:add(twice))
    assert.equal(1, #writes())
    assert.equal("changed", pool.members:remove(twice))
    assert.equal(1, #writes())
    assert.equal("unchanged", pool.members:remove(twice))
  end)

  it("is refused if it is wanted in two states, or as a whole list", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {}
    writes()
    for _, act in ipairs {
      function()
        pool.members:add {
          { name = "10.0.0.1:80", ratio = 1 }, { name = "/Common/10.0.0.1:http", ratio = 2 },
        }
      end,
      function() pool.members:set { "10.0.0.1:80", "10.0.0.1:http" } end,
      function() pool:ensure { members = { "10.0.0.1:80", "/Common/10.0.0.1:80" } } end,
    } do
      assert.matches("twice", fails("usage", act))
    end
    assert.same({}, writes())
  end)
end)

describe("absent", function()
  before_each(start)
  after_each(stop)

  it("does not take an unknown path for an object that is gone", function()
    local err <const> = require("lab").fails("not_found", bip.ltm.poool["/Common/p"].absent,
      bip.ltm.poool["/Common/p"])
    assert.matches("did you mean 'pool'", err.message)
  end)

  it("deletes an object that is there, and does nothing else", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { "10.0.0.1:80" } }
    local member = pool.members["/Common/10.0.0.1:80"]
    does(function() return member:absent() end, "deleted",
      "DELETE ltm/pool/~Common~p/members/~Common~10.0.0.1:80")
    does(function() return pool:absent() end, "deleted", "DELETE ltm/pool/~Common~p")
    bip.auth.user.bob:create {}
    does(function() return bip.auth.user["/Common/bob"]:absent() end, "deleted",
      "DELETE auth/user/bob")
    assert.equal("unchanged", pool.members["/Common/10.0.0.1:80"]:absent())
    assert.equal("unchanged", bip.asm.policies.x:absent()) -- no such module
  end)

  it("finds a member whose port is written in another way", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { "10.0.0.1:80", "2001:db8::1.443" } }
    for asked, named in pairs {
      ["/Common/10.0.0.1:http"] = "10.0.0.1:80",
      ["/Common/2001:DB8::1.https"] = "2001:db8::1.443",
    } do
      writes()
      assert.equal("unchanged", (pool.members[asked]:ensure { ratio = 1 }))
      assert.same({}, writes())
      does(function() return (pool.members[asked]:ensure { ratio = 2 }) end, "changed",
        "PATCH ltm/pool/~Common~p/members/~Common~" .. named)
      does(function() return pool.members[asked]:absent() end, "deleted",
        "DELETE ltm/pool/~Common~p/members/~Common~" .. named)
    end
  end)

  it("does not take any other failure for absence", function()
    bip.ltm.pool["/Common/p"]:create {}
    bip.ltm.virtual["/Common/v"]:create { destination = "10.0.0.9:80", pool = "/Common/p" }
    assert.matches("in use", fails("invalid", function() bip.ltm.pool["/Common/p"]:absent() end))
    device:fault { match = { path = "pool" }, status = 403, body = { code = 403, message = "no" } }
    fails("forbidden", function() bip.ltm.pool["/Common/p"]:absent() end)
    device:clear_faults()
    -- deleted by somebody else between the look and the call
    device:fault {
      match = { method = "DELETE" }, status = 404, times = 1,
      body = { code = 404, message = "01020036:3: The requested Pool (/Common/p) was not found." },
    }
    assert.equal("unchanged", bip.ltm.pool["/Common/p"]:absent())
  end)

  it("is not for a collection", function()
    bip.ltm.pool["/Common/p"]:create {}
    writes()
    assert.matches(
      "elements_spec.lua:%d+: absent works on one object, but /mgmt/tm/ltm/pool is a collection",
      fails("usage", function() bip.ltm.pool:absent() end)
    )
    fails("usage", function() bip.ltm.pool["/Common/p"]:absent "x" end)
    assert.same({}, writes())
  end)

  it("queues a deletion in a transaction only if there is something to delete", function()
    bip.ltm.pool["/Common/p"]:create {}
    bip:transaction(function(tx)
      assert.equal("deleted", tx(bip.ltm.pool["/Common/p"]):absent())
      assert.equal("unchanged", tx(bip.ltm.pool["/Common/nope"]):absent())
      assert.equal(1, #tx:commands())
    end)
    assert.is_false(bip.ltm.pool["/Common/p"]:exists())
  end)
end)

describe("add and remove", function()
  before_each(start)
  after_each(stop)

  it("act on one element of a sub-collection", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { { name = "10.0.0.1:80", description = "mine" } } }
    local at = "ltm/pool/~Common~p/members"
    does(function() return pool.members:add "10.0.0.2:http" end, "changed", "POST " .. at)
    does(function() return pool.members:add { name = "10.0.0.1:80", ratio = 3 } end, "changed",
      "PATCH " .. at .. "/~Common~10.0.0.1:80")
    does(function() return pool.members:add { "10.0.0.1:80", "10.0.0.3:80", "10.0.0.4:80" } end,
      "changed", "POST " .. at, "POST " .. at)
    assert.equal("mine", pool.members["/Common/10.0.0.1:80"]:load().description)
    does(function() return pool.members:remove { "10.0.0.3:80", "10.0.0.9:80" } end, "changed",
      "DELETE " .. at .. "/~Common~10.0.0.3:80")
    does(function() return pool.members:remove "/Common/10.0.0.4:http" end, "changed",
      "DELETE " .. at .. "/~Common~10.0.0.4:80")
    assert.equal(2, #pool.members:list())
    assert.equal("unchanged", pool.members:add {})
    assert.equal("unchanged", pool.members:remove {})
  end)

  it("act on one profile, and one rule of a policy", function()
    local virtual = bip.ltm.virtual["/Common/v"]
    virtual:create { destination = "10.0.0.9:80", ipProtocol = "tcp", profiles = { "tcp" } }
    does(function() return virtual.profiles:add "http" end, "changed",
      "POST ltm/virtual/~Common~v/profiles")
    does(function() return virtual.profiles:remove "/Common/http" end, "changed",
      "DELETE ltm/virtual/~Common~v/profiles/~Common~http")
    local policy = bip.ltm.policy["/Common/Drafts/pol"]
    policy:create { strategy = "/Common/first-match" }
    does(function() return policy.rules:add { name = "one", ordinal = 1 } end, "changed",
      "POST ltm/policy/~Common~Drafts~pol/rules")
  end)

  it("act on one iRule, which goes to the end, and keep the order of the others", function()
    for _, name in ipairs { "a", "b", "c" } do
      bip.ltm.rule["/Common/" .. name]:create { apiAnonymous = "when CLIENT_ACCEPTED { }" }
    end
    local virtual = bip.ltm.virtual["/Common/v"]
    virtual:create { destination = "10.0.0.9:80" }
    local patch = "PATCH ltm/virtual/~Common~v"
    does(function() return virtual.rules:add "/Common/c" end, "changed", patch)
    does(function() return virtual.rules:add { "a", "b" } end, "changed", patch)
    assert.same({ "/Common/c", "/Common/a", "/Common/b" }, virtual:load().rules)
    does(function() return virtual.rules:remove "a" end, "changed", patch)
    assert.same({ "/Common/c", "/Common/b" }, virtual:load().rules)
    does(function() return virtual.rules:remove { "b", "c" } end, "changed", patch)
    assert.is_nil(virtual:load().rules)
  end)

  it("act on one record of a data group", function()
    local group = bip.ltm["data-group"].internal["/Common/d"]
    group:create { type = "string" }
    local patch = "PATCH ltm/data-group/internal/~Common~d"
    does(function() return group.records:add { name = "a", data = "1" } end, "changed", patch)
    does(function() return group.records:add { { name = "b", data = "2" }, "c" } end, "changed",
      patch)
    does(function() return group.records:add { name = "a", data = "9" } end, "changed", patch)
    assert.equal("unchanged", group.records:add "b")
    does(function() return group.records:remove "c" end, "changed", patch)
    local data = {}
    for _, record in ipairs(group:load().records) do data[record.name] = record.data end
    assert.same({ a = "9", b = "2" }, data)
  end)

  it("find an object of a list by its short name, in the partition of the list", function()
    bip.auth.partition.T:create {}
    for _, name in ipairs { "/T/p", "/T/q", "/Common/p" } do bip.gtm.pool.a[name]:create {} end
    local wideip <const> = bip.gtm.wideip.a["/T/w.example.net"]
    local pools <const> = wideip.pools
    wideip:create { pools = { { name = "p", partition = "T" } } }
    local write <const> = "PATCH gtm/wideip/a/~T~w.example.net"
    writes()
    for _, name in ipairs { "p", "/T/p" } do assert.equal("unchanged", pools:add(name)) end
    assert.same({}, writes())
    does(function() return pools:add { name = "q", ratio = 3 } end, "changed", write)
    does(function() return pools:add { name = "q", ratio = 4 } end, "changed", write)
    does(function() return pools:add "/Common/p" end, "changed", write)
    local function there()
      local list = {}
      for i, pool in ipairs(wideip:load().pools) do
        list[i] = ("/%s/%s %s"):format(pool.partition, pool.name, pool.ratio or "-")
      end
      return list
    end
    assert.same({ "/T/p -", "/T/q 4", "/Common/p -" }, there())
    does(function() return pools:remove "/Common/p" end, "changed", write)
    does(function() return pools:remove { name = "q" } end, "changed", write)
    assert.same({ "/T/p -" }, there())
    does(function() return pools:remove "p" end, "changed", write)
    assert.is_nil(wideip:load().pools)
  end)

  it("take a name that is a number, and keep the other elements", function()
    local group = bip.ltm["data-group"].internal["/Common/numbers"]
    group:create { type = "integer", records = { { name = "1", data = "one" } } }
    does(function() return group.records:add { { name = 2, data = "two" } } end, "changed",
      "PATCH ltm/data-group/internal/~Common~numbers")
    does(function() return group:ensure { records = { { name = 2 }, { name = 1 }, 3 } } end,
      "changed", "PATCH ltm/data-group/internal/~Common~numbers")
    local data = {}
    for _, record in ipairs(group:load().records) do data[record.name] = record.data or "" end
    assert.same({ ["1"] = "one", ["2"] = "two", ["3"] = "" }, data)
  end)

  it("do not take a misspelt list for an empty one", function()
    bip.ltm.pool["/Common/p"]:create {}
    writes()
    for path, words in pairs {
      ["sys/ntp/serverz"] = "remove: /mgmt/tm/sys/ntp has no property 'serverz'; "
        .. "did you mean 'servers'%?",
      ["ltm/pool/~Common~p/metadatum"] = "did you mean 'metadata'%?",
    } do
      assert.matches(words, fails("usage", function() bip:at(path):remove "x" end))
    end
    assert.equal("unchanged", bip.sys.dns["name-servers"]:remove "10.0.0.1")
    assert.equal("unchanged", bip.ltm.pool["/Common/p"].metadata:remove "x")
    assert.same({}, writes())
  end)

  it("act on lists of texts, addresses and options", function()
    does(function() return bip.sys.ntp.servers:add "10.0.0.1" end, "changed", "PATCH sys/ntp")
    does(function() return bip.sys.ntp.servers:add { "10.0.0.1", "10.0.0.2" } end, "changed",
      "PATCH sys/ntp")
    assert.same({ "10.0.0.1", "10.0.0.2" }, bip.sys.ntp:load().servers)
    does(function() return bip.sys.ntp.servers:remove "10.0.0.1" end, "changed", "PATCH sys/ntp")
    local profile = bip.ltm.profile["client-ssl"]["/Common/c"]
    profile:create { tmOptions = { "no-tlsv1" } }
    does(function() return profile.tmOptions:add "no-tlsv1.1" end, "changed",
      "PATCH ltm/profile/client-ssl/~Common~c")
    assert.matches("no%-tlsv1 no%-tlsv1.1", profile:load().tmOptions)
  end)

  it("queue commands in a transaction", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { "10.0.0.1:80" } }
    bip:transaction(function(tx)
      assert.equal("changed", tx(pool.members):add { "10.0.0.2:80", "10.0.0.3:80" })
      assert.equal("changed", tx(pool.members):remove "10.0.0.1:80")
      assert.equal("unchanged", tx(pool.members):remove "10.0.0.2:80") -- not there yet
      assert.equal(3, #tx:commands())
    end)
    assert.equal(2, #pool.members:list())
  end)

  it("say what they take", function()
    check_refused "add"
    fails("usage", function() bip.ltm.pool["/Common/p"].members:remove() end)
    fails("usage", function() bip.ltm:add "x" end)
  end)
end)

describe("set", function()
  before_each(start)
  after_each(stop)

  it("gives a sub-collection these elements and no others", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { { name = "10.0.0.1:80", description = "mine" }, "10.0.0.2:80" } }
    local at = "ltm/pool/~Common~p/members"
    does(function() return pool.members:set { "10.0.0.1:http", "10.0.0.3:80" } end, "changed",
      "POST " .. at, "DELETE " .. at .. "/~Common~10.0.0.2:80")
    assert.equal("mine", pool.members["/Common/10.0.0.1:80"]:load().description)
    does(function() return pool.members:set { "10.0.0.3:80", "10.0.0.1:80" } end, "unchanged")
    does(function() return pool.members:set {} end, "changed", "PATCH ltm/pool/~Common~p")
    does(function() return pool.members:set {} end, "unchanged")
    does(function() return pool.members:set "10.0.0.9:80" end, "changed",
      "PATCH ltm/pool/~Common~p")
    assert.equal(1, #pool.members:list())
  end)

  it("gives a property these elements and no others, in their order", function()
    local patch = "PATCH sys/ntp"
    does(function() return bip.sys.ntp.servers:set { "10.0.0.1", "10.0.0.2" } end, "changed", patch)
    does(function() return bip.sys.ntp.servers:set { "10.0.0.2", "10.0.0.1" } end, "changed", patch)
    assert.same({ "10.0.0.2", "10.0.0.1" }, bip.sys.ntp:load().servers)
    does(function() return bip.sys.ntp.servers:set { "10.0.0.2", "10.0.0.1" } end, "unchanged")
    does(function() return bip.sys.ntp.servers:set "10.0.0.1" end, "changed", patch)
    does(function() return bip.sys.ntp.servers:set {} end, "changed", patch)
    local group = bip.ltm["data-group"].internal["/Common/d"]
    group:create { type = "string", records = { { name = "a", data = "1" } } }
    writes()
    does(function() return group.records:set { "a", { name = "b", data = "2" } } end, "changed",
      "PATCH ltm/data-group/internal/~Common~d")
    does(function() return group.records:set { { name = "b", data = "2" }, "a" } end, "unchanged")
    assert.equal("1", group:load().records[1].data)
  end)

  it("says what it takes", function() check_refused "set" end)
end)
