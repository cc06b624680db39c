-- Names of what every device is shipped with, and where it differs from the defaults of its kind.
local M = {}

M.modules = {
  "afm", "am", "apm", "asm", "avr", "cgnat", "dos", "fps", "gtm", "ilx", "lc", "ltm", "pem", "sslo",
  "swg", "urldb", "vcmp",
}

-- name, destinations
M.publishers = {
  { "default-ipsec-log-publisher", "local-syslog" }, { "default-mgmt-acl-log-publisher" },
  { "local-db-publisher", "local-db" }, { "sys-db-access-publisher", "local-db", "local-syslog" },
  { "sys-sslo-publisher", "local-syslog" }, { "sys-sso-access-publisher", "local-syslog" },
}

-- Monitors of gtm: their names differ from those of ltm where both would be the same otherwise.
local GTM_MONITORS <const> = {
  "bigip",
  "bigip-link",
  "external",
  "firepass",
  "ftp",
  "gateway-icmp",
  "gtp",
  "http",
  "https",
  "imap",
  "ldap",
  "mssql",
  "mysql",
  "nntp",
  "oracle",
  "pop3",
  "postgresql",
  "radius",
  "radius-accounting",
  "real-server",
  "scripted",
  "sip",
  "smtp",
  "snmp",
  "snmp-link",
  "soap",
  "tcp",
  "tcp-half-open",
  "udp",
  "wap",
  "wmi",
}
local GTM_NAMES <const> = { firepass = "firepass_gtm", snmp = "snmp_gtm" }

-- Monitors and profiles whose name is that of their kind (hyphens become underscores in monitors),
-- in the order they refer to each other.
local MONITORS <const> = {
  "diameter",
  "dns",
  "external",
  "firepass",
  "ftp",
  "gateway-icmp",
  "http",
  "http2",
  "https",
  "icmp",
  "imap",
  "inband",
  "ldap",
  "module-score",
  "mqtt",
  "mssql",
  "mysql",
  "nntp",
  "oracle",
  "pop3",
  "postgresql",
  "radius",
  "radius-accounting",
  "real-server",
  "rpc",
  "sasp",
  "scripted",
  "sip",
  "smb",
  "smtp",
  "snmp-dca",
  "snmp-dca-base",
  "soap",
  "tcp",
  "tcp-echo",
  "tcp-half-open",
  "udp",
  "virtual-location",
  "wap",
  "wmi",
}
local MONITOR_CHANGES <const> = {
  http = { send = "GET /\\r\\n", interval = 5, timeout = 16, destination = "*:*" },
  https = {
    send = "GET /\\r\\n", interval = 5, timeout = 16, cipherlist = "DEFAULT:+SHA:+3DES:+kEDH",
    compatibility = "enabled",
  },
}

local PROFILES <const> = {
  "analytics",
  "certificate-authority",
  "classification",
  "client-ldap",
  "client-ssl",
  "connector",
  "dhcpv4",
  "dhcpv6",
  "diameter",
  "dns",
  "dns-logging",
  "fasthttp",
  "fastl4",
  "fix",
  "ftp",
  "gtp",
  "html",
  "http",
  "http-compression",
  "http-proxy-connect",
  "http2",
  "http3",
  "httprouter",
  "icap",
  "iiop",
  "ilx",
  "imap",
  "ipother",
  "ipsecalg",
  "mblb",
  "mqtt",
  "mssql",
  "netflow",
  "ntlm",
  "one-connect",
  "pcp",
  "pop3",
  "pptp",
  "qoe",
  "quic",
  "radius",
  "ramcache",
  "request-adapt",
  "request-log",
  "response-adapt",
  "rewrite",
  "rtsp",
  "sctp",
  "server-ldap",
  "server-ssl",
  "service",
  "sip",
  "smtp",
  "smtps",
  "socks",
  "spdy",
  "splitsessionclient",
  "splitsessionserver",
  "statistics",
  "stream",
  "tcp",
  "tcp-analytics",
  "tftp",
  "udp",
  "wa-cache",
  "web-acceleration",
  "web-security",
  "websocket",
  "xml",
}
local parents <const> = require("sim.profiles").parents

-- Each is { template, name, properties that differ, fields that differ inside of properties that
-- are objects }.
M.objects = {}
local function add(template, name, changes, fields)
  M.objects[#M.objects + 1] = { template, name, changes, fields }
end

for _, kind in ipairs(MONITORS) do
  add("ltm/monitor/" .. kind, (kind:gsub("%-", "_")), MONITOR_CHANGES[kind])
end
add(
  "ltm/monitor/http",
  "http_head_f5",
  { defaultsFrom = "/Common/http", send = "HEAD / HTTP/1.0\\r\\n\\r\\n", recv = "Server\\:" }
)
add("ltm/monitor/https", "https_443", { defaultsFrom = "/Common/https", destination = "*:443" })
add(
  "ltm/monitor/https",
  "https_head_f5",
  { defaultsFrom = "/Common/https", send = "HEAD / HTTP/1.0\\r\\n\\r\\n", recv = "Server\\:" }
)

for _, kind in ipairs(GTM_MONITORS) do
  add("gtm/monitor/" .. kind, GTM_NAMES[kind] or (kind:gsub("%-", "_")))
end
add("gtm/monitor/none", "none")
for _, kind in ipairs { "http", "https" } do
  add(
    "gtm/monitor/" .. kind,
    kind .. "_head_f5",
    { defaultsFrom = "/Common/" .. kind, send = "HEAD / HTTP/1.0\\r\\n\\r\\n", recv = "Server\\:" }
  )
end

-- The certificate and key that a device makes for itself, and what a client-ssl profile has of
-- them.
local FACTORY_PAIR <const> = { cert = "/Common/default.crt", key = "/Common/default.key" }
local ROOT_CHANGES <const> = {
  ["client-ssl"] = {
    cert = FACTORY_PAIR.cert,
    key = FACTORY_PAIR.key,
    inheritCertkeychain = "false",
    certKeyChain = {
      {
        name = "default", appService = "none", cert = FACTORY_PAIR.cert, chain = "none",
        key = FACTORY_PAIR.key, usage = "SERVER",
      },
    },
  },
}

for _, kind in ipairs(PROFILES) do
  add(
    "ltm/profile/" .. kind,
    parents[kind]
      or (kind:find "^http%-proxy" and kind) or (kind:find "^request%-log" and kind)
      or (kind:find "^tcp%-" and kind) or (kind == "statistics" and "stats")
      or (kind:find "^dns%-" and kind) or kind,
    ROOT_CHANGES[kind]
  )
end
-- kind, name, parent
for _, entry in ipairs {
  { "tcp", "f5-tcp-lan", "tcp" },
  { "tcp", "f5-tcp-mobile", "tcp" },
  { "tcp", "f5-tcp-progressive", "tcp" },
  { "tcp", "f5-tcp-wan", "tcp" },
  { "tcp", "tcp-legacy", "tcp" },
  { "tcp", "tcp-lan-optimized", "tcp-legacy" },
  { "tcp", "tcp-mobile-optimized", "tcp-legacy" },
  { "tcp", "tcp-wan-optimized", "tcp-legacy" },
  { "tcp", "mptcp-mobile-optimized", "tcp-legacy" },
  { "tcp", "apm-forwarding-client-tcp", "tcp-legacy" },
  { "tcp", "apm-forwarding-server-tcp", "tcp-legacy" },
  { "tcp", "splitsession-default-tcp", "tcp-wan-optimized" },
  { "tcp", "wam-tcp-lan-optimized", "tcp-lan-optimized" },
  { "tcp", "wam-tcp-wan-optimized", "tcp-wan-optimized" },
  { "tcp", "wom-tcp-lan-optimized", "tcp-lan-optimized" },
  { "tcp", "wom-tcp-wan-optimized", "tcp-wan-optimized" },
  { "udp", "udp_decrement_ttl", "udp" },
  { "udp", "udp_gtm_dns", "udp" },
  { "udp", "udp_preserve_ttl", "udp" },
  { "client-ssl", "clientssl-insecure-compatible", "clientssl" },
  { "client-ssl", "clientssl-secure", "clientssl" },
  { "client-ssl", "crypto-server-default-clientssl", "clientssl" },
  { "client-ssl", "splitsession-default-clientssl", "clientssl" },
  { "client-ssl", "wom-default-clientssl", "clientssl" },
  { "server-ssl", "serverssl-insecure-compatible", "serverssl" },
  { "server-ssl", "apm-default-serverssl", "serverssl" },
  { "server-ssl", "crypto-client-default-serverssl", "serverssl" },
  { "server-ssl", "pcoip-default-serverssl", "serverssl" },
  { "server-ssl", "splitsession-default-serverssl", "serverssl" },
  { "server-ssl", "wom-default-serverssl", "serverssl" },
  { "fastl4", "apm-forwarding-fastL4", "fastL4" },
  { "fastl4", "full-acceleration", "fastL4" },
  { "fastl4", "security-fastL4", "fastL4" },
  { "web-acceleration", "optimized-acceleration", "webacceleration" },
  { "web-acceleration", "optimized-caching", "webacceleration" },
  { "web-acceleration", "apm-enduser-if-cache", "webacceleration" },
  { "http-compression", "wan-optimized-compression", "httpcompression" },
  { "rewrite", "rewrite-portal", "rewrite" },
  { "rewrite", "rewrite-uri-translation", "rewrite" },
  { "radius", "radiusLB-subscriber-aware", "radiusLB" },
  { "dhcpv4", "dhcpv4_fwd", "dhcpv4" },
  { "dhcpv6", "dhcpv6_fwd", "dhcpv6" },
  { "ftp", "ftps", "ftp" },
} do
  local pair <const> = entry[2] == "splitsession-default-serverssl" and FACTORY_PAIR or {}
  add(
    "ltm/profile/" .. entry[1],
    entry[2],
    {
      defaultsFrom = "/Common/" .. entry[3],
      cert = pair.cert,
      key = pair.key,
      inheritCertkeychain = entry[1] == "client-ssl" and "true" or nil,
    }
  )
end
add("ltm/profile/server-ssl", "serverssl-secure", {
  defaultsFrom = "/Common/serverssl",
  cipherGroup = "/Common/f5-secure",
  ciphers = "none",
  renegotiation = "disabled",
  tmOptions = "{ no-ssl }",
})
for name, host in pairs {
  ["cloud-service-default-ssl"] = "*.idservice.net",
  ["f5aas-default-ssl"] = "*.f5aas.com",
} do
  add(
    "ltm/profile/server-ssl",
    name,
    {
      defaultsFrom = "/Common/serverssl-secure", authenticate = "always", authenticateName = host,
      caFile = "/Common/ca-bundle.crt", peerCertMode = "require",
    }
  )
end
-- The profiles for proxies are roots of their own.
add(
  "ltm/profile/http",
  "http-explicit",
  { proxyType = "explicit" },
  { explicitProxy = { routeDomain = "/Common/0", tunnelName = "/Common/http-tunnel" } }
)
add(
  "ltm/profile/http",
  "http-transparent",
  { proxyType = "transparent" },
  {
    enforcement = {
      excessClientHeaders = "pass-through", excessServerHeaders = "pass-through",
      maxHeaderCount = 32, maxHeaderSize = 16384, oversizeClientHeaders = "pass-through",
      oversizeServerHeaders = "pass-through", truncatedRedirects = "enabled",
    },
  }
)

for kind, name in pairs {
  cookie = "cookie",
  ["dest-addr"] = "dest_addr",
  hash = "hash",
  host = "host",
  msrdp = "msrdp",
  sip = "sip_info",
  ["source-addr"] = "source_addr",
  ssl = "ssl",
  universal = "universal",
} do
  add("ltm/persistence/" .. kind, name)
end

for _, kind in ipairs {
  "etherip", "fec", "geneve", "gre", "ipip", "map", "ppp", "v6rd", "vxlan", "wccp",
} do
  if kind ~= "wccp" then add("net/tunnels/" .. kind, kind) end
end
for _, name in ipairs { "dslite", "ip4ip4", "ip4ip6", "ip6ip4", "ip6ip6" } do
  add("net/tunnels/ipip", name, { defaultsFrom = "/Common/ipip" })
end
for name, flooding in pairs {
  ["vxlan-multipoint"] = "multipoint",
  ["vxlan-ovsdb"] = "replicator",
  ["vxlan-ovsdb-multipoint"] = "multipoint",
  ["vxlan-ovsdb-no-flooding"] = "none",
} do
  add("net/tunnels/vxlan", name, { defaultsFrom = "/Common/vxlan", floodingType = flooding })
end
add(
  "net/tunnels/vxlan",
  "vxlan-gpe",
  {
    defaultsFrom = "/Common/vxlan", floodingType = "multipoint", encapsulationType = "vxlan-gpe",
    port = 4790,
  }
)
add("net/tunnels/gre", "nvgre", { defaultsFrom = "/Common/gre" })
add("net/tunnels/tcp-forward", "tcp-forward")

for _, name in ipairs { "f5-aes", "f5-default", "f5-ecc", "f5-hw_keys", "f5-secure" } do
  add(
    "ltm/cipher/rule",
    name,
    { cipher = name == "f5-default" and "DEFAULT" or name:sub(4):upper() }
  )
  add(
    "ltm/cipher/group",
    name,
    { allow = { { name = name, partition = "Common" } }, ordering = "default" }
  )
end
for _, name in ipairs { "all-match", "best-match", "first-match" } do
  add("ltm/policy-strategy", name)
end
add("ltm/eviction-policy", "default-eviction-policy")
for _, name in ipairs { "aol", "images", "private_net" } do
  local types <const> = { aol = "ip", images = "string", private_net = "ip" }
  local records <const> = {
    aol = { { name = "64.12.96.0/19", data = "" }, { name = "195.93.16.0/20", data = "" } },
    images = {
      { name = ".bmp", data = "" },
      { name = ".gif", data = "" },
      { name = ".jpg", data = "" },
    },
    private_net = {
      { name = "10.0.0.0/8", data = "" },
      { name = "172.16.0.0/12", data = "" },
      { name = "192.168.0.0/16", data = "" },
    },
  }
  add("ltm/data-group/internal", name, { type = types[name], records = records[name] })
end
for name, text in pairs {
  _sys_https_redirect = 'when HTTP_REQUEST {\n    HTTP::redirect https://[getfield [HTTP::host] ":" 1][HTTP::uri]\n}',
} do
  add("ltm/rule", name, { apiAnonymous = text })
end
for _, name in ipairs {
  "bea_weblogic",
  "cifs",
  "citrix_presentation_server",
  "citrix_xen_app",
  "diameter",
  "dns",
  "ftp",
  "http",
  "ip_forwarding",
  "ldap",
  "microsoft_exchange_2010",
  "microsoft_exchange_owa_2007",
  "microsoft_iis",
  "microsoft_lync_server_2010",
  "microsoft_ocs_2007_r2",
  "microsoft_sharepoint_2007",
  "microsoft_sharepoint_2010",
  "npath",
  "oracle_as_10g",
  "oracle_ebs",
  "peoplesoft_9",
  "radius",
  "replication",
  "sap_enterprise_portal",
  "sap_erp",
  "vmware_view",
  "vmware_vmotion",
} do
  add("sys/application/template", "f5." .. name)
end
for _, entry in ipairs {
  { "Uncategorized", 25573, 153, "Sites not categorized in the Master Database." },
  { "Business_and_Economy", 2, 2, "Sites of companies and about the economy." },
  { "Entertainment", 12, 12, "Sites with information about entertainment." },
  { "Gambling", 13, 13, "Sites where bets are taken." },
  { "Social_Web_-_Facebook", 1600, 1600, "A social network." },
} do
  add("sys/url-db/url-category", entry[1], {
    catId = entry[2],
    catNumber = entry[3],
    description = entry[4],
    displayName = entry[1]:gsub("_", " "),
    isCustom = "false",
    defaultAction = entry[1] == "Gambling" and "block" or "allow",
  })
end
add("security/scrubber/profile", "scrubber-profile-default")
add("security/dos/device-config", "dos-device-config")
for _, folder in ipairs { "security/firewall", "security/shared-objects" } do
  for _, protocol in ipairs { "tcp", "udp" } do
    add(folder .. "/port-list", ("_sys_self_allow_%s_defaults"):format(protocol))
  end
end
for _, name in ipairs { "all", "defaults", "management" } do
  add("security/firewall/rule-list", "_sys_self_allow_" .. name)
end
for _, name in ipairs { "dns", "http", "sip" } do
  add("security/protocol-inspection/profile", "protocol_inspection_" .. name)
end
add("net/ipsec/ipsec-policy", "default-ipsec-policy")
for _, mode in ipairs { "interface", "isession" } do
  add("net/ipsec/ipsec-policy", "default-ipsec-policy-" .. mode, { mode = mode })
end
add("net/ipsec/ike-daemon", "ikedaemon", { logPublisher = "/Common/default-ipsec-log-publisher" })
add("net/ipsec/ike-peer", "anonymous")
for _, name in ipairs {
  "krbdelegate", "ldap", "radius", "ssl_cc_ldap", "ssl_crldp", "ssl_ocsp", "tacacs",
} do
  add("ltm/auth/profile", name)
end
add("net/bwc/policy", "dynamic_spm_bwc_policy", { dynamic = "enabled" })

add("apm/profile/access", "access")
add("wom/profile/isession", "isession")
for name, changes in pairs {
  encrypt = { dataEncryption = "enabled" },
  mapi = {},
  softwoc = { deduplication = "disabled" },
} do
  changes.defaultsFrom = "/Common/isession"
  add("wom/profile/isession", "isession-" .. name, changes)
end
add("ltm/message-routing/generic/protocol", "genericmsg")
add("ltm/message-routing/mqtt/profile/session", "mqttsession")
add("ltm/profile/connector", "access-logonpage-protection-connector")
add("ltm/profile/service", "access-logonpage-protection-service", { type = "f5-module" })
add("ltm/tacdb/licenseddb", "licensed-tacdb")
add("sys/crypto/ca-bundle-manager", "ca-bundle", { trustedCaBundle = "/Common/f5-ca-bundle.crt" })
add("sys/url-db/download-schedule", "urldb")

-- Parents come before those who take over from them.
local parent_of <const> = {}
for _, entry in ipairs(M.objects) do
  parent_of[entry[1] .. "/Common/" .. entry[2]] = entry[3]
      and entry[3].defaultsFrom and entry[1] .. entry[3].defaultsFrom
    or false
end
local function depth(entry)
  local key, count = entry[1] .. "/Common/" .. entry[2], 0
  while parent_of[key] do
    key, count = parent_of[key], count + 1
  end
  return count
end
for _, entry in ipairs(M.objects) do entry.depth = depth(entry) end
table.sort(M.objects, function(a, b)
  if a.depth ~= b.depth then return a.depth < b.depth end
  if a[1] ~= b[1] then return a[1] < b[1] end
  return a[2] < b[2]
end)

-- The order in which a seed's collections are planted.
local FIRST <const> = {
  "/mgmt/tm/sys/provision",
  "/mgmt/tm/auth/partition",
  "/mgmt/tm/sys/folder",
  "/mgmt/tm/sys/file",
  "/mgmt/tm/net/vlan",
  "/mgmt/tm/net/route-domain",
  "/mgmt/tm/net",
  "/mgmt/tm/ltm/monitor",
  "/mgmt/tm/ltm/profile",
  "/mgmt/tm/ltm/node",
  "/mgmt/tm/ltm/pool",
  "/mgmt/tm/ltm/rule",
}
function M.order(path)
  for i, prefix in ipairs(FIRST) do
    if path:sub(1, #prefix) == prefix then return i end
  end
  return #FIRST + 1
end

return M
