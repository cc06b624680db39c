-- Declarations of AS3 as users write them, and what becomes of them. Each entry has `tenants`, and
-- either `made` (path below /mgmt/tm -> properties) with `absent` (paths), or `refused` (a text).
local function app(items)
  items.class = "Application"
  return items
end

local function tenant(apps, more)
  apps.class = "Tenant"
  for key, value in pairs(more or {}) do apps[key] = value end
  return apps
end

local function pool(...)
  return { class = "Pool", monitors = { "http" }, members = {
    { servicePort = 80, serverAddresses = { ... } },
  } }
end

local function http(address, pool_name)
  return { class = "Service_HTTP", virtualAddresses = { address }, pool = pool_name }
end

local M = {}

M["a web application with a pool"] = {
  tenants = { T = tenant { A = app { web = http("198.51.100.1", "p"),
    p = pool("192.0.2.1", "192.0.2.2") } } },
  made = {
    ["ltm/virtual/~T~A~web"] = { destination = "/T/198.51.100.1:80", pool = "/T/A/p" },
    ["ltm/pool/~T~A~p"] = { monitor = "min 1 of { /Common/http }" },
    ["ltm/pool/~T~A~p/members/~T~192.0.2.2:80"] = { address = "192.0.2.2" },
    ["ltm/virtual-address/~T~198.51.100.1"] = { arp = "enabled" },
    ["sys/folder/~T~A"] = {},
  },
}

M["two tenants with the same names"] = {
  tenants = {
    T1 = tenant { A = app { web = http("198.51.100.1", "p"), p = pool "192.0.2.1" } },
    T2 = tenant { A = app { web = http("198.51.100.2", "p"), p = pool "192.0.2.2" } },
  },
  made = {
    ["ltm/virtual/~T1~A~web"] = { pool = "/T1/A/p" },
    ["ltm/virtual/~T2~A~web"] = { pool = "/T2/A/p" },
  },
}

M["two tenants with the same server"] = {
  tenants = {
    T1 = tenant { A = app { p = pool "192.0.2.1" } },
    T2 = tenant { A = app { p = pool "192.0.2.1" } },
  },
  refused = "0107176c",
}

M["two tenants that share a node"] = {
  tenants = {
    T1 = tenant { A = app { p = { class = "Pool", members = {
      { servicePort = 80, serverAddresses = { "192.0.2.1" }, shareNodes = true },
    } } } },
    T2 = tenant { A = app { p = { class = "Pool", members = {
      { servicePort = 81, serverAddresses = { "192.0.2.1" }, shareNodes = true },
    } } } },
  },
  made = {
    ["ltm/pool/~T1~A~p/members/~Common~192.0.2.1:80"] = {},
    ["ltm/pool/~T2~A~p/members/~Common~192.0.2.1:81"] = {},
    ["ltm/node/~Common~192.0.2.1"] = { metadata = { { name = "references", value = 2 } } },
  },
}

M["a pool of the shared application"] = {
  tenants = {
    Common = tenant { Shared = app { template = "shared", p = pool "192.0.2.1" } },
    T = tenant { A = app { web = http("198.51.100.1", { use = "/Common/Shared/p" }) } },
  },
  made = {
    ["ltm/virtual/~T~A~web"] = { pool = "/Common/Shared/p" },
    ["ltm/node/~Common~Shared~192.0.2.1"] = {},
  },
}

M["a pool of another application"] = {
  tenants = { T = tenant {
    A = app { web = http("198.51.100.1", { use = "/T/B/p" }) }, B = app { p = pool "192.0.2.1" },
  } },
  made = { ["ltm/virtual/~T~A~web"] = { pool = "/T/B/p" } },
}

M["a pool of another tenant"] = {
  tenants = {
    T = tenant { A = app { web = http("198.51.100.1", { use = "/U/B/p" }) } },
    U = tenant { B = app { p = pool "192.0.2.1" } },
  },
  refused = "/U/B/p",
}

M["a service that is switched off"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTP", enable = false, virtualAddresses = { "198.51.100.1" } },
    p = pool "192.0.2.1",
  } } },
  made = { ["ltm/pool/~T~A~p"] = {} },
  absent = { "ltm/virtual/~T~A~web", "ltm/virtual-address/~T~198.51.100.1" },
}

M["a member that is switched off, and one that is drained"] = {
  tenants = { T = tenant { A = app { p = { class = "Pool", members = {
    { servicePort = 80, serverAddresses = { "192.0.2.1" }, enable = false },
    { servicePort = 80, serverAddresses = { "192.0.2.2" }, adminState = "disable" },
    { servicePort = 80, serverAddresses = { "192.0.2.3" }, adminState = "offline" },
  } } } } },
  made = {
    ["ltm/pool/~T~A~p/members/~T~192.0.2.2:80"] = { session = "user-disabled" },
    ["ltm/pool/~T~A~p/members/~T~192.0.2.3:80"] = { state = "user-down" },
  },
  absent = { "ltm/pool/~T~A~p/members/~T~192.0.2.1:80" },
}

M["two pools chosen by the path"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTP", virtualAddresses = { "198.51.100.1" }, pool = "blue",
      policyEndpoint = "ab" },
    blue = pool "192.0.2.1", green = pool "192.0.2.2",
    ab = { class = "Endpoint_Policy", strategy = "first-match", rules = {
      { name = "api", conditions = {
        { type = "httpUri", path = { operand = "starts-with", values = { "/api" } } },
      }, actions = { { type = "forward", event = "request", select = {
        pool = { use = "green" } } } } },
    } },
  } } },
  made = {
    ["ltm/virtual/~T~A~web"] = { pool = "/T/A/blue" },
    ["ltm/policy/~T~A~ab/rules/api"] = { ordinal = 0 },
    ["ltm/policy/~T~A~ab/rules/api/actions/0"] = { pool = "/T/A/green", forward = true },
  },
}

M["pools chosen by the host, with a redirect"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTP", virtualAddresses = { "198.51.100.1" },
      policyEndpoint = "hosts" },
    shop = pool "192.0.2.1",
    hosts = { class = "Endpoint_Policy", rules = {
      { name = "shop", conditions = {
        { type = "httpHeader", name = "host", event = "request",
          all = { operand = "equals", values = { "shop.example.com" } } },
      }, actions = { { type = "forward", select = { pool = { use = "shop" } } } } },
      { name = "rest", actions = {
        { type = "httpRedirect", location = "https://www.example.com/" },
      } },
    } },
  } } },
  made = {
    ["ltm/policy/~T~A~hosts/rules/rest/actions/0"] = {
      location = "https://www.example.com/", redirect = true,
    },
    ["ltm/policy/~T~A~hosts/rules/shop/conditions/0"] = { tmName = "host" },
  },
}

M["HTTPS with its redirect"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTPS", virtualAddresses = { "198.51.100.1" }, pool = "p",
      serverTLS = "tls" },
    p = pool "192.0.2.1",
    tls = { class = "TLS_Server", certificates = { { certificate = "cert" } } },
    cert = { class = "Certificate", certificate = { bigip = "/Common/default.crt" },
      privateKey = { bigip = "/Common/default.key" } },
  } } },
  made = {
    ["ltm/virtual/~T~A~web"] = { destination = "/T/198.51.100.1:443" },
    ["ltm/virtual/~T~A~web-Redirect-"] = {
      destination = "/T/198.51.100.1:80", rules = { "/Common/_sys_https_redirect" },
    },
    ["ltm/profile/client-ssl/~T~A~tls"] = { sniDefault = "true" },
  },
}

M["HTTPS without the redirect, with TLS to the servers"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTPS", virtualAddresses = { "198.51.100.1" }, pool = "p",
      redirect80 = false, serverTLS = { bigip = "/Common/clientssl" },
      clientTLS = { bigip = "/Common/serverssl" } },
    p = pool "192.0.2.1",
  } } },
  made = { ["ltm/virtual/~T~A~web/profiles/~Common~serverssl"] = { context = "serverside" } },
  absent = { "ltm/virtual/~T~A~web-Redirect-" },
}

M["certificates by SNI"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTPS", virtualAddresses = { "198.51.100.1" }, serverTLS = "tls" },
    tls = { class = "TLS_Server", certificates = {
      { matchToSNI = "www.example.com", certificate = "one" },
      { matchToSNI = "shop.example.com", certificate = "two" },
    } },
    one = { class = "Certificate", certificate = { bigip = "/Common/default.crt" },
      privateKey = { bigip = "/Common/default.key" } },
    two = { class = "Certificate", certificate = { bigip = "/Common/default.crt" },
      privateKey = { bigip = "/Common/default.key" } },
  } } },
  made = {
    ["ltm/profile/client-ssl/~T~A~tls"] = { serverName = "www.example.com", sniDefault = "true" },
    ["ltm/profile/client-ssl/~T~A~tls-1-"] = {
      serverName = "shop.example.com", sniDefault = "false",
    },
    ["ltm/virtual/~T~A~web/profiles/~T~A~tls-1-"] = { context = "clientside" },
  },
}

M["persistence with a fallback"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTP", virtualAddresses = { "198.51.100.1" },
      persistenceMethods = { { use = "cookie" } },
      fallbackPersistenceMethod = "source-address" },
    cookie = { class = "Persist", persistenceMethod = "cookie", cookieName = "session",
      encrypt = false },
  } } },
  made = {
    ["ltm/persistence/cookie/~T~A~cookie"] = { cookieName = "session" },
    ["ltm/virtual/~T~A~web"] = { fallbackPersistence = "/Common/source_addr" },
  },
}

M["IPv6 on both sides"] = {
  tenants = { T = tenant { A = app {
    web = http("2001:db8::1", "p"),
    p = { class = "Pool", members = { { servicePort = 8080,
      serverAddresses = { "2001:db8:0:0:0:0:0:10" } } } },
  } } },
  made = {
    ["ltm/virtual/~T~A~web"] = { destination = "/T/2001:db8::1.80", source = "::/0" },
    ["ltm/pool/~T~A~p/members/~T~2001:db8::10.8080"] = { address = "2001:db8::10" },
  },
}

M["a tenant in a route domain"] = {
  tenants = { T = tenant(
    { A = app { web = http("198.51.100.1", "p"), p = pool "192.0.2.1" } },
    { defaultRouteDomain = 2 }
  ) },
  made = {
    ["auth/partition/T"] = { defaultRouteDomain = 2 },
    ["ltm/node/~T~192.0.2.1%252"] = { address = "192.0.2.1%2" },
    ["ltm/virtual/~T~A~web"] = { destination = "/T/198.51.100.1%2:80" },
  },
}

M["a route domain that does not exist"] = {
  tenants = { T = tenant { A = app { web = http "198.51.100.1%77" } } },
  refused = "77",
}

M["several addresses, one for a network"] = {
  tenants = { T = tenant { A = app { web = { class = "Service_TCP", virtualPort = 8443,
    virtualAddresses = { "198.51.100.1", "203.0.113.0/24" } } } } },
  made = {
    ["ltm/virtual/~T~A~web"] = { mask = "255.255.255.255" },
    ["ltm/virtual/~T~A~web-1-"] = { destination = "/T/203.0.113.0:8443", mask = "255.255.255.0" },
    ["ltm/virtual-address/~T~203.0.113.0"] = { mask = "255.255.255.0" },
  },
}

M["every address and every port"] = {
  tenants = { T = tenant { A = app { out = { class = "Service_Forwarding", virtualPort = 0,
    forwardingType = "ip", virtualAddresses = { "0.0.0.0" }, snat = "auto" } } } },
  made = { ["ltm/virtual/~T~A~out"] = { destination = "/T/any:0", ipForward = true } },
}

M["only from a network"] = {
  tenants = { T = tenant { A = app { web = { class = "Service_HTTP",
    virtualAddresses = { { "198.51.100.1", "10.0.0.0/8" } } } } } },
  made = { ["ltm/virtual/~T~A~web"] = { source = "10.0.0.0/8" } },
}

M["an address with properties of its own"] = {
  tenants = { T = tenant { A = app {
    web = http { use = "vip" },
    vip = { class = "Service_Address", virtualAddress = "198.51.100.1", arpEnabled = false },
  } } },
  made = {
    ["ltm/virtual-address/~T~vip"] = { address = "198.51.100.1", arp = "disabled" },
    ["ltm/virtual/~T~A~web"] = { destination = "/T/vip:80" },
  },
}

M["addresses for SNAT"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTP", virtualAddresses = { "198.51.100.1" },
      snat = { use = "outside" } },
    outside = { class = "SNAT_Pool", snatAddresses = { "198.51.100.10", "198.51.100.11" } },
  } } },
  made = {
    ["ltm/virtual/~T~A~web"] = {
      sourceAddressTranslation = { type = "snat", pool = "/T/A/outside", poolReference = {
        link = "https://localhost/mgmt/tm/ltm/snatpool/~T~A~outside?ver=17.1.3",
      } },
    },
    ["ltm/snat-translation/~T~198.51.100.11"] = {},
  },
}

M["no SNAT, on one VLAN"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTP", virtualAddresses = { "198.51.100.1" }, snat = "none",
      allowVlans = { { bigip = "/Common/external" } } },
  } } },
  made = { ["ltm/virtual/~T~A~web"] = { vlansEnabled = true, vlans = { "/Common/external" } } },
}

M["an iRule in Base64"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTP", virtualAddresses = { "198.51.100.1" }, iRules = { "rule" } },
    rule = { class = "iRule",
      iRule = { base64 = "d2hlbiBIVFRQX1JFUVVFU1QgeyBIVFRQOjpyZXNwb25kIDIwMCB9" } },
  } } },
  made = {
    ["ltm/rule/~T~A~rule"] = { apiAnonymous = "when HTTP_REQUEST { HTTP::respond 200 }" },
    ["ltm/virtual/~T~A~web"] = { rules = { "/T/A/rule" } },
  },
}

M["an iRule of the device that does not exist"] = {
  tenants = { T = tenant { A = app { web = { class = "Service_HTTP",
    virtualAddresses = { "198.51.100.1" }, iRules = { { bigip = "/Common/nothing" } } } } } },
  refused = "Unable to find /Common/nothing for /T/A/web/iRules/0",
}

M["monitors of its own, all of them"] = {
  tenants = { T = tenant { A = app {
    p = { class = "Pool", minimumMonitors = "all", monitors = { { use = "health" }, "tcp" },
      members = { { servicePort = 80, serverAddresses = { "192.0.2.1" } } } },
    health = { class = "Monitor", monitorType = "http", send = "GET /health HTTP/1.0\r\n\r\n",
      receive = "200 OK", interval = 10, timeout = 31 },
  } } },
  made = {
    ["ltm/pool/~T~A~p"] = { monitor = "/T/A/health and /Common/tcp" },
    ["ltm/monitor/http/~T~A~health"] = { interval = 10, recv = "200 OK" },
  },
}

M["servers with names"] = {
  tenants = { T = tenant { A = app { p = { class = "Pool", members = {
    { servicePort = 80, servers = { { name = "web1", address = "192.0.2.1" } } },
  } } } } },
  made = { ["ltm/node/~T~web1"] = { address = "192.0.2.1" } },
}

M["servers by domain name"] = {
  tenants = { T = tenant { A = app { p = { class = "Pool", members = {
    { servicePort = 80, addressDiscovery = "fqdn", hostname = "app.example.com" },
  } } } } },
  made = { ["ltm/node/~T~app.example.com"] = {} },
}

M["servers that a cloud names"] = {
  tenants = { T = tenant { A = app { p = { class = "Pool", members = {
    { servicePort = 80, addressDiscovery = "consul", uri = "https://192.0.2.9:8500/v1/catalog",
      updateInterval = 10 },
  } } } } },
  refused = "/T/A/p/members/0: service discovery is not simulated",
}

M["priority groups and ratios"] = {
  tenants = { T = tenant { A = app { p = { class = "Pool", loadBalancingMode = "ratio-member",
    minimumMembersActive = 1, members = {
      { servicePort = 80, serverAddresses = { "192.0.2.1" }, priorityGroup = 10, ratio = 3 },
      { servicePort = 80, serverAddresses = { "192.0.2.2" }, priorityGroup = 5 },
    } } } } },
  made = {
    ["ltm/pool/~T~A~p"] = { loadBalancingMode = "ratio-member" },
    ["ltm/pool/~T~A~p/members/~T~192.0.2.1:80"] = { priorityGroup = 10, ratio = 3 },
  },
}

M["profiles of its own"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_HTTP", virtualAddresses = { "198.51.100.1" },
      profileHTTP = { use = "h" }, profileTCP = { ingress = { use = "t" }, egress = "lan" },
      profileMultiplex = { use = "m" } },
    h = { class = "HTTP_Profile", xForwardedFor = false, hstsInsert = true },
    t = { class = "TCP_Profile", idleTimeout = 600 },
    m = { class = "Multiplex_Profile", maxConnections = 500 },
  } } },
  made = {
    ["ltm/profile/http/~T~A~h"] = { insertXforwardedFor = "disabled" },
    ["ltm/profile/tcp/~T~A~t"] = { idleTimeout = 600 },
    ["ltm/virtual/~T~A~web/profiles/~T~A~t"] = { context = "clientside" },
    ["ltm/virtual/~T~A~web/profiles/~Common~f5-tcp-lan"] = { context = "serverside" },
  },
}

M["a data group for an iRule"] = {
  tenants = { T = tenant { A = app {
    hosts = { class = "Data_Group", keyDataType = "string", records = {
      { key = "www.example.com", value = "blue" }, { key = "shop.example.com", value = "green" },
    } },
    nets = { class = "Data_Group", keyDataType = "ip", records = { { key = "10.0.0.0/8" } } },
  } } },
  made = { ["ltm/data-group/internal/~T~A~hosts"] = { type = "string" } },
}

M["UDP and a generic service"] = {
  tenants = { T = tenant { A = app {
    dns = { class = "Service_UDP", virtualPort = 53, virtualAddresses = { "198.51.100.1" } },
    any = { class = "Service_L4", virtualPort = 0, layer4 = "any",
      virtualAddresses = { "198.51.100.2" } },
  } } },
  made = {
    ["ltm/virtual/~T~A~dns"] = { ipProtocol = "udp" }, ["ltm/virtual/~T~A~any"] = {},
  },
}

M["an old template with serviceMain"] = {
  tenants = { T = tenant { A = app { template = "http", serviceMain = http "198.51.100.1" } } },
  made = { ["ltm/virtual/~T~A~serviceMain"] = { description = "A" } },
}

M["a template without its service"] = {
  tenants = { T = tenant { A = app { template = "https", p = pool "192.0.2.1" } } },
  refused = "/T/A: should have required property 'serviceMain'",
}

M["a policy of the WAF that is not there"] = {
  tenants = { T = tenant { A = app { web = { class = "Service_HTTP",
    virtualAddresses = { "198.51.100.1" }, policyWAF = { bigip = "/Common/none" } } } } },
  refused = "none",
}

M["an address list and a port list"] = {
  tenants = { T = tenant { A = app {
    web = { class = "Service_TCP", virtualAddresses = { use = "nets" },
      virtualPort = { use = "ports" } },
    nets = { class = "Net_Address_List", addresses = { "198.51.100.0/24", "203.0.113.7" } },
    ports = { class = "Net_Port_List", ports = { 80, "8000-8010" } },
  } } },
  made = {
    ["net/address-list/~T~A~nets"] = {}, ["net/port-list/~T~A~ports"] = {},
    ["ltm/virtual/~T~A~web"] = { trafficMatchingCriteria = "/T/A/web_VS_TMC_OBJ" },
  },
}

M["remarks and labels"] = {
  tenants = { T = tenant({ A = app {
    label = "an application", web = { class = "Service_HTTP", remark = "the web of $us",
      virtualAddresses = { "198.51.100.1" } },
  } }, { label = "a tenant", remark = "for us" }) },
  made = { ["ltm/virtual/~T~A~web"] = { description = "the web of $us" } },
}

M["names with dots and dashes"] = {
  tenants = { ["T-1.x"] = tenant { ["A.b-c"] = app {
    ["web.example.com_80"] = http("198.51.100.1", "p-1"), ["p-1"] = pool "192.0.2.1",
  } } },
  made = { ["ltm/virtual/~T-1.x~A.b-c~web.example.com_80"] = { pool = "/T-1.x/A.b-c/p-1" } },
}

M["a name with a space"] = {
  tenants = { T = tenant { A = app { ["my pool"] = pool "192.0.2.1" } } },
  refused = "my pool",
}

M["a wide IP over two data centers"] = {
  tenants = {
    Common = tenant { Shared = app { template = "shared",
      east = { class = "GSLB_Data_Center" }, west = { class = "GSLB_Data_Center" },
      server = { class = "GSLB_Server", dataCenter = { use = "east" },
        devices = { { address = "192.0.2.31" } },
        virtualServers = { { address = "198.51.100.5", port = 443, name = "shop" } } } } },
    T = tenant { A = app {
      domain = { class = "GSLB_Domain", domainName = "shop.example.com", resourceRecordType = "A",
        pools = { { use = "answers" } } },
      answers = { class = "GSLB_Pool", resourceRecordType = "A", members = {
        { server = { use = "/Common/Shared/server" }, virtualServer = "shop" },
      } },
    } },
  },
  made = {
    ["gtm/datacenter/~Common~west"] = { enabled = true },
    ["gtm/server/~Common~server"] = { datacenter = "/Common/east", product = "bigip" },
    ["gtm/pool/a/~T~A~answers/members/~Common~server:shop"] = { memberOrder = 0 },
    ["gtm/wideip/a/~T~A~shop.example.com"] = { description = "domain" },
  },
}

M["rules of the firewall, with lists and logs"] = {
  tenants = { T = tenant { A = app {
    rules = { class = "Firewall_Rule_List", rules = {
      { name = "web", action = "accept", protocol = "tcp", loggingEnabled = true,
        source = { addressLists = { { use = "nets" } } },
        destination = { portLists = { { use = "ports" } } } },
    } },
    policy = { class = "Firewall_Policy", rules = { { use = "rules" } } },
    nets = { class = "Firewall_Address_List", addresses = { "192.0.2.0/24" } },
    ports = { class = "Firewall_Port_List", ports = { 80, "8000-8010" } },
    logs = { class = "Security_Log_Profile", network = {
      publisher = { use = "where" }, logRuleMatchDrops = true } },
    where = { class = "Log_Publisher", destinations = { { bigip = "/Common/local-db" } } },
  } } },
  made = {
    ["security/firewall/rule-list/~T~A~rules/rules/web"] = { action = "accept", log = "yes" },
    ["security/firewall/policy/~T~A~policy/rules/rules"] = { ruleList = "/T/A/rules" },
    ["security/firewall/address-list/~T~A~nets"] = {},
    ["sys/log-config/publisher/~T~A~where"] = {},
    ["security/log/profile/~T~A~logs"] = {},
  },
}

M["ciphers for TLS"] = {
  tenants = { T = tenant { A = app {
    tls = { class = "TLS_Server", certificates = { { certificate = "cert" } },
      cipherGroup = { use = "group" } },
    group = { class = "Cipher_Group", allowCipherRules = { { use = "strong" } } },
    strong = { class = "Cipher_Rule", cipherSuites = { "ECDHE", "AES-GCM" } },
    cert = { class = "Certificate", certificate = { bigip = "/Common/default.crt" },
      privateKey = { bigip = "/Common/default.key" } },
  } } },
  made = {
    ["ltm/cipher/rule/~T~A~strong"] = { cipher = "ECDHE:AES-GCM" },
    ["ltm/profile/client-ssl/~T~A~tls"] = { cipherGroup = "/T/A/group", ciphers = "none" },
  },
}

M["a file for an iRule"] = {
  tenants = { T = tenant { A = app {
    page = { class = "iFile", iFile = { base64 = "U29ycnkgLi4uIHdlIGFyZSBiYWNrIHNvb24u" } },
  } } },
  made = {
    ["ltm/ifile/~T~A~page"] = { fileName = "/T/A/page-ifile" },
    ["sys/file/ifile/~T~A~page-ifile"] = { size = 27 },
  },
}

M["idle timeouts and bandwidth"] = {
  tenants = { T = tenant { A = app {
    any = { class = "Service_Generic", virtualPort = 0, virtualAddresses = { "198.51.100.1" },
      policyIdleTimeout = { use = "idle" } },
    idle = { class = "Idle_Timeout_Policy", rules = {
      { name = "tcp", protocol = "tcp", destinationPorts = { "all-other" }, idleTimeout = 60 },
    } },
    limit = { class = "Bandwidth_Control_Policy", maxBandwidth = 2, maxBandwidthUnit = "Gbps" },
  } } },
  made = {
    ["net/timer-policy/~T~A~idle"] = {},
    ["net/bwc/policy/~T~A~limit"] = { maxRate = 2000000000 },
    ["ltm/virtual/~T~A~any"] = {
      servicePolicy = "/T/A/f5_appsvcs_42d56891d104adef37c08defe5ac3b46",
    },
  },
}

return M
