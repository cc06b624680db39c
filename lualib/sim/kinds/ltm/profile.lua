-- Profiles, except those of HTTP, TCP and TLS.
local property = require "sim.kinds.common.property"

local s <const> = property.text

local kinds <const> = {
  ["ltm/profile"] = { facts = { noun = "profile" } },
  ["^ltm/profile/[^/*]+$"] = {
    facts = {
      only = "collection", flat = false, keeps_none = true,
      refs = { defaultsFromReference = "." },
      props = { defaultsFrom = s() },
    },
    relations = { { property = "defaultsFrom", to = { "." } } },
  },
  ["ltm/profile/web-acceleration"] = {
    facts = { refs = { applicationsReference = "wam/application" } },
  },
  ["ltm/profile/classification"] = { facts = { type = "collection" } },
  ["ltm/profile/fastl4"] = {
    facts = {
      property_status = { hardwareSynCookie = "DEPRECATED", softwareSynCookie = "DEPRECATED" },
      props = { pvaAcceleration = { c = "dedicated|full|guaranteed|none|partial" } },
    },
  },
  ["ltm/profile/rewrite/*/uri-rules"] = {
    facts = { props = { type = s("both", { c = "both|request|response" }) } },
  },
  -- What the caches hold, for tmsh to show and to delete.
  ["ltm/profile/ramcache"] = { facts = { type = "show", listed = true } },
  ["ltm/profile/wa-cache"] = { facts = { type = "show", listed = true } },
  ["ltm/profile/ocsp-stapling-params"] = { facts = { api_status = "DEPRECATED" } },
}

-- The profile of each kind that others take their values from, where it has another name than its
-- kind.
local PARENTS <const> = {
  ["one-connect"] = "oneconnect",
  ["web-acceleration"] = "webacceleration",
  ["http-compression"] = "httpcompression",
  fastl4 = "fastL4",
  ["request-adapt"] = "requestadapt",
  ["response-adapt"] = "responseadapt",
  ["web-security"] = "websecurity",
  radius = "radiusLB",
  ["client-ldap"] = "clientldap",
  ["server-ldap"] = "serverldap",
  ["certificate-authority"] = "certificateauthority",
  classification = "classification",
  ["map-t"] = "mapt",
  statistics = "stats",
}

-- Profiles of these kinds show neither a description nor a parent where they have none.
local PLAIN <const> = { connector = true, service = true }
-- Profiles of these kinds show no description where they have none.
local NO_DESCRIPTION <const> = {
  connector = true, icap = true, ["request-adapt"] = true, ["response-adapt"] = true,
  rewrite = true, service = true, ["web-acceleration"] = true,
}

-- A new device has one profile of each of these kinds.
for kind in ([[
  analytics certificate-authority classification client-ldap connector dhcpv4 dhcpv6 diameter
  dns dns-acceleration dns-logging fasthttp fastl4 fix ftp gtp html http-compression
  http-proxy-connect http2 http3 httprouter icap iiop ilx imap ipother ipsecalg map-t mblb mqtt
  mssql netflow ntlm one-connect pcp pop3 pptp qoe quic radius request-adapt
  request-log response-adapt rewrite rtsp sctp server-ldap service sip smtp smtps socks spdy
  splitsessionclient splitsessionserver statistics stream tcp-analytics tftp
  traffic-acceleration udp web-acceleration web-security websocket xml
]]):gmatch "%S+" do
  local template = "ltm/profile/" .. kind
  local known = kinds[template] or {}
  kinds[template] = known
  local facts = known.facts or {}
  known.facts, facts.parent = facts, PARENTS[kind]
  if not NO_DESCRIPTION[kind] then
    facts.props = facts.props or {}
    facts.props.description = s "none"
  end
  local name = PARENTS[kind] or kind
  known.factory =
    { protected = true, no_parent = PLAIN[kind], objects = { { name = name } } }
end

-- These take their values from another profile, except for the values in the fourth column.
for _, entry in ipairs {
  { "udp", "udp_decrement_ttl", "udp", { ipTtlMode = "decrement" } },
  { "udp", "udp_gtm_dns", "udp", { idleTimeout = "5", datagramLoadBalancing = "enabled" } },
  { "udp", "udp_preserve_ttl", "udp", { ipTtlMode = "preserve" } },
  { "fastl4", "apm-forwarding-fastL4", "fastL4", { idleTimeout = "7200" } },
  { "fastl4", "full-acceleration", "fastL4" },
  {
    "fastl4", "security-fastL4", "fastL4",
    {
      idleTimeout = "60", otherPvaOffloadDirection = "server-to-client-only",
      rttFromClient = "enabled", tcpPvaOffloadDirection = "server-to-client-only",
      tcpPvaWhentoOffload = "establish",
    },
  },
  {
    "web-acceleration", "optimized-acceleration", "webacceleration",
    { cacheObjectMaxSize = 67108864, cacheObjectMinSize = 0, cacheSize = 6144 },
  },
  {
    "web-acceleration", "optimized-caching", "webacceleration",
    { cacheMaxAge = 86400, cacheObjectMaxSize = 2000000, cacheObjectMinSize = 0, cacheSize = 10 },
  },
  {
    "web-acceleration", "apm-enduser-if-cache", "webacceleration",
    {
      cacheMaxAge = 36000, cacheMaxEntries = 1000, cacheObjectMaxSize = 12000000,
      cacheObjectMinSize = 5, cacheSize = 50,
    },
  },
  {
    "http-compression", "wan-optimized-compression", "httpcompression",
    {
      allowHttp_10 = "enabled", bufferSize = 131072, gzipMemoryLevel = 16384,
      gzipWindowSize = 65536,
    },
  },
  { "rewrite", "rewrite-portal", "rewrite" },
  { "rewrite", "rewrite-uri-translation", "rewrite", { rewriteMode = "uri-translation" } },
  { "radius", "radiusLB-subscriber-aware", "radiusLB" },
  {
    "classification", "classification_pem", "classification",
    { preset = "/Common/ce_pem", urlcat = "on" },
  },
  {
    "classification", "classification_apm_swg", "classification",
    { preset = "/Common/ce_apm_swg", iruleEvent = "off" },
  },
  { "dhcpv4", "dhcpv4_fwd", "dhcpv4", { mode = "forwarding" } },
  { "dhcpv6", "dhcpv6_fwd", "dhcpv6", { mode = "forwarding" } },
  { "ftp", "ftps", "ftp" },
} do
  local body = entry[4] or {}
  body.name, body.defaultsFrom = entry[2], "/Common/" .. entry[3]
  table.insert(kinds["ltm/profile/" .. entry[1]].factory.objects, body)
end
table.insert(
  kinds["ltm/profile/connector"].factory.objects,
  { name = "access-logonpage-protection-connector" }
)
table.insert(
  kinds["ltm/profile/service"].factory.objects,
  { name = "access-logonpage-protection-service", type = "f5-module" }
)

return kinds
