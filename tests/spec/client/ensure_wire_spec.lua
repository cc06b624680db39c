-- What ensure sends: nothing when nothing differs, however it is spelled, and of lists of objects
-- only what differs. Writes are counted in the device's log.
local f5 = require "f5"
local lab = require "lab"

local device, bip

local function writes() return lab.writes(device) end

local function ensure(ref, properties)
  writes()
  local what = ref:ensure(properties)
  local sent = writes()
  assert.equal(what == "unchanged", #sent == 0, what .. ": " .. table.concat(sent, ", "))
  return what, sent
end

local function list(items) return f5.array(items) end

local function start()
  device, bip = lab.start { provision = { "ltm", "gtm", "afm" } }
end

local function stop()
  lab.stop(bip, device)
end

describe("ensure with an empty value for a property that the object does not show", function()
  setup(start)
  teardown(stop)

  it("asks the device about one that its example does not have", function()
    local pool <const> = bip.ltm.pool["/Common/empty"]
    pool:create { members = list { "10.0.8.1:80" } }
    for _, value in ipairs { {}, "", "none", false, f5.null } do
      assert.matches('"serverz" unknown property',
        lab.fails("invalid", pool.ensure, pool, { serverz = value }).message)
      assert.equal("unchanged", (ensure(pool, { description = value })))
    end
    local err <const> = lab.fails("invalid", pool.ensure, pool, { descriptoin = "" })
    assert.matches("did you mean 'description'?", err.message, 1, true)
    assert.matches('"foo" unknown property', lab.fails("invalid", pool.ensure, pool, {
      members = { { name = "10.0.8.1:80", foo = {} } },
    }).message)
    assert.matches('"foo" unknown property', lab.fails("invalid", pool.members.add,
      pool.members, { { name = "10.0.8.1:80", foo = {} } }).message)
    local ntp <const> = bip.sys.ntp
    assert.matches('"serverz"', lab.fails("invalid", ntp.ensure, ntp, { serverz = {} }).message)
  end)

  it("reads the example once for a kind", function()
    for n = 1, 5 do bip.ltm.node["/Common/e" .. n]:create { address = "10.0.9." .. n } end
    device:clear_log()
    for n = 1, 5 do
      assert.equal("unchanged", (bip.ltm.node["/Common/e" .. n]:ensure { description = "" }))
    end
    local examples = 0
    for _, call in ipairs(device:log()) do
      if call.path:find "/example" then examples = examples + 1 end
    end
    assert.equal(1, examples)
  end)
end)

describe("ensure sends nothing a second time", function()
  setup(function()
    start()
    bip.gtm.datacenter["/Common/dc"]:create {}
  end)
  teardown(stop)

  -- What is made first: path, name, properties; then other words for the same.
  local function same(title, path, name, properties, ...)
    local spellings = { properties, ... }
    it("for " .. title, function()
      local ref = name and bip:at(path, name) or bip:at(path)
      ref:ensure(properties)
      for i, words in ipairs(spellings) do
        local what, sent = ensure(ref, words)
        assert.equal("unchanged", what, ("spelling %d: %s"):format(i, table.concat(sent, ", ")))
      end
      assert.equal("unchanged", (ensure(ref, ref:load())))
      assert.equal("unchanged", (ensure(ref, ref:load { expand = true })))
    end)
  end

  same("members as texts and tables, with numbers and services, in any order", "ltm/pool",
    "/Common/p1", { members = list { "10.0.0.1:80", "10.0.0.2:443", "10.0.0.3:0" } },
    { members = list { "10.0.0.2:https", "10.0.0.1:http", "10.0.0.3:any" } },
    { members = { "/Common/10.0.0.1:80", "/Common/10.0.0.2:https", "10.0.0.3:*" } },
    { members = { { name = "10.0.0.1:80" }, { name = "10.0.0.2", port = 443 },
      { fullPath = "/Common/10.0.0.3:0" } } },
    { members = { { name = "10.0.0.1:80", partition = "Common", address = "10.0.0.1" },
      "10.0.0.2:443", "10.0.0.3:0" } })
  same("members with addresses of IPv6 and route domains", "ltm/pool", "/Common/p2",
    { members = list { "2001:db8::1.80" } },
    { members = list { "2001:DB8:0::1.http" } },
    { members = list { { name = "2001:db8::1.80", address = "2001:0DB8::0001" } } })
  same("the state of a member, as it is set and as it is read", "ltm/pool", "/Common/p3",
    { monitor = "/Common/http", members = list { { name = "10.0.3.1:80", session = "user-enabled",
      state = "user-up" }, { name = "10.0.3.2:80", session = "user-disabled",
      state = "user-down" } } },
    { members = list { { name = "10.0.3.1:80", session = "monitor-enabled", state = "checking" },
      { name = "10.0.3.2:80", session = "user-disabled", state = "user-down" } } },
    { members = list { "10.0.3.1:80", "10.0.3.2:80" } })
  same("the state of a node", "ltm/node", "/Common/n1",
    { address = "10.0.4.1", session = "user-enabled", state = "user-up" },
    { address = "10.0.4.1", session = "user-enabled", state = "unchecked" },
    { address = "10.0.4.1%0", ratio = "1", logging = "disabled" })
  same("monitors in any order", "ltm/pool", "/Common/p4",
    { monitor = "/Common/http and /Common/tcp" },
    { monitor = "http and tcp" }, { monitor = "/Common/tcp and http" },
    { monitor = " /Common/http and /Common/tcp " })
  same("a minimum of monitors", "ltm/pool", "/Common/p5",
    { monitor = "min 1 of { /Common/http /Common/tcp }" },
    { monitor = "min 1 of /Common/tcp http" })
  same("nothing in all its forms", "ltm/pool", "/Common/p6", { description = "" },
    { description = "none" }, { description = f5.null }, { members = {} },
    { members = list {} }, { members = f5.null }, { members = "none" }, { monitor = "" },
    { metadata = {} }, {})
  same("numbers, flags and the spelling of tmsh", "ltm/pool", "/Common/p7",
    { slowRampTime = 20, allowNat = "no", minActiveMembers = 1 },
    { slowRampTime = "20", allowNat = false, minActiveMembers = 1.0 },
    { ["slow-ramp-time"] = 20, ["allow-nat"] = "no" }, { slowRampTime = "020" })

  same("profiles of a virtual server, short and full", "ltm/virtual", "/Common/v1",
    { destination = "/Common/10.0.9.1:80", ipProtocol = "tcp",
      profiles = list { "/Common/tcp", "/Common/http" } },
    { profiles = list { "tcp", "http" } }, { profiles = { "http", "tcp" } },
    { profiles = { { name = "tcp" }, { name = "http", context = "all" } } },
    { destination = "10.0.9.1:http",
      profiles = { { name = "http", partition = "Common" }, "tcp" } },
    { rules = {}, persist = {}, policies = {}, vlans = {}, description = "" },
    { rules = list {}, persist = "none", policies = f5.null, enabled = true, disabled = false },
    { sourceAddressTranslation = { type = "none" }, ipProtocol = "6", mask = "255.255.255.255",
      source = "0.0.0.0/0", connectionLimit = "0" })
  same("a virtual server for all addresses", "ltm/virtual", "/Common/v2",
    { destination = "/Common/0.0.0.0:0", mask = "any" },
    { destination = "0.0.0.0:any", mask = "0.0.0.0" }, { destination = "any:0" })
  same("a virtual server of IPv6", "ltm/virtual", "/Common/v3",
    { destination = "/Common/2001:db8::9.443" },
    { destination = "2001:0DB8:0:0::9.https", source = "::/0" })
  same("persistence and rules", "ltm/virtual", "/Common/v4",
    { destination = "/Common/10.0.9.4:80", profiles = { "tcp", "http" },
      persist = list { { name = "cookie", partition = "Common", tmDefault = "yes" } } },
    { persist = { "cookie" } }, { persist = "cookie" }, { persist = { "/Common/cookie" } },
    { persist = { { name = "cookie", default = "yes" } } })
  same("a SNAT pool, whose members are a set", "ltm/snatpool", "/Common/s1",
    { members = list { "10.0.5.1", "10.0.5.2", "10.0.5.3" } },
    { members = list { "10.0.5.3", "/Common/10.0.5.1", "10.0.5.2" } },
    { members = list { "/Common/10.0.5.3%0", "10.0.5.1%0", "10.0.5.2" } })
  same("a SNAT pool of IPv6", "ltm/snatpool", "/Common/s2",
    { members = list { "2001:db8::1", "2001:db8::2" } },
    { members = list { "2001:DB8::2", "/Common/2001:0db8:0::1" } })
  same("the options of TLS as a list and as text", "ltm/profile/client-ssl", "/Common/c1",
    { tmOptions = list { "no-tlsv1", "dont-insert-empty-fragments" } },
    { tmOptions = "{ dont-insert-empty-fragments no-tlsv1 }" },
    { options = list { "dont-insert-empty-fragments", "no-tlsv1" } },
    { tmOptions = { "no-tlsv1", "dont-insert-empty-fragments" }, ciphers = "DEFAULT" })
  same("certificates and keys of a profile", "ltm/profile/client-ssl", "/Common/c2",
    { certKeyChain = list { { name = "one", cert = "/Common/default.crt",
      key = "/Common/default.key" } } },
    { certKeyChain = { { name = "one", cert = "default.crt", key = "default.key" } } },
    { certKeyChain = { "one" } })
  same("records of a data group", "ltm/data-group/internal", "/Common/d1",
    { type = "string", records = list { { name = "a", data = "1" }, { name = "b" } } },
    { records = { { name = "b" }, { name = "a", data = 1 } } }, { records = { "b", "a" } })
  same("a policy with rules, conditions and actions", "ltm/policy", "/Common/Drafts/pol1",
    { strategy = "/Common/first-match", requires = list { "http" },
      controls = list { "forwarding" }, rules = list { { name = "one", ordinal = 0,
        conditions = list { { name = "0", httpHost = true, host = true, values = list { "x" } } },
        actions = list { { name = "0", forward = true, reset = true } } } } },
    { strategy = "first-match", rules = { "one" } },
    { rules = { { name = "one", conditions = { { name = "0", values = { "x" } } } } } })
  same("a monitor", "ltm/monitor/http", "/Common/m1",
    { interval = 7, timeout = 22, send = "GET /\\r\\n", defaultsFrom = "/Common/http" },
    { defaultsFrom = "http", interval = "7", destination = "*:*" })
  same("an iRule, whose text loses the space around it", "ltm/rule", "/Common/r1",
    { apiAnonymous = "\nwhen HTTP_REQUEST { reject }\n" },
    { apiAnonymous = "when HTTP_REQUEST { reject }" })

  same("time servers", "sys/ntp", nil, { servers = list { "10.9.9.1", "10.9.9.2" } },
    { servers = { "10.9.9.1", "10.9.9.2" }, restrict = {} })
  same("no time servers", "sys/ntp", nil, { servers = list {} }, { servers = {} },
    { servers = f5.null }, { servers = "none" })
  same("name servers", "sys/dns", nil, { nameServers = list { "10.9.9.3" } },
    { nameServers = "10.9.9.3" })
  same("SNMP", "sys/snmp", nil, { allowedAddresses = list { "10.0.0.0/8", "127.0.0.0/8" } },
    { allowedAddresses = { "127.0.0.0/8", "10.0.0.0/8" } })
  same("a variable", "sys/db", "ui.system.preferences.recordsperscreen", { value = "20" },
    { value = 20 })
  same("a VLAN and its interfaces", "net/vlan", "/Common/vlan1",
    { tag = 1234, interfaces = list { { name = "1.1", tagged = true } } },
    { interfaces = { "1.1" } }, { tag = "1234", interfaces = { { name = "1.1", tagged = true } } })
  same("a self IP", "net/self", "/Common/self1",
    { address = "10.99.0.1/24", vlan = "/Common/vlan1",
      allowService = list { "tcp:443", "tcp:22" } },
    { address = "10.99.0.1/255.255.255.0", vlan = "vlan1",
      allowService = { "tcp:ssh", "tcp:https" } })
  same("a route", "net/route", "/Common/route1",
    { network = "10.98.0.0/16", gw = "10.99.0.2" },
    { network = "10.98.0.0/255.255.0.0" })
  same("a server and its pools of DNS", "gtm/server", "/Common/srv",
    { datacenter = "/Common/dc", devices = list { { name = "box", addresses =
      list { { name = "10.0.7.1" } } } }, virtualServers = list { { name = "vs1",
      destination = "10.0.7.2:80" }, { name = "vs2", destination = "10.0.7.3:80" } } },
    { datacenter = "dc", ["virtual-servers"] = { "vs2", "vs1" } },
    { virtualServers = { { name = "vs1", destination = "10.0.7.2:http" }, { name = "vs2" } } },
    { devices = { { name = "box", addresses = { "10.0.7.1" } } } })
  same("members of a DNS pool", "gtm/pool/a", "/Common/gp",
    { members = list { { name = "/Common/srv:vs1", memberOrder = 0 },
      { name = "/Common/srv:vs2", memberOrder = 1 } } },
    { members = { "/Common/srv:vs2", "srv:vs1" } },
    { members = { { name = "srv:vs1", partition = "Common" }, "srv:vs2" } })
  same("members that are names", "gtm/pool/cname", "/Common/gc",
    { members = list { { name = "www.example.net", staticTarget = "yes" } } },
    { members = { "www.example.net" } })
  same("a wide IP", "gtm/wideip/a", "/Common/www.example.com",
    { pools = list { { name = "gp", partition = "Common", order = 0, ratio = 1 } } },
    { pools = { "gp" } }, { pools = { "/Common/gp" } }, { pools = { { name = "gp", ratio = 1 } } },
    { aliases = {}, enabled = true })
  same("an address list", "security/firewall/address-list", "/Common/al",
    { addresses = list { { name = "10.0.0.0/8" }, { name = "192.0.2.1" } } },
    { addresses = { "192.0.2.1", "10.0.0.0/8" } })
  same("a user, apart from the password", "auth/user", "admin", { shell = "none" },
    { description = "Admin User", shell = "" })
end)

describe("ensure of a list of objects", function()
  before_each(start)
  after_each(stop)

  local function member(name)
    return bip.ltm.pool["/Common/p"].members["/Common/" .. name]:load()
  end

  it("takes the spelling of tmsh, and ignores what a device sets itself", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {}
    local wanted = {
      members = { { name = "10.0.0.1:80", ["connection-limit"] = 7 } },
      kind = "tm:ltm:pool:otherstate",
      selfLink = "https://localhost/mgmt/tm/ltm/pool/other",
      generation = 123456,
      fullPath = "/Common/other",
    }
    assert.equal("changed", (ensure(pool, wanted)))
    assert.equal(7, member("10.0.0.1:80").connectionLimit)
    assert.equal("unchanged", (ensure(pool, wanted)))
    wanted.members[1]["connection-limit"] = 8
    assert.equal("changed", (ensure(pool, wanted)))
    assert.equal(8, member("10.0.0.1:80").connectionLimit)
  end)

  it("creates, changes and deletes only the members that differ", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { "10.0.0.1:80", "10.0.0.2:80" } }
    pool.members["/Common/10.0.0.1:80"]:modify {
      session = "user-disabled", description = "drained", connectionLimit = 7,
    }
    local what, sent = ensure(pool, { members = { "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:http" } })
    assert.same({ "changed", { "POST ltm/pool/~Common~p/members" } }, { what, sent })
    local first = member "10.0.0.1:80"
    assert.same(
      { "user-disabled", "drained", 7 },
      { first.session, first.description, first.connectionLimit }
    )
    what, sent = ensure(pool, {
      members = { "10.0.0.1:80", { name = "10.0.0.3:80", ratio = 5 }, "10.0.0.4:80" },
    })
    assert.same({ "changed", {
      "POST ltm/pool/~Common~p/members",
      "PATCH ltm/pool/~Common~p/members/~Common~10.0.0.3:80",
      "DELETE ltm/pool/~Common~p/members/~Common~10.0.0.2:80",
    } }, { what, sent })
    assert.equal("drained", member("10.0.0.1:80").description)
    assert.equal(5, member("10.0.0.3:80").ratio)
    assert.equal(3, #pool.members:list())
    -- all of them are others: one call, which no member survives with a state of its own
    what, sent = ensure(pool, { members = { "10.0.0.8:80", "10.0.0.9:80" } })
    assert.same({ "changed", { "PATCH ltm/pool/~Common~p" } }, { what, sent })
    what, sent = ensure(pool, { members = {} })
    assert.same({ "changed", { "PATCH ltm/pool/~Common~p" } }, { what, sent })
    assert.equal(0, #pool.members:list())
  end)

  it("sends the object's own properties and the members that differ apart", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { "10.0.0.1:80" } }
    local what, sent =
      ensure(pool, { description = "new", members = { "10.0.0.1:80", "10.0.0.2:80" } })
    assert.same(
      { "changed", { "PATCH ltm/pool/~Common~p", "POST ltm/pool/~Common~p/members" } },
      { what, sent }
    )
    local _, object = pool:ensure { description = "newer" }
    assert.equal("newer", object.description)
  end)

  it("brings members back into service, and takes them out", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {
      members = { { name = "10.0.0.1:80", session = "user-disabled", state = "user-down" } },
    }
    local path = "PATCH ltm/pool/~Common~p/members/~Common~10.0.0.1:80"
    for _, wanted in ipairs {
      { session = "user-enabled", state = "user-up" },
      { session = "user-disabled" },
      { session = "monitor-enabled", state = "up" }, -- as it was read elsewhere
      { state = "user-down" },
    } do
      wanted.name = "10.0.0.1:80"
      local what, sent = ensure(pool, { members = { wanted } })
      assert.same({ "changed", { path } }, { what, sent })
      assert.equal("unchanged", (ensure(pool, { members = { wanted } })))
    end
    local now = member "10.0.0.1:80"
    assert.same({ "user-enabled", "user-down" }, { now.session, now.state })
  end)

  it("goes by the partition of the pool before Common", function()
    bip.auth.partition:create { name = "east" }
    local pool = bip.ltm.pool["/east/p"]
    pool:create { members = { { name = "10.0.0.1:80", partition = "east", ratio = 3 } } }
    assert.equal("unchanged", (ensure(pool, { members = { "10.0.0.1:80" } })))
    local what, sent = ensure(pool, { members = { "10.0.0.1:80", "/Common/10.0.0.2:80" } })
    assert.same({ "changed", { "POST ltm/pool/~east~p/members" } }, { what, sent })
    assert.equal(3, pool.members["/east/10.0.0.1:80"]:load().ratio)
  end)

  it("changes profiles one by one, or all in one call", function()
    local virtual = bip.ltm.virtual["/Common/v"]
    virtual:create {
      destination = "10.0.9.1:443", ipProtocol = "tcp",
      profiles = { "tcp", { name = "clientssl", context = "clientside" } },
    }
    local what, sent = ensure(virtual, { profiles = { "tcp", "clientssl", "http" } })
    assert.same({ "changed", { "POST ltm/virtual/~Common~v/profiles" } }, { what, sent })
    what, sent = ensure(virtual, { profiles = { "clientssl", "udp" } })
    assert.same({ "changed", { "PATCH ltm/virtual/~Common~v" } }, { what, sent })
    local contexts = {}
    for _, profile in ipairs(virtual.profiles:list()) do
      contexts[profile.name] = profile.context
    end
    assert.same({ clientssl = "clientside", udp = "all" }, contexts)
  end)

  it("leaves rules of a policy alone that do not differ, down to their actions", function()
    local policy = bip.ltm.policy["/Common/Drafts/pol"]
    local function action(name) return { name = name, forward = true, reset = true } end
    policy:create {
      strategy = "/Common/first-match", requires = { "http" }, controls = { "forwarding" },
      rules = {
        { name = "one", ordinal = 0, description = "mine", actions = { action "0" } },
        { name = "two", ordinal = 1, actions = { action "0", action "1" } },
      },
    }
    local at = "ltm/policy/~Common~Drafts~pol/rules"
    local what, sent = ensure(policy, {
      rules = {
        "one", { name = "two", actions = { action "0" } }, { name = "three", ordinal = 2 },
      },
    })
    assert.same(
      { "changed", { "DELETE " .. at .. "/two/actions/1", "POST " .. at } },
      { what, sent }
    )
    assert.equal("mine", policy.rules.one:load().description)
    what, sent = ensure(policy, { rules = { "one", { name = "two", ordinal = 5 } } })
    assert.same(
      { "changed", { "DELETE " .. at .. "/three", "PATCH " .. at .. "/two" } },
      { what, sent }
    )
    assert.equal(1, #policy.rules.two.actions:list())
  end)

  it("keeps what an element of a property's list does not name", function()
    local group = bip.ltm["data-group"].internal["/Common/d"]
    group:create {
      type = "string", records = { { name = "a", data = "1" }, { name = "b", data = "2" } },
    }
    local function set(data)
      return ensure(
        group, { records = { { name = "a", data = "1" }, { name = "b", data = data } } }
      )
    end
    assert.equal("unchanged", (set "2"))
    assert.equal("changed", (set "4"))
    assert.equal("4", group:load().records[2].data)
    assert.equal("changed", (set "2"))
    local what, sent = ensure(group, { records = { "a", { name = "c", data = "3" } } })
    assert.same({ "changed", { "PATCH ltm/data-group/internal/~Common~d" } }, { what, sent })
    assert.same({ a = "1", c = "3" }, {
      a = group:load().records[1].data, c = group:load().records[2].data,
    })
    local wide = bip.gtm.wideip.a["/Common/www.example.com"]
    for _, name in ipairs { "one", "two" } do bip.gtm.pool.a["/Common/" .. name]:create {} end
    wide:create { pools = { { name = "one", ratio = 9 } } }
    ensure(wide, { pools = { "one", "two" } })
    assert.same({ 9, "two" }, { wide:load().pools[1].ratio, wide:load().pools[2].name })
    assert.is_nil(wide:load().pools[2].ratio) -- what it does not show yet is sent, too
    assert.equal("changed", (ensure(wide, { pools = { "one", { name = "two", ratio = 3 } } })))
    assert.same({ 9, 3 }, { wide:load().pools[1].ratio, wide:load().pools[2].ratio })
  end)

  it("empties lists and texts that hold something", function()
    local virtual = bip.ltm.virtual["/Common/v"]
    bip.ltm.rule["/Common/r"]:create { apiAnonymous = "when CLIENT_ACCEPTED { }" }
    virtual:create { destination = "10.0.9.1:80", rules = { "/Common/r" }, description = "x" }
    local what, sent = ensure(virtual, { rules = {}, description = "" })
    assert.same({ "changed", { "PATCH ltm/virtual/~Common~v" } }, { what, sent })
    assert.same({}, { virtual:load().rules, virtual:load().description })
    bip.sys.ntp:modify { servers = { "10.0.0.1" } }
    assert.equal("changed", (ensure(bip.sys.ntp, { servers = {} })))
    assert.is_nil(bip.sys.ntp:load().servers)
  end)

  it("keeps the order of rules and name servers, which means something", function()
    assert.equal("changed", (ensure(bip.sys.dns, { nameServers = { "10.0.0.1", "10.0.0.2" } })))
    assert.equal("changed", (ensure(bip.sys.dns, { nameServers = { "10.0.0.2", "10.0.0.1" } })))
    assert.equal("10.0.0.2", bip.sys.dns:load().nameServers[1])
  end)

  it("changes single values of a group", function()
    local virtual <const> = bip.ltm.virtual["/Common/v"]
    virtual:create { destination = "10.0.9.1:80" }
    for _, kind in ipairs { "automap", "none" } do
      local wanted <const> = { sourceAddressTranslation = { type = kind } }
      local what, sent = ensure(virtual, wanted)
      assert.same({ "changed", { "PATCH ltm/virtual/~Common~v" } }, { what, sent })
      assert.equal(kind, virtual:load().sourceAddressTranslation.type)
      assert.equal("unchanged", (ensure(virtual, wanted)))
    end
    local node <const> = bip.ltm.node["/Common/n"]
    node:create { fqdn = { tmName = "example.net", interval = "3600" } }
    assert.equal("changed", (ensure(node, { fqdn = { interval = "60" } })))
    local fqdn <const> = node:load().fqdn
    assert.same({ "example.net", "60" }, { fqdn.tmName, fqdn.interval })
    assert.equal("unchanged", (ensure(node, { fqdn = { name = "example.net", interval = 60 } })))
  end)

  it("tells apart what only looks alike", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { description = "/Common/x", members = { "10.0.0.1:80" } }
    assert.equal("changed", (ensure(pool, { description = "x" })))
    for _, name in ipairs { "10.0.0.1:8080", "10.0.0.11:80", "10.0.0.1:https" } do
      assert.equal("changed", (ensure(pool, { members = { name } })))
    end
    pool:ensure { monitor = "http" }
    assert.equal("changed", (ensure(pool, { monitor = "http and tcp" })))
    assert.equal("changed", (ensure(pool, { monitor = "min 1 of { http tcp }" })))
    assert.equal("changed", (ensure(pool, { monitor = "" })))
  end)

  it("refuses a list of elements that is none, and keeps the elements", function()
    local pool <const> = bip.ltm.pool["/Common/keyed"]
    pool:create { members = { "10.0.0.1:80", "10.0.0.2:80" } }
    writes()
    for _, members in ipairs { { ["10.0.0.1:80"] = {} }, { name = "10.0.0.1:80" } } do
      local ok, err = f5.try(function() return pool:ensure { members = members } end)
      assert.same({ false, "usage" }, { ok, err.kind })
      assert.matches("expected a list for 'members' of /mgmt/tm/ltm/pool/", err.message)
    end
    assert.same({}, writes())
    assert.equal(2, #pool.members:list())
  end)

  it("refuses what JSON can not hold, also where nothing would be sent", function()
    local virtual <const> = bip.ltm.virtual["/Common/round"]
    virtual:create { destination = "10.0.99.1:80" }
    writes()
    local round <const> = {}
    round[1] = round
    for _, wanted in ipairs { { rules = round }, { description = print }, { rules = { 0 / 0 } } } do
      local ok, err = f5.try(function() return virtual:ensure(wanted) end)
      assert.same({ false, "usage" }, { ok, type(err) == "table" and err.kind })
      assert.matches("cannot encode", err.message)
    end
    assert.same({}, writes())
  end)

  it("takes one name for one element", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { "10.0.0.1:80" } }
    local ok, err = f5.try(function()
      writes()
      pool:ensure { members = { "10.0.0.1:80", "/Common/10.0.0.1:http" } }
    end)
    assert.same({ false, "usage", {} }, { ok, err.kind, writes() })
    assert.matches(
      "ensure_wire_spec.lua:%d+: ensure: 'members' has '/Common/10.0.0.1:http' twice",
      err.message
    )
  end)

  it("says changed whenever something was sent", function()
    device:fault {
      match = { method = "PATCH" }, times = 5, status = 200,
      body = { kind = "tm:ltm:pool:poolstate", name = "p", fullPath = "/Common/p" },
    }
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {}
    local before = bip:usage().writes
    assert.equal("changed", (ensure(pool, { description = "a spelling that the device drops" })))
    assert.equal(before + 1, bip:usage().writes)
  end)
end)

describe("ensure in a transaction", function()
  before_each(start)
  after_each(stop)

  it("queues a command for each element that differs", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { "10.0.0.1:80", "10.0.0.2:80" } }
    pool.members["/Common/10.0.0.1:80"]:modify { description = "mine" }
    bip:transaction(function(tx)
      local what, commands = tx(pool):ensure {
        description = "d", members = { "10.0.0.1:80", { name = "10.0.0.3:80", ratio = 2 } },
      }
      assert.equal("changed", what)
      local queued = {}
      for i, command in ipairs(commands) do
        queued[i] = command.method .. " " .. command.uri:gsub("^.*/mgmt/tm/", ""):gsub("%?.*", "")
      end
      assert.same({
        "PATCH ltm/pool/~Common~p",
        "POST ltm/pool/~Common~p/members",
        "DELETE ltm/pool/~Common~p/members/~Common~10.0.0.2:80",
      }, queued)
      assert.equal(3, #tx:commands())
      assert.equal("unchanged", (tx(pool):ensure { members = { "10.0.0.1:http", "10.0.0.2:80" } }))
      assert.equal(2, #pool.members:list()) -- nothing has happened yet
    end)
    assert.equal("mine", pool.members["/Common/10.0.0.1:80"]:load().description)
    assert.equal(2, pool.members["/Common/10.0.0.3:80"]:load().ratio)
    assert.is_false(pool.members["/Common/10.0.0.2:80"]:exists())
    assert.equal("d", pool:load().description)
  end)

  it("returns the command when there is one, and queues none when nothing differs", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { members = { "10.0.0.1:80" } }
    bip:transaction(function(tx)
      local what, command = tx(pool):ensure { members = { "10.0.0.1:80", "10.0.0.2:80" } }
      assert.same({ "changed", "POST" }, { what, command.method })
      assert.equal("unchanged", (tx(pool):ensure { members = { "10.0.0.1:80" }, description = "" }))
    end)
    assert.equal(2, #pool.members:list())
  end)
end)
