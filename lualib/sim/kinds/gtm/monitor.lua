-- Monitors of gtm. Some names differ from those of ltm, so that both are unique.
local monitors = require "sim.kinds.common.monitors"
local property = require "sim.kinds.common.property"

local s <const>, i <const> = property.text, property.number

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

-- Monitors of these kinds were never recorded. They have what most recorded ones have; databases
-- have the timeout of postgresql.
local UNSEEN <const> = {
  external = 120, gtp = 120, ldap = 120, mssql = 91, mysql = 91, oracle = 91, radius = 120,
  ["radius-accounting"] = 120, sip = 120, smtp = 120, wap = 120, wmi = 120,
}
for kind, timeout in pairs(UNSEEN) do
  kinds["gtm/monitor/" .. kind].facts = {
    props = {
      destination = s "*:*", ignoreDownResponse = s("disabled", { c = "disabled|enabled" }),
      interval = i(30), probeTimeout = i(5), timeout = i(timeout),
    },
  }
end

return kinds
