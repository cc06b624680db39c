-- What a BIG-IP checks between objects, and what it makes by itself.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"

local device

local function start() device = sim.start { provision = { "ltm", "gtm" } } end

local function stop() lab.stop(device) end

local get, post, patch, _, delete = lab.calls(function() return device end)

local function refused(answer, status, message, api_error)
  assert.equal(status, answer.status, answer.body)
  assert.equal(message, answer.json.message)
  assert.equal(api_error or 3, answer.json.apiError)
end

describe("G14 device: objects refer to each other", function()
  before_each(start)
  after_each(stop)

  it("and say when they were made and changed, to the second", function()
    local UTC <const> = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$"
    local virtual = post("/mgmt/tm/ltm/virtual", { name = "v", destination = "10.0.0.1:80" }).json
    assert.matches(UTC, virtual.creationTime)
    assert.equal(virtual.creationTime, virtual.lastModifiedTime)
    device:advance(5)
    local changed = patch("/mgmt/tm/ltm/virtual/v", { description = "x" }).json
    assert.equal(virtual.creationTime, changed.creationTime)
    assert.matches(UTC, changed.lastModifiedTime)
    assert.is_true(changed.lastModifiedTime > virtual.creationTime)
    local certificate = get("/mgmt/tm/sys/file/ssl-cert/~Common~default.crt").json
    assert.matches(UTC, certificate.createTime)
  end)

  it("and answer to the name they were given, where it holds their partition", function()
    local TRAPS <const> = "https://localhost/mgmt/tm/sys/snmp/traps/"
    local trap <const> = post(
      "/mgmt/tm/sys/snmp/traps",
      { name = "t", version = "2c", host = "10.0.0.1", community = "c", port = 162 }
    )
    assert.equal(TRAPS .. "t?ver=17.1.3", trap.json.selfLink)
    assert.equal(TRAPS .. "t?ver=17.1.3", get("/mgmt/tm/sys/snmp/traps/t").json.selfLink)
    assert.equal(
      TRAPS .. "~Common~t?ver=17.1.3",
      get("/mgmt/tm/sys/snmp/traps/~Common~t").json.selfLink
    )
    local full <const> = post(
      "/mgmt/tm/sys/snmp/traps",
      { name = "/Common/u", version = "2c", host = "10.0.0.1", community = "c", port = 162 }
    )
    assert.equal(TRAPS .. "~Common~u?ver=17.1.3", full.json.selfLink)
    local community <const> =
      post("/mgmt/tm/sys/snmp/communities", { name = "c", communityName = "c" })
    -- unlike traps and users
    assert.matches("/communities/~Common~c?", community.json.selfLink, 1, true)
  end)

  it("and a rule of gtm says in its text that its syntax is checked", function()
    local rule <const> = post(
      "/mgmt/tm/gtm/rule",
      { name = "r", check = "syntax", apiAnonymous = "when LB_SELECTED { }" }
    ).json
    assert.same({ "check syntax\nwhen LB_SELECTED { }" }, { rule.apiAnonymous, rule.check })
    assert.equal(rule.apiAnonymous, get("/mgmt/tm/gtm/rule/r").json.apiAnonymous)
    assert.equal(
      400,
      post(
        "/mgmt/tm/gtm/rule",
        { name = "s", check = "spelling", apiAnonymous = "when LB_SELECTED { }" }
      ).status
    )
  end)

  it("and what is referred to must be there", function()
    refused(
      post("/mgmt/tm/ltm/virtual", { name = "v", destination = "10.0.0.1:80", pool = "none-such" }),
      404,
      "01020036:3: The requested Pool (/Common/none-such) was not found."
    )
    refused(
      post("/mgmt/tm/ltm/pool", { name = "p", monitor = "/Common/none-such" }),
      404,
      "01020036:3: The requested monitor (/Common/none-such) was not found."
    )
    refused(
      post(
        "/mgmt/tm/ltm/virtual",
        { name = "v", destination = "10.0.0.1:80", profiles = { "/Common/nope" } }
      ),
      404,
      "01020036:3: The requested profile (/Common/nope) was not found."
    )
    assert.equal(404, get("/mgmt/tm/ltm/virtual/v").status)
    assert.equal(404, get("/mgmt/tm/ltm/virtual-address/10.0.0.1").status)
  end)

  it("and a rule for HTTP or a cookie that persists wants a profile of HTTP", function()
    local V <const> = "/mgmt/tm/ltm/virtual"
    local RULE <const> =
      "01071912:3: HTTP_REQUEST event in rule (/Common/r) requires an associated HTTP or FASTHTTP "
        .. "profile on the virtual-server (/Common/v)."
    local COOKIE <const> =
      "01070309:3: Cookie persistence requires an HTTP or FastHTTP profile to be associated with "
        .. "the virtual server."
    post(
      "/mgmt/tm/ltm/rule",
      { name = "r", apiAnonymous = "# when HTTP_RESPONSE { }\nwhen HTTP_REQUEST { }" }
    )
    post(
      "/mgmt/tm/ltm/rule",
      { name = "plain", apiAnonymous = "when CLIENT_ACCEPTED { }\n# when HTTP_REQUEST { }" }
    )
    local function body(more)
      local given = { name = "v", destination = "10.0.0.9:80", profiles = { "tcp" } }
      for key, value in pairs(more) do given[key] = value end
      return given
    end
    refused(post(V, body { rules = { "r" } }), 400, RULE)
    assert.equal(404, get(V .. "/v").status)
    assert.equal(404, get("/mgmt/tm/ltm/virtual-address/10.0.0.9").status)
    refused(post(V, body { persist = { { name = "cookie" } } }), 400, COOKIE)
    assert.equal(
      200,
      post(V, body { rules = { "plain" }, persist = { { name = "source_addr" } } }).status
    )
    refused(patch(V .. "/v", { rules = { "r" } }), 400, RULE)
    refused(patch(V .. "/v", { persist = { { name = "cookie" } } }), 400, COOKIE)
    refused(
      patch("/mgmt/tm/ltm/rule/plain", { apiAnonymous = "when HTTP_REQUEST { }" }),
      400,
      (RULE:gsub("/r%)", "/plain)"))
    )
    assert.equal(
      200,
      patch(
        V .. "/v",
        { profiles = { "tcp", "http" }, rules = { "r" }, persist = { { name = "cookie" } } }
      ).status
    )
    refused(delete(V .. "/v/profiles/http"), 400, RULE)
    refused(patch(V .. "/v", { profiles = { "tcp" } }), 400, RULE)
    assert.equal(200, patch(V .. "/v", { rules = {}, persist = {} }).status)
    assert.equal(200, delete(V .. "/v/profiles/http").status)
  end)

  it("and counts are none below zero, and names not longer than a device can keep", function()
    local function wrong(path, body, name)
      refused(
        post(path, body),
        400,
        ('invalid property value "%s":"%s"'):format(name, body[name]),
        26214401
      )
    end
    local pools <const>, nodes <const>, virtuals <const> =
      "/mgmt/tm/ltm/pool", "/mgmt/tm/ltm/node", "/mgmt/tm/ltm/virtual"
    post(pools, { name = "p", members = { "10.0.0.1:80" } })
    for _, name in ipairs {
      "minActiveMembers", "slowRampTime", "reselectTries", "queueDepthLimit", "queueTimeLimit",
    } do
      wrong(pools, { name = "q", [name] = -1 }, name)
    end
    wrong(pools, { name = "q", minActiveMembers = 4294967296 }, "minActiveMembers")
    wrong(nodes, { name = "n", address = "10.0.0.9", connectionLimit = -1 }, "connectionLimit")
    wrong(
      virtuals,
      { name = "v", destination = "10.0.0.1:80", connectionLimit = -1 },
      "connectionLimit"
    )
    refused(
      patch(pools .. "/p/members/~Common~10.0.0.1:80", { priorityGroup = -1 }),
      400,
      'invalid property value "priorityGroup":"-1"',
      26214401
    )
    refused(
      patch(pools .. "/p", { minActiveMembers = -1 }), 400,
      'invalid property value "minActiveMembers":"-1"', 26214401
    )
    assert.equal(2, patch(pools .. "/p", { minActiveMembers = 2 }).json.minActiveMembers)
    local longest <const> = ("n"):rep(255 - #"/Common/")
    assert.equal(200, post(pools, { name = longest }).status)
    for path, body in pairs {
      [pools] = { name = longest .. "n" },
      [nodes] = { name = ("n"):rep(2000), address = "10.0.0.9" },
      ["/mgmt/tm/sys/folder"] = { name = longest .. "n", partition = "/Common" },
    } do
      refused(
        post(path, body),
        400,
        "01020057:3: The string with more than 255 characters cannot be stored in a message."
      )
    end
  end)

  it("and what is in use stays", function()
    post("/mgmt/tm/ltm/monitor/http", { name = "m" })
    post("/mgmt/tm/ltm/pool", { name = "p", monitor = "m", members = { "10.0.0.1:80" } })
    post("/mgmt/tm/ltm/rule", { name = "r", apiAnonymous = "when HTTP_REQUEST { }" })
    post(
      "/mgmt/tm/ltm/virtual",
      {
        name = "v", destination = "10.0.0.9:80", pool = "p", rules = { "/Common/r" },
        profiles = { "tcp", "http" },
      }
    )
    refused(
      delete "/mgmt/tm/ltm/pool/p",
      400,
      "01070265:3: The Pool (/Common/p) cannot be deleted because it is in use by a Virtual Server "
        .. "(/Common/v)."
    )
    refused(
      delete "/mgmt/tm/ltm/rule/r",
      400,
      "01070265:3: The rule (/Common/r) cannot be deleted because it is in use by a virtual server "
        .. "(/Common/v)."
    )
    refused(delete "/mgmt/tm/ltm/monitor/http/m", 400, "01070083:3: Monitor /Common/m is in use.")
    refused(
      delete "/mgmt/tm/ltm/node/10.0.0.1",
      400,
      "01070110:3: Node address '/Common/10.0.0.1' is referenced by a member of pool '/Common/p'."
    )
    refused(
      delete "/mgmt/tm/ltm/virtual-address/10.0.0.9",
      400,
      "01070344:3: Cannot delete referenced virtual address /Common/10.0.0.9."
    )
    assert.equal(200, delete("/mgmt/tm/ltm/virtual/v").status)
    assert.equal(404, get("/mgmt/tm/ltm/virtual-address/10.0.0.9").status)
    assert.equal(200, delete("/mgmt/tm/ltm/pool/p").status)
    assert.equal(404, get("/mgmt/tm/ltm/pool/p/members/~Common~10.0.0.1:80").status)
    assert.equal(200, delete("/mgmt/tm/ltm/node/10.0.0.1").status)
    assert.equal(200, delete("/mgmt/tm/ltm/monitor/http/m").status)
  end)

  it("and not into foreign partitions", function()
    post("/mgmt/tm/auth/partition", { name = "eu" })
    post("/mgmt/tm/ltm/pool", { name = "p", partition = "eu" })
    refused(
      post("/mgmt/tm/ltm/virtual", { name = "v", destination = "10.0.0.1:80", pool = "/eu/p" }),
      400,
      "01070726:3: Virtual Server /Common/v in partition Common cannot reference Pool /eu/p in "
        .. "partition eu"
    )
    assert.equal(
      200,
      post(
        "/mgmt/tm/ltm/virtual",
        {
          name = "v", partition = "eu", destination = "10.0.0.1:80", pool = "p",
          profiles = { "/Common/tcp" },
        }
      ).status
    )
    assert.equal("/eu/p", get("/mgmt/tm/ltm/virtual/~eu~v").json.pool)
  end)

  it("and addresses are checked", function()
    assert.equal(400, post("/mgmt/tm/ltm/node", { name = "n", address = "10.0.0.256" }).status)
    assert.equal(200, post("/mgmt/tm/ltm/node", { name = "six", address = "2001:db8::1" }).status)
    refused(post("/mgmt/tm/ltm/node", { name = "again", address = "2001:db8::1" }), 400,
      "0107176c:3: Invalid Node, the IP address 2001:db8::1 already exists.")
    post("/mgmt/tm/ltm/virtual", { name = "a", destination = "10.0.0.1:80" })
    refused(post("/mgmt/tm/ltm/virtual", { name = "b", destination = "10.0.0.1:80" }), 400,
      "01070333:3: Virtual Server /Common/b illegally shares destination address, source address, "
        .. "service port, and ip-protocol "
        .. "with Virtual Server /Common/a."
    )
    assert.equal(
      200,
      post("/mgmt/tm/ltm/virtual", { name = "b", destination = "10.0.0.1:https" }).status
    )
    assert.equal("/Common/10.0.0.1:443", get("/mgmt/tm/ltm/virtual/b").json.destination)
  end)

  it("and what is refused leaves nothing behind", function()
    local before = device:state().objects
    refused(
      post(
        "/mgmt/tm/ltm/pool",
        { name = "p", members = { "10.0.0.1:80", "10.0.0.2:80", "nowhere:80" } }
      ),
      404,
      "01020036:3: The requested Node (/Common/nowhere) was not found."
    )
    assert.same(before, device:state().objects)
  end)
end)

describe("G14 device: states of members and nodes", function()
  before_each(start)
  after_each(stop)

  it("are set as user-… and read as what monitoring makes of them", function()
    post("/mgmt/tm/ltm/pool", { name = "p", members = { "10.0.0.1:80" } })
    local path = "/mgmt/tm/ltm/pool/p/members/~Common~10.0.0.1:80"
    assert.same({ "user-enabled", "unchecked" }, { get(path).json.session, get(path).json.state })
    patch("/mgmt/tm/ltm/pool/p", { monitor = "/Common/http and /Common/tcp" })
    assert.same({ "monitor-enabled", "checking" }, { get(path).json.session, get(path).json.state })
    local down = patch(path, { session = "user-disabled", state = "user-down" })
    assert.same({ "user-disabled", "user-down" }, { down.json.session, down.json.state })
    local up = patch(path, { session = "user-enabled", state = "user-up" })
    assert.same({ "monitor-enabled", "checking" }, { up.json.session, up.json.state })
    assert.equal("min 1 of { /Common/http /Common/tcp }",
      patch("/mgmt/tm/ltm/pool/p", { monitor = "min 1 of /Common/http /Common/tcp" }).json.monitor)
  end)

  it("are refused as they are read", function()
    local function invalid(answer, message) lab.refused(answer, 400, message, 26214401) end
    post("/mgmt/tm/ltm/pool", { name = "p", monitor = "/Common/http", members = { "10.0.0.1:80" } })
    for _, path in ipairs {
      "/mgmt/tm/ltm/pool/p/members/~Common~10.0.0.1:80", "/mgmt/tm/ltm/node/10.0.0.1",
    } do
      for _, state in ipairs { "checking", "unchecked", "up", "down", "unavailable", "fqdn-up" } do
        local message = ('invalid property value "state":"%s"'):format(state)
        invalid(patch(path, { state = state }), message)
      end
      invalid(
        patch(path, { session = "monitor-enabled", description = "x" }),
        'invalid property value "session":"monitor-enabled"'
      )
      invalid(
        patch(path, { address = "10.0.0.1" }),
        '"address" may not be specified in the context of the "modify" command. '
          .. '"address" may be specified using the following commands: create'
      )
      assert.is_nil(get(path).json.description)
    end
    invalid(
      patch("/mgmt/tm/ltm/pool/p", { members = { { name = "10.0.0.1:80", state = "up" } } }),
      'invalid property value "state":"up"'
    )
    invalid(
      post("/mgmt/tm/ltm/node", { name = "n", address = "10.0.0.3", state = "unchecked" }),
      'invalid property value "state":"unchecked"'
    )
    assert.equal(404, get("/mgmt/tm/ltm/node/n").status)
  end)
end)

describe("G14 device: inheritance", function()
  before_each(start)
  after_each(stop)

  it("copies the parent's values, and follows what the child has not set", function()
    post("/mgmt/tm/ltm/profile/http", { name = "mother", serverAgentName = "s1" })
    local child = post(
      "/mgmt/tm/ltm/profile/http",
      { name = "child", defaultsFrom = "/Common/mother", maxRequests = 5 }
    )
    assert.equal("s1", child.json.serverAgentName)
    assert.equal("/Common/mother", child.json.defaultsFrom)
    assert.equal(
      "https://localhost/mgmt/tm/ltm/profile/http/~Common~mother?ver=17.1.3",
      child.json.defaultsFromReference.link
    )
    patch("/mgmt/tm/ltm/profile/http/mother", { serverAgentName = "s2", maxRequests = 9 })
    local later = get "/mgmt/tm/ltm/profile/http/child"
    assert.equal("s2", later.json.serverAgentName)
    assert.equal(5, later.json.maxRequests)
    refused(
      delete "/mgmt/tm/ltm/profile/http/mother",
      400,
      "01070265:3: The HTTP Profile (/Common/mother) cannot be deleted because it is in use by a "
        .. "profile (/Common/child)."
    )
    local monitor = post("/mgmt/tm/ltm/monitor/http", { name = "m", interval = 7 })
    assert.same(
      { 7, 16, "/Common/http" },
      { monitor.json.interval, monitor.json.timeout, monitor.json.defaultsFrom }
    )
    assert.equal(400, delete("/mgmt/tm/ltm/monitor/http/http").status)
  end)
end)

describe("G18 device: users", function()
  before_each(start)
  after_each(stop)

  it("have roles by partition, and no password to be read", function()
    local made = post("/mgmt/tm/auth/user", { name = "ann", password = "secret12",
      ["partition-access"] = { ["all-partitions"] = { role = "guest" } } })
    assert.equal(200, made.status, made.body)
    assert.same(
      { "all-partitions", "guest" },
      { made.json.partitionAccess[1].name, made.json.partitionAccess[1].role }
    )
    assert.falsy(made.body:find("secret12", 1, true))
    assert.is_nil(made.json.password)
    assert.truthy(made.json.encryptedPassword)
    local function with(access)
      return post(
        "/mgmt/tm/auth/user",
        { name = "bob", password = "secret12", partitionAccess = json.array { access } }
      ).status
    end
    assert.equal(400, with { name = "all-partitions", role = "king" })
    assert.equal(404, with { name = "nope", role = "guest" })
    assert.equal(400, delete("/mgmt/tm/auth/user/admin").status)
    assert.equal(200, delete("/mgmt/tm/auth/user/ann").status)
  end)
end)

describe("P3 device: what a fresh device has", function()
  before_each(start)
  after_each(stop)

  it("is a version, a device, provisioning, variables, profiles and monitors", function()
    local entries <const> = get("/mgmt/tm/sys/version").json.entries
    local version <const> = entries["https://localhost/mgmt/tm/sys/version/0"].nestedStats.entries
    assert.equal("17.1.3", version.Version.description)
    assert.equal("true", get("/mgmt/tm/cm/device/bigip1").json.selfDevice)
    assert.equal("nominal", get("/mgmt/tm/sys/provision/ltm").json.level)
    assert.equal("none", get("/mgmt/tm/sys/provision/asm").json.level)
    local variable = get "/mgmt/tm/sys/db/license.operational"
    assert.equal("true", variable.json.value)
    assert.equal(
      "disable",
      patch("/mgmt/tm/sys/db/iptunnel.configsync", { value = "disable" }).json.value
    )
    for _, path in ipairs {
      "ltm/profile/tcp/tcp", "ltm/profile/http/http", "ltm/profile/client-ssl/clientssl",
      "ltm/monitor/gateway-icmp/gateway_icmp", "ltm/persistence/cookie/cookie",
      "net/route-domain/0", "cm/traffic-group/traffic-group-1", "sys/file/ssl-cert/default.crt",
      "sys/crypto/key/~Common~default.key", "auth/partition/Common", "sys/folder/~Common",
    } do
      assert.equal(200, get("/mgmt/tm/" .. path).status, path)
    end
  end)

  it("answers PATCH of its singletons", function()
    local dns = patch("/mgmt/tm/sys/dns", { nameServers = json.array { "192.0.2.1" } })
    assert.same({ "192.0.2.1" }, dns.json.nameServers)
    assert.equal(
      "a.example.org",
      patch("/mgmt/tm/sys/global-settings", { hostname = "a.example.org" }).json.hostname
    )
    assert.equal("a.example.org", get("/mgmt/tm/cm/device/bigip1").json.hostname)
    assert.equal(400, patch("/mgmt/tm/sys/global-settings", { hostname = "plain" }).status)
  end)
end)

describe("simulated device: many objects", function()
  it("lists, pages and finds among 10,000 nodes without effort", function()
    local nodes = json.array {}
    for i = 1, 10000 do
      nodes[i] = {
        name = ("n%05d"):format((i * 7919) % 10007),
        address = ("10.%d.%d.%d"):format(i // 65536, i // 256 % 256, i % 256),
      }
    end
    device = sim.start { seed = { objects = { ["/mgmt/tm/ltm/node"] = nodes } } }
    local all = get "/mgmt/tm/ltm/node"
    assert.equal(10000, #all.json.items)
    local sorted = true
    for i = 2, 10000 do sorted = sorted and all.json.items[i - 1].name < all.json.items[i].name end
    assert.is_true(sorted)
    local page = get "/mgmt/tm/ltm/node?$top=3&$skip=9000"
    assert.same(
      { 3, 3001, 3334, 10000 },
      {
        page.json.currentItemCount, page.json.pageIndex, page.json.totalPages, page.json.totalItems,
      }
    )
    assert.equal(
      200,
      post("/mgmt/tm/ltm/node", { name = "n05000x", address = "10.200.0.1" }).status
    )
    assert.equal(10001, get("/mgmt/tm/ltm/node?$top=1").json.totalItems)
    stop()
  end)

  it(
    "keeps the collections of a fleet's devices apart, also those that all were made with",
    function()
      local fleet <close> = sim.start { fleet = 2 }
      local function profiles(member)
        local list = {}
        for _, item in ipairs(curl(member, "GET", "/mgmt/tm/ltm/profile/http").json.items) do
          list[#list + 1] = item.name
        end
        return table.concat(list, " ")
      end
      local before = profiles(fleet:member(2))
      assert.equal(
        200,
        curl(fleet:member(1), "POST", "/mgmt/tm/ltm/profile/http", { name = "a" }).status
      )
      assert.equal("a " .. before, profiles(fleet:member(1)))
      assert.equal(before, profiles(fleet:member(2)))
      assert.equal(200, curl(fleet:member(1), "DELETE", "/mgmt/tm/ltm/profile/http/a").status)
      assert.equal(before, profiles(fleet:member(1)))
    end
  )
end)
