-- Forms of requests and answers that clients of others (F5's Ansible modules) rely on.
local curl <const> = require "curl"
local lab <const> = require "lab"

describe("What clients of others ask a simulated device", function()
  local device, bip
  before_each(function()
    device, bip = lab.start { provision = { "ltm", "gtm", "asm", "apm", "cgnat", "afm" } }
  end)
  after_each(function() lab.stop(bip, device) end)

  local function call(method, path, body) return curl(device, method, "/mgmt/" .. path, body) end
  local function good(method, path, body)
    local answer <const> = call(method, path, body)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end
  local function bash(text)
    local body <const> = { command = "run", utilCmdArgs = ("-c '%s'"):format(text) }
    return good("POST", "tm/util/bash", body).commandResult
  end

  it("answers an empty collection with an empty list", function()
    assert.same({}, good("GET", "tm/ltm/nat").items)
    good("POST", "tm/ltm/pool", { name = "p" })
    assert.same({}, good("GET", "tm/ltm/pool/p/members").items)
    local shown <const> = good("GET", "tm/ltm/pool/p?expandSubcollections=true")
    assert.is_nil(shown.membersReference.items)
  end)

  it("shows the state of a task in its result while it runs", function()
    local task <const> = good("POST", "tm/task/sys/ucs", { command = "save", name = "u" })
    local path <const> = ("tm/task/sys/ucs/%d"):format(task._taskId)
    assert.equal("STARTED", good("GET", path .. "/result")._taskState)
    assert.equal(202, call("PUT", path, { _taskState = "VALIDATING" }).status)
    assert.equal("VALIDATING", good("GET", path .. "/result")._taskState)
    device:advance(10)
    assert.equal("COMPLETED", good("GET", path .. "/result")._taskState)
  end)

  it("takes a flag away when its opposite is set", function()
    for path, stem in pairs {
      ["ltm/lsn-pool"] = "egressInterfaces", ["ltm/virtual"] = "vlans",
      ["sys/smtp-server"] = "authentication",
    } do
      local body <const> = { name = "one", destination = path == "ltm/virtual" and "10.0.0.1:80" }
      good("POST", "tm/" .. path, body)
      local on, off = stem .. "Enabled", stem .. "Disabled"
      local changed <const> = good("PATCH", "tm/" .. path .. "/one", { [on] = true })
      assert.same({ true }, { changed[on], changed[off] }, path)
      local back <const> = good("PATCH", "tm/" .. path .. "/one", { [off] = true })
      assert.same({ nil, true }, { back[on], back[off] }, path)
    end
  end)

  it("keeps the word none where it is one of several values", function()
    local made <const> =
      good("POST", "tm/apm/resource/network-access", { name = "n", snat = "none" })
    assert.equal("none", made.snat)
  end)

  it("lets a transport configuration use profiles of all protocols", function()
    local path <const> = "tm/ltm/message-routing/generic/transport-config"
    good("POST", path, { name = "t", profiles = { "genericmsg", "diametersession", "tcp" } })
    assert.equal(3, #good("GET", path .. "/t/profiles").items)
    assert.equal(404, call("POST", path, { name = "u", profiles = { "no-such" } }).status)
  end)

  it("takes a port behind a whole IPv6 address", function()
    local made <const> = good("POST", "tm/ltm/monitor/tcp", {
      name = "m", destination = "2001:0db8:85a3:0000:0000:8a2e:0370:7334:4016",
    })
    assert.equal("2001:0db8:85a3:0000:0000:8a2e:0370:7334.4016", made.destination)
    for _, wrong in ipairs { "2001:db8::1:x", "2001:0db8:85a3:0000:0000:8a2e:0370:7334:99999" } do
      local body <const> = { name = "w", destination = wrong }
      assert.equal(400, call("POST", "tm/ltm/monitor/tcp", body).status, wrong)
    end
  end)

  it("has networks as names", function()
    local made <const> = good("POST", "tm/sys/management-route", {
      name = "11.11.11.0/24", partition = "Common", network = "11.11.11.0/24",
      gateway = "10.10.10.10",
    })
    assert.same({ "11.11.11.0/24", "Common" }, { made.name, made.partition })
    assert.is_nil(made.subPath)
    local path <const> = "tm/sys/management-route/~Common~11.11.11.0~24"
    assert.equal("10.10.10.10", good("GET", path).gateway)
    good("DELETE", path)
    assert.equal(400, call("POST", "tm/ltm/pool", { name = "no/folder" }).status)
  end)

  it("has full names and numbers in the servers of syslog", function()
    local servers <const> = { { name = "a", host = "192.0.2.1", remotePort = "514" } }
    local shown <const> = good("PATCH", "tm/sys/syslog", { remoteServers = servers })
    assert.same({ "/Common/a", 514 }, { shown.remoteServers[1].name,
      shown.remoteServers[1].remotePort })
    assert.equal("none", shown.remoteServers[1].localIp)
    servers[1].remotePort = "x"
    assert.equal(400, call("PATCH", "tm/sys/syslog", { remoteServers = servers }).status)
  end)

  it("leaves empty lists of the elements of a list out, and keeps words", function()
    local made <const> = good("POST", "tm/net/timer-policy", {
      name = "t", rules = {
        { name = "r", ipProtocol = "udp", destinationPorts = require("f5.json").array {} },
      },
    })
    assert.is_nil(made.rules[1].destinationPorts)
    assert.equal("all", good("PATCH", "tm/net/self-allow", { defaults = "all" }).defaults)
    local list <const> = { "tcp:22" }
    assert.same(list, good("PATCH", "tm/net/self-allow", { defaults = list }).defaults)
  end)

  it("keeps the variables of external monitors", function()
    good("POST", "tm/ltm/monitor/external", { name = "e" })
    local variables <const> = 'user-defined k1 v1 user-defined k2 "v 2"'
    assert.is_nil(bash("tmsh modify ltm monitor external e " .. variables))
    local path <const> = "tm/ltm/monitor/external/e"
    local shown <const> = good("GET", path)
    assert.same({ ["userDefined k1"] = "v1", ["userDefined k2"] = "v 2" }, shown.apiRawValues)
    assert.is_nil(shown.userDefined)
    local text = bash "tmsh list ltm monitor external e"
    assert.truthy(text:find('    user-defined k1 v1\n    user-defined k2 "v 2"\n', 1, true), text)
    bash "tmsh modify ltm monitor external e user-defined k1 none"
    assert.same({ ["userDefined k2"] = "v 2" }, good("GET", path).apiRawValues)
    text = text:gsub(" e {", " f {")
    device:control("write_file", { path = "/var/local/scf/m.scf", text = text })
    good("POST", "tm/sys/config", { command = "load", options = { { merge = true },
      { file = "m.scf" } } })
    assert.equal("v1", good("GET", "tm/ltm/monitor/external/f").apiRawValues["userDefined k1"])
  end)

  it("reads the members of regions in tmsh", function()
    local words <const> = 'not country CN continent EU state "US/New York"'
    assert.is_nil(bash(("tmsh create gtm region r region-members add { %s }"):format(words)))
    local wanted <const> =
      { { name = "not country CN" }, { name = "continent EU" }, { name = 'state "US/New York"' } }
    assert.same(wanted, good("GET", "tm/gtm/region/r").regionMembers)
    bash "tmsh modify gtm region r region-members delete { continent EU }"
    assert.equal(2, #good("GET", "tm/gtm/region/r").regionMembers)
  end)

  it("loads templates of iApps from a file", function()
    local text <const> = [[
sys application template t {
  actions { definition { implementation { } presentation { } role-acl none run-as none } }
  description "a template"
}
]]
    local load <const> = "tmsh load sys application template /var/config/rest/downloads/t.tmpl"
    assert.truthy(bash(load):find("not found", 1, true))
    device:control("write_file", { path = "/var/config/rest/downloads/t.tmpl", text = text })
    assert.is_nil(bash(load))
    assert.equal("a template", good("GET", "tm/sys/application/template/t").description)
    device:control("write_file", {
      path = "/var/config/rest/downloads/t.tmpl", text = "ltm pool /Common/hidden { }\n",
    })
    assert.truthy(bash(load))
    assert.equal(404, call("GET", "tm/ltm/pool/hidden").status)
  end)

  it("drops the folder of drafts with its partition", function()
    good("POST", "tm/auth/partition", { name = "foo" })
    good("POST", "tm/ltm/policy", { name = "p", partition = "foo", subPath = "Drafts" })
    assert.equal(400, call("DELETE", "tm/auth/partition/foo").status)
    good("DELETE", "tm/ltm/policy/~foo~Drafts~p")
    good("DELETE", "tm/auth/partition/foo")
    assert.equal(404, call("GET", "tm/sys/folder/~foo~Drafts").status)
  end)

  it("has the community and the signature sets of a new device", function()
    local community <const> = good("GET", "tm/sys/snmp/communities/~Common~comm-public")
    assert.same({ "public", "default" }, { community.communityName, community.source })
    local sets <const> = {}
    for _, set in ipairs(good("GET", "tm/asm/signature-sets").items) do sets[set.name] = true end
    for _, name in ipairs { "OWA Signatures", "WebSphere signatures", "Cisco Signatures" } do
      assert.is_true(sets[name], name)
    end
  end)

  it("refuses a transparent tunnel to one address", function()
    good("POST", "tm/net/tunnels/tunnel", {
      name = "t", profile = "ipip", localAddress = "192.0.2.1", remoteAddress = "192.0.2.2",
    })
    local path <const> = "tm/net/tunnels/tunnel/t"
    assert.equal(400, call("PATCH", path, { transparent = "enabled" }).status)
    good("PATCH", path, { transparent = "enabled", remoteAddress = "any" })
  end)

  it("reads how many probes of a monitor must succeed", function()
    good("POST", "tm/gtm/datacenter", { name = "dc" })
    local server <const> = good("POST", "tm/gtm/server", {
      name = "s", product = "generic-host", datacenter = "/Common/dc",
      addresses = { { name = "192.0.2.9", deviceName = "s" } },
      monitor = "require 1 from 2  /Common/gateway_icmp",
    })
    assert.equal("require 1 from 2 { /Common/gateway_icmp }", server.monitor)
    local pool <const> = { name = "p", monitor = "min 1 of http tcp" }
    assert.equal("min 1 of { /Common/http /Common/tcp }", good("POST", "tm/ltm/pool", pool).monitor)
  end)

  it("takes the interface of a route to a link-local gateway", function()
    good("POST", "tm/net/vlan", { name = "v" })
    local route <const> = { name = "r", network = "2001:db8::/32", gw = "fe80::12" }
    route.tmInterface = "/Common/v"
    local made <const> = good("POST", "tm/net/route", route)
    assert.same({ "fe80::12", "/Common/v" }, { made.gw, made.tmInterface })
    route.name, route.network, route.pool = "q", "2001:db9::/32", "/Common/p"
    assert.equal(400, call("POST", "tm/net/route", route).status)
  end)

  it("checks the passphrase of a key in a chain only", function()
    local pem <const> = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
      .. "DEK-Info: AES-256-CBC,55CD1B63AFA8A3B162E405E8FD25B0C7\n\nAAAA\n"
      .. "-----END RSA PRIVATE KEY-----\n"
    local file <const> = "/var/config/rest/downloads/k.key"
    device:control("write_file", { path = file, text = pem })
    good("POST", "tm/sys/file/ssl-key", { name = "k.key", sourcePath = "file://" .. file })
    bash("rm " .. file)
    local path <const> = "tm/ltm/profile/client-ssl"
    local pair = { name = "k", cert = "/Common/default.crt", key = "/Common/k.key" }
    good("POST", path, { name = "p" })
    local refused = call("PATCH", path .. "/p", { certKeyChain = { pair } })
    assert.equal(400, refused.status)
    assert.truthy(refused.json.message:find("bad password read", 1, true))
    pair.passphrase = "secret"
    local chain <const> = good("PATCH", path .. "/p", { certKeyChain = { pair } }).certKeyChain
    assert.truthy(chain[1].passphrase:find "^%$M%$")
    -- what was read is written back
    good("PATCH", path .. "/p", { certKeyChain = chain })
  end)

  it("has statistics of trunks", function()
    good("POST", "tm/net/trunk", { name = "t" })
    local _, stats <const> = next(good("GET", "tm/net/trunk/t/stats").entries)
    local entries <const> = stats.nestedStats.entries
    assert.equal("uninit", entries.status.description)
    assert.same({ "t", 0 }, { entries.tmName.description, entries["counters.bitsIn"].value })
  end)
end)
