-- Kinds of ltm of which little is known beyond the catalogue.
return {
  ["ltm/classification/ce"] = { facts = { api_status = "EARLY_ACCESS" } },
  ["ltm/dns/nameserver"] = { facts = { flat = false } },
  ["ltm/dns/tsig-key"] = { facts = { flat = false } },
  ["ltm/dns/dnssec/key"] = { facts = { flat = false } },
  ["ltm/dns/dnssec/zone"] = { facts = { flat = false } },
  ["ltm/traffic-class"] = { facts = { noun = "traffic class" } },
  ["ltm/classification/signature-update-schedule"] = { facts = { open = true } },
  ["ltm/traffic-matching-criteria"] = { facts = { props = { command = false } } },
  ["ltm/html-rule"] = { facts = { type = "organizing" } },
  ["ltm/message-routing"] = { facts = { type = "organizing" } },
  ["ltm/clientssl"] = { facts = { type = "organizing" } },
  ["ltm/clientssl-proxy"] = { facts = { type = "organizing" } },
  ["ltm/eviction-policy"] = {
    factory = { protected = true, objects = { { name = "default-eviction-policy" } } },
  },
  ["ltm/auth/profile"] = {
    factory = {
      protected = true,
      objects = {
        { name = "krbdelegate" }, { name = "ldap" }, { name = "radius" }, { name = "ssl_cc_ldap" },
        { name = "ssl_crldp" }, { name = "ssl_ocsp" }, { name = "tacacs" },
      },
    },
  },
  ["ltm/message-routing/generic/protocol"] = {
    factory = { protected = true, objects = { { name = "genericmsg" } } },
  },
  ["ltm/message-routing/mqtt/profile/session"] = {
    factory = { protected = true, objects = { { name = "mqttsession" } } },
  },
  ["ltm/tacdb/licenseddb"] = {
    factory = { protected = true, objects = { { name = "licensed-tacdb" } } },
  },
}
