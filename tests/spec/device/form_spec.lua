-- The form of answers: lists of names, words that stay, properties that are left out, defaults of
-- new objects, statistics of kinds without counters.
local curl <const> = require "curl"
local lab <const> = require "lab"

describe("The form of what a simulated device answers", function()
  local device, bip
  before_each(function()
    device, bip = lab.start { provision = { "ltm", "gtm", "afm" } }
  end)
  after_each(function() lab.stop(bip, device) end)

  local function post(path, body)
    local answer <const> = curl(device, "POST", "/mgmt/tm/" .. path, body)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end
  local function get(path) return curl(device, "GET", "/mgmt/tm/" .. path).json end

  it("shows none where an empty text was written and none is the default", function()
    local path <const> = "/mgmt/tm/ltm/profile/"
    post("ltm/profile/server-ssl", { name = "s", ocsp = "" })
    assert.equal("none", get("ltm/profile/server-ssl/s").ocsp)
    local body <const> = { cert = "", key = "" }
    assert.equal(200, curl(device, "PATCH", path .. "server-ssl/s", body).status)
    local shown <const> = get "ltm/profile/server-ssl/s"
    assert.same({ "none", "none" }, { shown.cert, shown.key })
    post("ltm/profile/http", { name = "h", explicitProxy = { dnsResolver = "" } })
    assert.equal("none", get("ltm/profile/http/h").explicitProxy.dnsResolver)
    post("ltm/pool", { name = "p", description = "" })
    assert.is_nil(get("ltm/pool/p").description)
  end)

  it("refuses a record of a data group that is there twice", function()
    local path <const> = "/mgmt/tm/ltm/data-group/internal"
    for kind, twice in pairs {
      string = { "a", "a" }, integer = { "1", "1" }, ip = { "10.0.0.1", "10.0.0.1/32" },
    } do
      local records <const> = { { name = twice[1], data = "x" }, { name = twice[2], data = "y" } }
      local answer <const> =
        curl(device, "POST", path, { name = "d", type = kind, records = records })
      assert.equal(409, answer.status)
      assert.matches("^01020066:3: The requested class " .. kind, answer.json.message)
    end
    assert.equal(404, curl(device, "GET", path .. "/d").status)
  end)

  it("has lists of names as objects with links", function()
    post("ltm/pool", { name = "p" })
    post("ltm/virtual", {
      name = "v", destination = "10.0.0.1:80",
      clonePools = { { name = "/Common/p", context = "clientside" } },
    })
    local clone <const> = get("ltm/virtual/v").clonePools[1]
    assert.same({ "p", "Common", "clientside" }, { clone.name, clone.partition, clone.context })
    local link <const> = "https://localhost/mgmt/tm/ltm/pool/~Common~p?ver=17.1.3"
    assert.equal(link, clone.nameReference.link)

    post("gtm/pool/a", { name = "g" })
    local wide <const> = post("gtm/wideip/a", {
      name = "w.example.net", pools = { { name = "g", partition = "/Common" } },
    })
    assert.equal("Common", wide.pools[1].partition)
    assert.truthy(wide.pools[1].nameReference.link:find("/gtm/pool/a/~Common~g?", 1, true))

    local group <const> = post("ltm/cipher/group", { name = "c", allow = { "f5-aes" } })
    local rule <const> = group.allow[1].nameReference.link
    assert.truthy(rule:find("/ltm/cipher/rule/~Common~f5-aes?", 1, true))
    local body <const> = { name = "d", allow = { "no-such-rule" } }
    assert.equal(404, curl(device, "POST", "/mgmt/tm/ltm/cipher/group", body).status)

    local addresses <const> =
      post("security/firewall/address-list", { name = "a", addresses = { "10.0.0.1" } })
    assert.same({ { name = "10.0.0.1" } }, addresses.addresses)
  end)

  it("keeps none where it is a value, and leaves emptied lists out", function()
    local pool <const> = post("gtm/pool/a", { name = "g", fallbackMode = "none" })
    assert.equal("none", pool.fallbackMode)
    post("net/vlan", { name = "lan" })
    local self_ip <const> =
      post("net/self", { name = "s", address = "10.1.1.1/24", vlan = "lan", allowService = {} })
    assert.is_nil(self_ip.allowService)
    assert.is_nil(post("auth/partition", { name = "P" }).description)
  end)

  it("has the defaults of new objects", function()
    assert.equal("default", post("gtm/pool/a", { name = "g" }).monitor)
    local radius <const> =
      post("auth/radius-server", { name = "r", server = "10.1.1.1", secret = "x" })
    assert.same({ 1812, 3 }, { radius.port, radius.timeout })
    local monitor <const> = post("ltm/monitor/http", { name = "m" })
    assert.same({ "disabled", "*:*" }, { monitor.reverse, monitor.destination })
    assert.is_nil(monitor.recv)
    post("gtm/listener", { name = "l", address = "10.1.1.2" })
    local listener <const> =
      curl(device, "PATCH", "/mgmt/tm/gtm/listener/l", { disabled = true }).json
    assert.same({ true, nil, 53 }, { listener.disabled, listener.enabled, listener.port })
  end)

  it("has factory profiles of message routing, and profiles of a way to peers", function()
    local function count(path) return #(get("ltm/message-routing/" .. path).items or {}) end
    assert.equal(2, count "sip/profile/session")
    assert.equal(2, count "sip/profile/router")
    for _, path in ipairs {
      "diameter/profile/router", "diameter/profile/session", "generic/router",
      "mqtt/profile/router",
    } do
      assert.equal(1, count(path), path)
    end
    local way <const> = post("ltm/message-routing/generic/transport-config", {
      name = "t", profiles = { "/Common/tcp", "/Common/genericmsg" },
    })
    assert.is_true(way.profilesReference.isSubcollection)
    assert.equal(2, count "generic/transport-config/t/profiles")
  end)

  it("has remote roles with full names", function()
    local role <const> = post("auth/remote-role/role-info", { name = "grp", attribute = "a" })
    assert.equal("/Common/grp", role.name)
    assert.equal("a", get("auth/remote-role/role-info/grp").attribute)
    assert.equal("a", get("auth/remote-role/role-info/~Common~grp").attribute)
  end)

  it("names the same device everywhere", function()
    local info <const> =
      curl(device, "GET", "/mgmt/shared/identified-devices/config/device-info").json
    assert.equal(get("cm/device").items[1].fullPath, info.mcpDeviceName)
  end)

  it("has no generation in singletons", function()
    assert.is_nil(get("sys/ntp").generation)
    local changed <const> =
      curl(device, "PATCH", "/mgmt/tm/sys/ntp", { timezone = "Europe/Berlin" }).json
    assert.is_nil(changed.generation)
  end)

  it("has the database variables of a device that runs", function()
    local function value_of(name) return get("sys/db/" .. name).value end
    assert.equal(get("sys/global-settings").hostname, value_of "hostname")
    assert.equal("17.1.3", value_of "version.version")
    assert.equal("251012124302", value_of "version.built")
    assert.equal("active", value_of "failover.state")
    curl(device, "POST", "/mgmt/tm/sys/failover", { command = "run", offline = true })
    assert.equal("forced_offline", value_of "failover.state")
    curl(device, "POST", "/mgmt/tm/sys/failover", { command = "run", online = true })
    assert.equal("active", value_of "failover.state")
    assert.equal("10", get("sys/db/dos.scrubtime").defaultValue)
  end)

  it("has statistics only where a device was seen to have them", function()
    post("ltm/cipher/rule", { name = "few", cipher = "DEFAULT" })
    local stats <const> = get "ltm/cipher/rule/few/stats"
    assert.equal("tm:ltm:cipher:rule:rulestats", stats.kind)
    assert.is_nil(stats.entries)
    device:control(
      "traffic", { ["/mgmt/tm/ltm/cipher/rule/~Common~few"] = { ["stats.pktsIn"] = 7 } }
    )
    local _, entry <const> = next(get("ltm/cipher/rule/few/stats").entries)
    assert.same({ ["stats.pktsIn"] = { value = 7 } }, entry.nestedStats.entries)
  end)

  it("has statistics of a VLAN with those of its ports", function()
    post("net/vlan", { name = "lan", tag = 77, interfaces = { { name = "1.2", tagged = true } } })
    local link <const> = "https://localhost/mgmt/tm/net/vlan/~Common~lan"
    local function inner(entries, rest) return entries[link .. rest].nestedStats.entries end
    local own <const> = inner(get("net/vlan/~Common~lan/stats").entries, "/stats")
    assert.same({ value = 77 }, own.id)
    assert.same({ description = "/Common/lan" }, own.tmName)
    local all <const> = inner(inner(own, "/ifc_stat/stats"), "/ifc_stat/0/stats")
    assert.same({ value = 0 }, all.hcInOctets)
    local port <const> = inner(inner(own, "/members/stats"), "/members/1.2/stats")
    assert.same({ description = "yes" }, port.tagged)
    local below <const> = inner(port, "/members/1.2/interfaces/stats")
    local counters <const> = inner(below, "/members/1.2/interfaces/1.2/stats")
    assert.same({ value = 0 }, counters["counters.bitsIn"])
    assert.same({ description = "up" }, counters.status)
  end)

  it("ends the links of statistics with /stats where the request does", function()
    local path <const> = "sys/performance/connections"
    local row <const> = "https://localhost/mgmt/tm/" .. path .. "/PVA%20Client"
    assert.is_nil(get(path).entries[row])
    assert.is_table(get(path .. "?options=detail").entries[row])
    local long <const> = get(path .. "/stats?options=detail")
    assert.is_table(long.entries[row .. "/stats"])
    assert.is_nil(long.entries[row])
    assert.matches("/connections/stats%?options=detail&ver=", long.selfLink)
  end)
end)
