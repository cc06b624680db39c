-- Configuration that a BIG-IP refuses by itself, without looking at what others refer to.
local curl = require "curl"
local lab = require "lab"
local sim = require "f5.sim"

local device

local function start() device = sim.start {} end

local function stop() lab.stop(device) end

local _, post, patch = lab.calls(function() return device end)

local function refused(answer, message, status)
  assert.equal(status or 400, answer.status, answer.body)
  assert.equal(message, answer.json.message)
end

local function taken(answer)
  assert.equal(200, answer.status, answer.body)
  return answer.json
end

describe("simulated device refuses: iRules", function()
  before_each(start)
  after_each(stop)

  local RULES <const> = "/mgmt/tm/ltm/rule"
  local function refuses(text, mistake)
    refused(
      post(RULES, { name = "r", apiAnonymous = text }),
      "01070151:3: Rule [/Common/r] error: /Common/r:" .. mistake
    )
  end

  it("for an event that there is not", function()
    refuses(
      "when NO_SUCH_EVENT { }",
      "1: error: [unknown event (NO_SUCH_EVENT)][when NO_SUCH_EVENT { }]"
    )
    refuses(
      "when HTTP_REQUESTS { }",
      "1: error: [unknown event (HTTP_REQUESTS)][when HTTP_REQUESTS { }]"
    )
    refuses(
      "# when NO_1 {\nwhen RULE_INIT {\n  log \\{\n}\nwhen http_request {\n}",
      "5: error: [unknown event (http_request)][when http_request {]"
    )
    taken(
      post(
        RULES,
        {
          name = "r",
          apiAnonymous = "when HTTP_REQUEST priority 5 { log {when NO_SUCH_EVENT {}} }\n\nwhen "
            .. "DNS_REQUEST timing on { }",
        }
      )
    )
    refused(
      patch(RULES .. "/r", { apiAnonymous = "when LB_CHOSEN { }" }),
      "01070151:3: Rule [/Common/r] error: /Common/r:1: error: [unknown event (LB_CHOSEN)][when "
        .. "LB_CHOSEN { }]"
    )
  end)

  it("for braces without the other, and for what is no command", function()
    refuses(
      "when HTTP_REQUEST {\n  if { 1 } {\n}",
      "1: error: [parse error: PARSE syntax 18 {missing close-brace}][when HTTP_REQUEST {]"
    )
    refuses("when HTTP_REQUEST {\n}\n}", "3: error: [undefined procedure: }][}]")
    refuses("when HTTP_REQUEST", '1: error: [missing a script after "when"][when HTTP_REQUEST]')
    refuses("log local0. hello", "1: error: [undefined procedure: log][log local0. hello]")
    taken(
      post(
        RULES,
        {
          name = "r",
          apiAnonymous = "# {\nproc p {a} { return \\} }\nwhen CLIENT_ACCEPTED { call p 1 }",
        }
      )
    )
  end)
end)

describe("simulated device refuses: networks", function()
  before_each(function()
    start()
    taken(post("/mgmt/tm/net/vlan", { name = "inside" }))
    taken(post("/mgmt/tm/net/route-domain", { name = "7", id = 7 }))
  end)
  after_each(stop)

  local SELF <const>, ROUTE <const> = "/mgmt/tm/net/self", "/mgmt/tm/net/route"
  local function self_ip(name, address)
    return post(SELF, { name = name, address = address, vlan = "inside" })
  end
  local function route(name, network, gw)
    return post(ROUTE, { name = name, network = network, gw = gw })
  end
  local function unconnected(gw)
    return (
      "01070330:3: Static route gateway %s is not directly connected via an interface."
    ):format(
      gw
    )
  end

  it("an address of another self IP in the same route domain", function()
    taken(self_ip("a", "10.0.0.1/24"))
    refused(
      self_ip("b", "10.0.0.1/16"),
      "01020066:3: The requested Self IP (10.0.0.1) already exists in partition Common.",
      409
    )
    refused(
      self_ip("b", "10.0.0.1%0/24"),
      "01020066:3: The requested Self IP (10.0.0.1%0) already exists in partition Common.",
      409
    )
    taken(self_ip("b", "10.0.0.1%7/24"))
    taken(self_ip("c", "10.0.0.2/24"))
    taken(self_ip("d", "2001:db8::1/64"))
    refused(
      self_ip("e", "2001:db8:0:0::0001/48"),
      "01020066:3: The requested Self IP (2001:db8::1) already exists in partition Common.",
      409
    )
    taken(self_ip("e", "::ffff:10.0.0.1/120"))
    refused(
      self_ip("f", "::ffff:a00:1/120"),
      "01020066:3: The requested Self IP (::ffff:a00:1) already exists in partition Common.",
      409
    )
    taken(patch(SELF .. "/a", { description = "the same address is its own" }))
  end)

  it("a gateway that no self IP has a network for", function()
    refused(route("r", "default", "10.0.0.254"), unconnected "10.0.0.254")
    taken(self_ip("a", "10.0.0.1/25"))
    refused(route("r", "default", "10.0.0.254"), unconnected "10.0.0.254")
    refused(route("r", "default%7", "10.0.0.2%7"), unconnected "10.0.0.2%7")
    taken(self_ip("b", "10.0.0.129/255.255.255.128"))
    assert.equal("default", taken(route("r", "0.0.0.0/0", "10.0.0.254")).network)
    refused(patch(ROUTE .. "/r", { gw = "10.0.1.1" }), unconnected "10.0.1.1")
    refused(curl(device, "DELETE", SELF .. "/b"), unconnected "10.0.0.254")
    taken(patch(ROUTE .. "/r", { gw = "10.0.0.2" }))
    assert.equal(200, curl(device, "DELETE", SELF .. "/b").status)
    refused(route("six", "default-inet6", "2001:db8::2"), unconnected "2001:db8::2")
    taken(self_ip("c", "2001:db8::1/64"))
    taken(route("six", "default-inet6", "2001:db8::2"))
    taken(route("near", "2001:db8:1::/48", "fe80::1"))
  end)

  it("a gateway without a network only when a transaction ends", function()
    local function in_transaction(...)
      local id <const> = taken(post("/mgmt/tm/transaction", {})).transId
      for _, command in ipairs { ... } do
        taken(
          curl {
            device, "POST", command[1], body = command[2],
            headers = { ["X-F5-REST-Coordination-Id"] = id },
          }
        )
      end
      return patch("/mgmt/tm/transaction/" .. id, { state = "VALIDATING" })
    end
    local the_route <const> = { ROUTE, { name = "r", network = "default", gw = "10.0.0.254" } }
    local answer <const> = in_transaction(the_route)
    assert.equal(400, answer.status)
    assert.matches("01070330:3: Static route gateway", answer.json.message)
    taken(
      in_transaction(the_route, { SELF, { name = "a", address = "10.0.0.1/24", vlan = "inside" } })
    )
  end)

  it("a second route to the same network, as a second default route", function()
    taken(self_ip("a", "10.0.0.1/24"))
    taken(self_ip("b", "10.0.0.1%7/24"))
    taken(route("r", "default", "10.0.0.2"))
    local answer <const> = route("s", "0.0.0.0/0", "10.0.0.3")
    refused(
      answer,
      "01020066:3: The requested route (default) already exists in partition Common.",
      409
    )
    taken(route("s", "default%7", "10.0.0.2%7"))
    taken(route("t", "192.0.2.0/24", "10.0.0.2"))
    refused(
      route("u", "192.0.2.9/255.255.255.0", "10.0.0.2"),
      "01020066:3: The requested route (192.0.2.9/255.255.255.0) already exists in partition "
        .. "Common.",
      409
    )
    taken(route("u", "192.0.2.0/25", "10.0.0.2"))
    taken(patch(ROUTE .. "/r", { mtu = 1400 }))
    lab.refused(
      patch(ROUTE .. "/r", { network = "default", mtu = 1400 }),
      400,
      '"network" may not be specified in the context of the "modify" command. '
        .. '"network" may be specified using the following commands: create, list, show',
      26214401
    )
    assert.equal("default", taken(curl(device, "PUT", ROUTE .. "/r", { gw = "10.0.0.3" })).network)
  end)

  it("a route domain that there is not", function()
    local function missing(path, body, address)
      body.name = body.name or "x"
      refused(
        post("/mgmt/tm/" .. path, body),
        ("01070973:3: The specified route domain (8) does not exist for address (%s)."):format(
          address
        )
      )
    end
    taken(post("/mgmt/tm/ltm/pool", { name = "p" }))
    missing("ltm/node", { address = "10.0.0.1%8" }, "10.0.0.1%8")
    missing("ltm/pool/p/members", { name = "10.0.0.1%8:80" }, "10.0.0.1%8")
    missing("ltm/virtual", { destination = "10.0.0.1%8:80" }, "10.0.0.1%8")
    missing("ltm/virtual", { destination = "2001:db8::1%8.80" }, "2001:db8::1%8")
    missing("ltm/virtual-address", { address = "10.0.0.1%8" }, "10.0.0.1%8")
    missing("ltm/snat-translation", { address = "10.0.0.1%8" }, "10.0.0.1%8")
    missing("ltm/snat", { origins = { "10.0.0.0%8/24" }, automap = true }, "10.0.0.0%8/24")
    missing(
      "ltm/nat",
      { originatingAddress = "10.0.0.1", translationAddress = "10.0.0.1%8" },
      "10.0.0.1%8"
    )
    missing("net/self", { address = "10.0.0.1%8/24", vlan = "inside" }, "10.0.0.1%8/24")
    missing("net/route", { network = "default%8", gw = "10.0.0.1%8" }, "default%8")
    missing("net/arp", { ipAddress = "10.0.0.1%8", macAddress = "00:11:22:33:44:55" }, "10.0.0.1%8")
    taken(post("/mgmt/tm/ltm/pool/p/members", { name = "10.0.0.1%7:80" }))
  end)

  it("servers of DNS and NTP that are none", function()
    local function invalid(path, name, value)
      refused(
        patch(path, { [name] = { "192.0.2.1", value } }),
        ('invalid property value "%s":"%s"'):format(name, tostring(value))
      )
    end
    for _, nonsense in ipairs {
      "nonsense", "192.0.2.256", "192.0.2.1%1", "192.0.2.1 192.0.2.2", "2001:db8::g", 5,
    } do
      invalid("/mgmt/tm/sys/dns", "nameServers", nonsense)
    end
    for _, nonsense in ipairs {
      "two words", "a..b", "-a.example.net", "192.0.2.256", "http://ntp.example.net", "", true,
    } do
      invalid("/mgmt/tm/sys/ntp", "servers", nonsense)
    end
    invalid("/mgmt/tm/sys/dns", "search", "example,net")
    taken(
      patch(
        "/mgmt/tm/sys/dns",
        { nameServers = { "192.0.2.53", "2001:db8::53" }, search = { "example.net", "localhost" } }
      )
    )
    taken(
      patch(
        "/mgmt/tm/sys/ntp",
        { servers = { "ntp1.example.net", "192.0.2.123", "2001:db8::123" } }
      )
    )
    assert.same(
      { "ntp1.example.net", "192.0.2.123", "2001:db8::123" },
      curl(device, "GET", "/mgmt/tm/sys/ntp").json.servers
    )
  end)
end)

describe("simulated device refuses: requests", function()
  setup(start)
  teardown(stop)

  it("with a body that is no JSON", function()
    for method, expected in pairs {
      POST = { 415 }, PUT = { 400, "close" }, PATCH = { 400 },
    } do
      local path <const> = "/mgmt/tm/ltm/pool" .. (method == "POST" and "" or "/p")
      local answer <const> = curl {
        device, method, path, body = '{"a":', headers = { ["Content-Type"] = "application/json" },
      }
      refused(answer, "Found invalid JSON body in the request.", expected[1])
      assert.equal(expected[2], answer.headers.connection)
    end
  end)
end)
