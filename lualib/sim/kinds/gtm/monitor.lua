-- Monitors of gtm. Some names differ from those of ltm, so that both are unique.
local monitors = require "sim.kinds.common.monitors"
local user_variables = require "sim.kinds.common.user_variables"

local kinds <const> = {
  ["gtm/monitor"] = { facts = { type = "organizing", noun = "monitor" } },
  ["gtm/monitor/none"] = {
    facts = { type = "collection", no_create = true, no_delete = true },
    factory = { protected = true, objects = { { name = "none" } } },
  },
  ["^gtm/monitor/[^/*]+$"] = monitors.KIND,
}

monitors.add_factory(kinds, "gtm", {
  "bigip", "bigip-link", "external", "firepass", "ftp", "gateway-icmp", "gtp", "http", "https",
  "imap", "ldap", "mssql", "mysql", "nntp", "oracle", "pop3", "postgresql", "radius",
  "radius-accounting", "real-server", "scripted", "sip", "smtp", "snmp", "snmp-link", "soap", "tcp",
  "tcp-half-open", "udp", "wap", "wmi",
}, { firepass = { name = "firepass_gtm" }, snmp = { name = "snmp_gtm" } })
user_variables.add_to(kinds["gtm/monitor/external"])

return kinds
