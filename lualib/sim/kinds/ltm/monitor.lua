-- Monitors.
local monitors = require "sim.kinds.common.monitors"
local user_variables = require "sim.kinds.common.user_variables"

local kinds <const> = {
  ["ltm/monitor"] = { facts = { noun = "monitor" } },
  ["ltm/monitor/none"] = {
    facts = { type = "collection", no_create = true, no_delete = true },
  },
  ["^ltm/monitor/[^/*]+$"] = monitors.KIND,
}

monitors.add_factory(kinds, "ltm", {
  "diameter", "dns", "external", "firepass", "ftp", "gateway-icmp", "http", "http2", "https",
  "icmp", "imap", "inband", "ldap", "module-score", "mqtt", "mssql", "mysql", "nntp", "oracle",
  "pop3", "postgresql", "radius", "radius-accounting", "real-server", "rpc", "sasp", "scripted",
  "sip", "smb", "smtp", "snmp-dca", "snmp-dca-base", "soap", "tcp", "tcp-echo", "tcp-half-open",
  "udp", "virtual-location", "wap", "wmi",
}, {
  http = { send = "GET /\\r\\n", interval = 5, timeout = 16, destination = "*:*" },
  https = { send = "GET /\\r\\n", interval = 5, timeout = 16 },
})
user_variables.add_to(kinds["ltm/monitor/external"])
kinds["ltm/monitor/dns"].facts = { props = { qtype = { c = "a|aaaa" } } }
-- The head of these families was not recorded.
kinds["ltm/monitor/http"].facts = { props = { reverse = { d = "disabled" } } }
for _, kind in ipairs { "http", "nntp", "radius-accounting", "rpc", "virtual-location" } do
  local known = kinds["ltm/monitor/" .. kind]
  known.facts = known.facts or { props = {} }
  known.facts.props.destination = { d = "*:*" }
end
kinds["ltm/monitor/dns"].facts = { props = { qtype = { c = "a|aaaa" } } }
table.insert(
  kinds["ltm/monitor/https"].factory.objects,
  { name = "https_443", defaultsFrom = "/Common/https", destination = "*:443" }
)

return kinds
