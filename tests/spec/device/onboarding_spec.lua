-- The simulated DO: what it takes, what it makes of it, what it refuses and with which words.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"

local ROOT <const> = "/mgmt/shared/declarative-onboarding"

-- A declaration with these objects.
local function device_of(common, more)
  common.class = "Tenant"
  local declaration = { class = "Device", schemaVersion = "1.44.0", Common = common }
  for key, value in pairs(more or {}) do declaration[key] = value end
  return declaration
end

describe("D2 DO on the simulated device", function()
  local device

  before_each(function() device = sim.start { extensions = { "do=1.44.0" } } end)
  after_each(function() lab.stop(device) end)

  local function post(body, query)
    return curl { device, "POST", ROOT .. (query or ""), body = body }
  end

  local function get(path) return curl { device, "GET", path }.json end

  local function declared(common, more)
    local answer = post(device_of(common, more))
    assert.equal(200, answer.status, answer.body)
    assert.equal("success", answer.json.result.message)
    return answer.json
  end

  -- Expects that a declaration is refused before anything is changed.
  local function refused(common, errors, more)
    local answer = post(device_of(common, more))
    assert.equal(400, answer.status, answer.body)
    assert.equal("bad declaration", answer.json.message)
    assert.same(errors, answer.json.result.errors)
  end

  -- The differences that a declaration would make.
  local function differences(common)
    local answer = declared(common, {
      controls = { class = "Controls", dryRun = true, traceResponse = true },
    })
    return answer.traces.diff
  end

  it("says its version, and has no task at first", function()
    local info = get(ROOT .. "/info")[1]
    assert.equal("1.44.0 1 1.44.0 1.0.0 0", table.concat({
      info.version, info.release, info.schemaCurrent, info.schemaMinimum, info.id,
    }, " "))
    assert.same({}, get(ROOT))
    assert.same({}, get(ROOT .. "/task"))
    assert.same({}, get(ROOT .. "/config"))
    local lost = curl { device, "GET", ROOT .. "/task/none" }
    assert.equal("404 item does not exist", lost.status .. " " .. lost.json.result.message)
  end)

  it("sets the system, DNS, NTP, services and variables", function()
    declared {
      system = {
        class = "System", hostname = "edge.example.com", cliInactivityTimeout = 1200,
        consoleInactivityTimeout = 600, autoPhonehome = false,
      },
      dns = { class = "DNS", nameServers = { "192.0.2.8", "2001:db8::8844" } },
      ntp = { class = "NTP", servers = { "192.0.2.9" }, timezone = "Europe/Berlin" },
      web = { class = "HTTPD", maxClients = 12, authPamIdleTimeout = 300 },
      ssh = { class = "SSHD", inactivityTimeout = 900, ciphers = { "aes256-ctr" } },
      db = { class = "DbVariables", ["ui.advisory.enabled"] = true },
      log = { class = "SyslogRemoteServer", host = "192.0.2.50" },
    }
    local settings = get "/mgmt/tm/sys/global-settings"
    assert.equal("edge.example.com 600", settings.hostname .. " " ..
      settings.consoleInactivityTimeout)
    assert.equal("edge.example.com", get("/mgmt/tm/cm/device").items[1].name)
    assert.equal("20", tostring(get("/mgmt/tm/cli/global-settings").idleTimeout))
    assert.equal("disabled", get("/mgmt/tm/sys/software/update").autoPhonehome)
    local dns = get "/mgmt/tm/sys/dns"
    assert.same({ "192.0.2.8", "2001:db8::8844" }, dns.nameServers)
    assert.is_nil(dns.search)
    assert.equal("Europe/Berlin", get("/mgmt/tm/sys/ntp").timezone)
    assert.equal(12, get("/mgmt/tm/sys/httpd").maxClients)
    local ssh = get "/mgmt/tm/sys/sshd"
    assert.equal("900 Ciphers aes256-ctr\n", ssh.inactivityTimeout .. " " .. ssh.include)
    assert.equal("true", get("/mgmt/tm/sys/db/ui.advisory.enabled").value)
    assert.equal("192.0.2.50", get("/mgmt/tm/sys/syslog").remoteServers[1].host)
  end)

  local NETWORK <const> = {
    trunk = { class = "Trunk", interfaces = { "1.3" }, lacpEnabled = true },
    inside = { class = "VLAN", tag = 100, interfaces = { { name = "1.1", tagged = true } } },
    ["inside-self"] = {
      class = "SelfIp", address = "198.51.100.2/24", vlan = "inside", allowService = "default",
    },
    way = { class = "Route", gw = "198.51.100.1", network = "203.0.113.0/24" },
    domain = { class = "RouteDomain", id = 7, parent = "parent" },
    parent = { class = "RouteDomain", id = 8 },
    tunnel = { class = "Tunnel", tunnelType = "tcp-forward", mtu = 1400 },
  }

  local function network()
    local copy = {}
    for name, object in pairs(NETWORK) do copy[name] = object end
    return copy
  end

  it("makes the network, and changes only what differs", function()
    declared(network())
    assert.equal(100, get("/mgmt/tm/net/vlan/~Common~inside").tag)
    local self = get "/mgmt/tm/net/self/~Common~inside-self"
    assert.same({ "default" }, self.allowService)
    assert.equal("198.51.100.1", get("/mgmt/tm/net/route/~Common~way").gw)
    assert.equal("/Common/parent", get("/mgmt/tm/net/route-domain/~Common~domain").parent)
    assert.equal("enabled", get("/mgmt/tm/net/trunk/trunk").lacp)
    assert.equal(1400, get("/mgmt/tm/net/tunnels/tunnel/~Common~tunnel").mtu)
    assert.same({}, differences(network()))
    declared(network())
    assert.equal(self.generation, get("/mgmt/tm/net/self/~Common~inside-self").generation)
    local other = network()
    other.inside = { class = "VLAN", tag = 101, interfaces = { { name = "1.1", tagged = true } } }
    assert.same({
      { kind = "E", path = { "Common", "VLAN", "inside", "tag" }, lhs = 100, rhs = 101 },
    }, differences(other))
    declared(other)
    assert.equal(101, get("/mgmt/tm/net/vlan/~Common~inside").tag)
  end)

  it("changes addresses, and what can be changed of them", function()
    local all = network()
    declared(all)
    local function own(address, services)
      all["inside-self"] = {
        class = "SelfIp", address = address, vlan = "inside", allowService = services,
      }
      declared(all)
      local self = get "/mgmt/tm/net/self/~Common~inside-self"
      return self.address .. " " .. json.encode(self.allowService or "none")
    end
    assert.equal('198.51.100.2/24 ["tcp:443"]', own("198.51.100.2/24", { "tcp:443" }))
    assert.equal('198.51.100.3/24 "none"', own("198.51.100.3/24", "none"))
    assert.equal('198.51.100.3/24 "all"', own("198.51.100.3/24", "all"))
    assert.same({}, differences(all))
  end)

  it("removes what a declaration no longer names, and gives back what was there", function()
    local first = get "/mgmt/tm/sys/ntp"
    local all = network()
    all.ntp = { class = "NTP", servers = { "192.0.2.9" } }
    declared(all)
    all.way, all.ntp = nil, nil
    assert.equal(2, #differences(all))
    declared(all)
    assert.equal(404, curl { device, "GET", "/mgmt/tm/net/route/~Common~way" }.status)
    assert.same(first.servers, get("/mgmt/tm/sys/ntp").servers)
    declared {}
    assert.same({}, get("/mgmt/tm/net/vlan").items)
    assert.same({}, get("/mgmt/tm/net/self").items)
    assert.equal(1, #get("/mgmt/tm/net/route-domain").items)
  end)

  it("takes the place of a management route, and keeps a name that cannot be set", function()
    lab.stop(device)
    device = sim.start { extensions = { "do" }, hostname = "bigip1" }
    local function route(gateway)
      return { class = "ManagementRoute", network = "203.0.113.0/24", gw = gateway }
    end
    declared { hostname = "edge.example.com", old = route "192.0.2.1" }
    declared { fresh = route "192.0.2.2" }
    local names = {}
    for i, one in ipairs(get("/mgmt/tm/sys/management-route").items) do names[i] = one.name end
    assert.same({ "fresh" }, names)
    assert.equal("edge.example.com", get("/mgmt/tm/sys/global-settings").hostname)
    declared {}
    assert.equal("default", get("/mgmt/tm/sys/management-route").items[1].name)
  end)

  it("undoes everything when the device refuses something", function()
    local all = network()
    all.bad = { class = "SelfIp", address = "198.51.100.2/24", vlan = "inside" }
    local answer = post(device_of(all))
    assert.equal(409, answer.status, answer.body)
    assert.equal("ERROR invalid config - rolled back", answer.json.status .. " "
      .. answer.json.message)
    assert.matches("already exists", answer.json.errors[1])
    assert.same({}, get("/mgmt/tm/net/vlan").items)
    assert.same({}, get("/mgmt/tm/net/trunk").items)
  end)

  it("is a task with a status while it works, and while it rolls back", function()
    local function slow()
      device:control("next_declaration", { extension = "do", seconds = 1000 })
    end
    slow()
    local answer = post(device_of(network(), { async = true }))
    assert.equal("202 RUNNING processing", table.concat({
      answer.status, answer.json.result.status, answer.json.result.message,
    }, " "))
    local path = ROOT .. "/task/" .. answer.json.id
    assert.equal(202, curl { device, "GET", path }.status)
    assert.equal(200, curl { device, "GET", path .. "?statusCodes=experimental" }.status)
    assert.same({}, get("/mgmt/tm/net/vlan").items)
    device:advance(1001)
    local done = curl { device, "GET", path }
    assert.equal("200 OK", done.status .. " " .. done.json.result.status)
    assert.is_nil(done.json.code)
    assert.equal(done.json.id, get(ROOT).id)
    slow()
    local all = network()
    all.bad = { class = "SelfIp", address = "198.51.100.2/24", vlan = "inside" }
    local id = post(device_of(all, { async = true })).json.id
    device:advance(500)
    assert.equal("RUNNING", get(ROOT .. "/task/" .. id).result.status)
    device:advance(600)
    local rolling = get(ROOT .. "/task/" .. id).result
    assert.equal("ROLLING_BACK invalid config - rolling back", rolling.status .. " "
      .. rolling.message)
    device:advance(1000)
    local over = curl { device, "GET", ROOT .. "/task/" .. id }
    assert.equal("409 invalid config - rolled back", over.status .. " " .. over.json.message)
    assert.matches("already exists", over.json.errors[1])
    local full = get(ROOT .. "/task/" .. id .. "?show=full")
    assert.equal("100 true", ("%d %s"):format(full.currentConfig.Common.VLAN.inside.tag,
      tostring(next(full.originalConfig.Common.VLAN) == nil)))
  end)

  it("shows differences of a dry run, and changes nothing", function()
    local before = get "/mgmt/tm/sys/dns"
    local answer = declared({ dns = { class = "DNS", nameServers = { "192.0.2.1" } } }, {
      controls = { class = "Controls", dryRun = true, traceResponse = true },
    })
    assert.is_true(answer.result.dryRun)
    local one = answer.traces.diff[1]
    assert.equal("E Common.DNS.nameServers.0", one.kind .. " " .. table.concat(one.path, "."))
    assert.same({ "192.0.2.1" }, answer.traces.desired.Common.DNS.nameServers)
    assert.same(before, get "/mgmt/tm/sys/dns")
  end)

  it("keeps what was there before the first declaration, until it is deleted", function()
    declared { dns = { class = "DNS", nameServers = { "192.0.2.1" } } }
    local config = get(ROOT .. "/config")[1]
    assert.same({ "192.0.2.53" }, config.Common.DNS.nameServers)
    local refusal = curl { device, "DELETE", ROOT .. "/task" }
    assert.equal("400 DELETE is only supported for the config endpoint",
      refusal.status .. " " .. refusal.json.message)
    assert.equal(200, curl { device, "DELETE", ROOT .. "/config/" .. config.id }.status)
    assert.same({}, get(ROOT .. "/config"))
  end)

  it("makes users, changes the password of the caller, and shows no secret", function()
    local token = curl { device, "POST", "/mgmt/shared/authn/login", body = {
      username = "admin", password = "admin", loginProviderName = "tmos",
    } }.json.token.token
    local users = {
      admin = { class = "User", userType = "regular", password = "n3w-Passw0rd", shell = "bash" },
      guest = {
        class = "User", userType = "regular", password = "gu3st-Pass", shell = "none",
        partitionAccess = { Common = { role = "guest" } }, forceInitialPasswordChange = false,
      },
    }
    local answer = declared(users)
    assert.is_nil(answer.declaration.Common.guest.password)
    assert.equal("none", answer.declaration.Common.guest.shell)
    assert.equal(401, curl { device, "GET", "/mgmt/tm/sys/dns" }.status)
    local function as(user) return curl { device, "GET", "/mgmt/tm/auth/user", user = user } end
    assert.equal(200, as("admin:n3w-Passw0rd").status)
    assert.equal(401, curl { device, "GET", "/mgmt/tm/sys/dns", token = token }.status)
    local list = as("admin:n3w-Passw0rd").json.items
    local guest
    for _, one in ipairs(list) do guest = one.name == "guest" and one or guest end
    assert.same({ name = "Common", role = "guest" }, {
      name = guest.partitionAccess[1].name, role = guest.partitionAccess[1].role,
    })
    local again = curl { device, "POST", ROOT, user = "admin:n3w-Passw0rd",
      body = device_of(users) }
    assert.equal(200, again.status, again.body)
    assert.same(list, as("admin:n3w-Passw0rd").json.items)
  end)

  it("removes ways of authentication and texts that are no longer declared", function()
    declared {
      ways = {
        class = "Authentication", enabledSourceType = "tacacs",
        tacacs = { servers = { "192.0.2.60" }, secret = "s3cret", service = "ppp" },
        radius = { servers = { primary = { server = "192.0.2.61", secret = "s3cret" } } },
      },
      ssh = { class = "SSHD", banner = "Hello" },
    }
    assert.equal("tacacs", get("/mgmt/tm/auth/source").type)
    assert.equal("Hello", get("/mgmt/tm/sys/sshd").bannerText)
    declared { ways = { class = "Authentication", enabledSourceType = "local" } }
    for _, kind in ipairs { "tacacs", "radius", "radius-server" } do
      assert.same({}, get("/mgmt/tm/auth/" .. kind).items, kind)
    end
    assert.equal("local", get("/mgmt/tm/auth/source").type)
    assert.is_nil(get("/mgmt/tm/sys/sshd").bannerText)
  end)

  it("provisions modules, and takes them back", function()
    declared { modules = { class = "Provision", ltm = "nominal", avr = "minimum" } }
    assert.equal("minimum", get("/mgmt/tm/sys/provision/avr").level)
    declared {}
    assert.equal("none", get("/mgmt/tm/sys/provision/avr").level)
    assert.equal("nominal", get("/mgmt/tm/sys/provision/ltm").level)
  end)

  it("writes GSLB and the firewall with the modules that they need, and removes them", function()
    local function all()
      return {
        modules = { class = "Provision", ltm = "nominal", gtm = "minimum", afm = "minimum" },
        center = { class = "GSLBDataCenter", proberPool = "probers", proberPreferred = "pool" },
        server = {
          class = "GSLBServer", dataCenter = "/Common/center", serverType = "generic-host",
          devices = { { address = "192.0.2.5" } }, monitors = { "/Common/check", "/Common/tcp" },
          virtualServers = { { address = "2001:db8:0::6", port = 443, enabled = false } },
        },
        check = { class = "GSLBMonitor", monitorType = "http", target = "*:80", interval = 40 },
        probers = { class = "GSLBProberPool", members = { { server = "/Common/server" } } },
        hosts = { class = "FirewallAddressList", addresses = { "198.51.100.0/24" } },
        ports = { class = "FirewallPortList", ports = { 443, "8000-8010" } },
        policy = {
          class = "FirewallPolicy", rules = {
            { name = "web", action = "accept", protocol = "tcp",
              source = { addressLists = { "/Common/hosts" } },
              destination = { portLists = { "/Common/ports" } } },
            { name = "rest", action = "reject", protocol = "any" },
          },
        },
        inside = { class = "VLAN", interfaces = { { name = "1.1", tagged = false } } },
        own = {
          class = "SelfIp", address = "198.51.100.2/24", vlan = "inside",
          enforcedFirewallPolicy = "policy",
        },
      }
    end
    declared(all())
    assert.equal("/Common/probers", get("/mgmt/tm/gtm/datacenter/~Common~center").proberPool)
    assert.equal("/Common/check and /Common/tcp",
      get("/mgmt/tm/gtm/server/~Common~server").monitor)
    local one = get("/mgmt/tm/gtm/server/~Common~server/virtual-servers").items[1]
    assert.equal("2001:db8::6.443 true", one.destination .. " " .. tostring(one.disabled))
    assert.equal(40, get("/mgmt/tm/gtm/monitor/http/~Common~check").interval)
    assert.equal("/Common/policy", get("/mgmt/tm/net/self/~Common~own").fwEnforcedPolicy)
    local rules = get("/mgmt/tm/security/firewall/policy/~Common~policy/rules").items
    assert.equal(2, #rules)
    assert.same({ "/Common/hosts" }, rules[1].name == "web" and rules[1].source.addressLists
      or rules[2].source.addressLists)
    assert.same({}, differences(all()))
    local other = all()
    other.center.enabled = false
    declared(other)
    assert.is_true(get("/mgmt/tm/gtm/datacenter/~Common~center").disabled)
    assert.same({}, differences(other))
    declared { modules = all().modules }
    for _, path in ipairs {
      "gtm/datacenter", "gtm/server", "gtm/prober-pool", "security/firewall/policy", "net/self",
    } do
      assert.same({}, get("/mgmt/tm/" .. path).items, path)
    end
    assert.equal(404, curl { device, "GET", "/mgmt/tm/gtm/monitor/http/~Common~check" }.status)
  end)

  it("writes dynamic routing, and removes it", function()
    local function all()
      return {
        paths = { class = "RoutingAsPath", entries = { { name = 10, regex = "^1$" } } },
        nets = {
          class = "RoutingPrefixList", entries = {
            { name = 5, action = "permit", prefix = "192.0.2.0/24", prefixLengthRange = "25:27" },
          },
        },
        map = {
          class = "RouteMap", entries = {
            { name = 20, action = "permit", match = {
              asPath = "paths", ipv4 = { address = { prefixList = "nets" } },
            } },
          },
        },
        bgp = {
          class = "RoutingBGP", localAS = 65010, routerId = "192.0.2.4",
          addressFamilies = { { internetProtocol = "all", redistributionList = {
            { routingProtocol = "static", routeMap = "map" }, { routingProtocol = "kernel" },
          } } },
          peerGroups = { { name = "peers", remoteAS = 65020 } },
          neighbors = { { address = "192.0.2.9", peerGroup = "peers", ebgpMultihop = 2 } },
        },
      }
    end
    declared(all())
    assert.equal("enable", get("/mgmt/tm/sys/db/tmrouted.tmos.routing").value)
    local bgp = get "/mgmt/tm/net/routing/bgp/~Common~bgp"
    assert.same({
      { name = "ipv4", redistribute = {
        { name = "kernel" }, { name = "static", routeMap = "/Common/map" },
      } },
      { name = "ipv6", redistribute = {
        { name = "kernel" }, { name = "static", routeMap = "/Common/map" },
      } },
    }, bgp.addressFamily)
    assert.equal("192.0.2.9 2", bgp.neighbor[1].name .. " " .. bgp.neighbor[1].ebgpMultihop)
    local entry = get("/mgmt/tm/net/routing/route-map/~Common~map").entries[1]
    assert.equal("20 /Common/paths", entry.name .. " " .. entry.match.asPath)
    assert.same({}, differences(all()))
    declared {}
    for _, kind in ipairs { "bgp", "route-map", "prefix-list", "as-path" } do
      assert.same({}, get("/mgmt/tm/net/routing/" .. kind).items, kind)
    end
  end)

  it("reboots when the device says that it must, and ends after the boot", function()
    local booted = device:control("state").booted
    curl { device, "PATCH", "/mgmt/tm/sys/db/provision.action", body = { value = "reboot" } }
    local answer = post(device_of({ dns = { class = "DNS", nameServers = { "192.0.2.1" } } }))
    assert.equal("202 REBOOTING reboot required", table.concat({
      answer.status, answer.json.result.status, answer.json.result.message,
    }, " "))
    device:advance(20)
    assert.is_true(device:control("state").booted > booted)
    device:advance(20)
    local done = curl { device, "GET", ROOT .. "/task/" .. answer.json.id }
    assert.equal("200 OK", done.status .. " " .. done.json.result.status)
    assert.equal("none", get("/mgmt/tm/sys/db/provision.action").value)
  end)

  it("goes on after a reboot in the middle of a task, and after it was saved", function()
    device:control("next_declaration", { extension = "do", seconds = 5 })
    local id = post(device_of(network(), { async = true })).json.id
    device:control("reboot", { seconds = 20 })
    device:advance(30)
    local task = get(ROOT .. "/task/" .. id)
    assert.equal("OK", task.result.status)
    local state = device:control "state"
    declared {}
    assert.same({}, get("/mgmt/tm/net/vlan").items)
    device:control("restore", json.decode(json.encode(state)))
    assert.same(task, get(ROOT .. "/task/" .. id))
    assert.same({}, differences(network()))
    declared {}
    assert.same({}, get("/mgmt/tm/net/vlan").items)
  end)

  it("names the mistakes of a declaration with their paths", function()
    local answer = post(device_of { v = { class = "VLAN", tag = "x", interfaces = {} } })
    assert.equal(400, answer.status)
    local one = answer.json.errors[1]
    assert.equal(".declaration.Common['v'].tag should be integer", one.dataPath .. " "
      .. one.message)
    refused({ root = { class = "User", userType = "regular" } },
      { "root must have userType root" })
    refused({
      hostname = "a.example.com", s = { class = "System", hostname = "b.example.com" },
    }, { "multiple hostnames in declaration" })
    local text = curl { device, "POST", ROOT, body = "nonsense" }
    assert.equal(400, text.status)
  end)

  it("refuses by name what is not simulated", function()
    refused({
      waf = { class = "SecurityWaf" }, disk = { class = "Disk", applicationData = 26214400 },
    }, {
      "/Common/disk: the class Disk is not simulated",
      "/Common/waf: the class SecurityWaf is not simulated",
    })
    refused({}, { "webhook: calls of other hosts are not simulated" },
      { webhook = "https://example.com/hook" })
    local answer = post {
      class = "DO", targetHost = "192.0.2.7", declaration = device_of {},
    }
    assert.same({ "targetHost: other devices than the own one are not simulated" },
      answer.json.errors)
    assert.equal(200, post({ class = "DO", declaration = device_of {} }).status)
  end)

  it("shows the configuration as a declaration that changes nothing", function()
    local all = network()
    all.hosts = { class = "NetAddressList", addresses = { "198.51.100.0/24" } }
    all.log = { class = "SyslogRemoteServer", host = "192.0.2.50" }
    all.role = {
      class = "RemoteAuthRole", attribute = "F5-LTM-User-Info-1=x", console = "tmsh",
      lineOrder = 1, role = "guest", remoteAccess = true, userPartition = "Common",
    }
    declared(all)
    local answer = get(ROOT .. "/inspect")[1]
    assert.equal(200, answer.result.code, json.encode(answer.result.errors))
    local common = answer.declaration.declaration.Common
    assert.same({
      class = "VLAN", mtu = 1500, tag = 100, interfaces = { { name = "1.1", tagged = true } },
      autoLastHop = "default", cmpHash = "default", failsafeEnabled = false,
      failsafeAction = "failover-restart-tm", failsafeTimeout = 90,
    }, common.inside)
    assert.equal("DNS", common.currentDNS.class)
    assert.equal(0, common.rd0.id)
    assert.equal("tcp-forward", common.tunnel.tunnelType)
    common.log = all.log
    local again = answer.declaration
    again.declaration.controls = { class = "Controls", dryRun = true, traceResponse = true }
    local lines = {}
    for _, one in ipairs(post(again).json.traces.diff) do
      lines[#lines + 1] = table.concat(one.path, ".")
    end
    -- a setting that the simulated device has no value for, and the declaration a default
    assert.same({ "Common.System.guiSecurityBannerText" }, lines)
    assert.equal(400, curl { device, "GET", ROOT .. "/inspect?targetHost=192.0.2.1" }.status)
  end)

  it("answers like an URI of nobody where it is not installed", function()
    lab.stop(device)
    device = sim.start {}
    local answer = curl { device, "GET", ROOT .. "/info" }
    assert.equal(404, answer.status)
    assert.matches("not registered", answer.json.message)
  end)
end)
