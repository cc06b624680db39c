-- Kinds of ltm of which little is known beyond the catalogue.
local files = require "sim.kinds.common.files"
local property = require "sim.kinds.common.property"

local s <const>, flag <const> = property.text, property.flag

local dnssec <const> = {
  flat = false, pairs = { { "enabled", "disabled" } },
  props = { disabled = flag(), enabled = flag(true) },
}

-- The authentication profiles of a new device. The iRules that they name are texts of F5; the
-- simulator does not have them.
local auth_profiles <const> = {}
for n, kind in ipairs {
  "krbdelegate", "ldap", "radius", "ssl-cc-ldap", "ssl-crldp", "ssl-ocsp", "tacacs",
} do
  local name = kind:gsub("%-", "_")
  auth_profiles[n] = {
    name = name,
    type = kind,
    fileName = ("tmm_common%s1"):format(kind:gsub("%-", "")),
    rule = kind ~= "krbdelegate" and "/Common/_sys_auth_" .. name or nil,
  }
end

local kinds <const> = {
  ["ltm/alg-log-profile"] = {
    factory = { protected = true, objects = { { name = "alg_log_profile" } } },
  },
  ["ltm/classification/ce"] = {
    facts = { api_status = "EARLY_ACCESS" },
    factory = {
      protected = true,
      objects = {
        { name = "ce" },
        { name = "ce_pem" },
        { name = "ce_apm_swg", cacheResults = "off" },
        { name = "ce_afm", allowReclassification = "off", cacheResults = "off" },
      },
    },
  },
  ["ltm/dns/nameserver"] = { facts = { flat = false } },
  ["ltm/dns/tsig-key"] = { facts = { flat = false } },
  ["ltm/dns/dnssec/key"] = { facts = dnssec },
  ["ltm/dns/dnssec/zone"] = { facts = dnssec },
  ["ltm/traffic-class"] = { facts = { noun = "traffic class" } },
  ["ltm/classification/signature-update-schedule"] = { facts = { open = true } },
  ["ltm/traffic-matching-criteria"] = { facts = { props = { command = false } } },
  ["ltm/html-rule"] = { facts = { type = "organizing" } },
  ["ltm/clientssl"] = { facts = { type = "organizing" } },
  ["ltm/clientssl-proxy"] = { facts = { type = "organizing" } },
  ["ltm/eviction-policy"] = {
    facts = {
      props = {
        strategies = {
          t = "o",
          d = {
            biasBytes = { delay = 0, enabled = "false" },
            biasFast = { delay = 0, enabled = "false" },
            biasIdle = { enabled = "true" },
            biasOldest = { enabled = "true" },
            biasSlow = { delay = 0, enabled = "false" },
            lowPriorityGeographies = { enabled = "false" },
            lowPriorityPort = { enabled = "false" },
            lowPriorityRouteDomain = { enabled = "false" },
            lowPriorityVirtualServer = { enabled = "false" },
          },
        },
      },
    },
    factory = { protected = true, objects = { { name = "default-eviction-policy" } } },
  },
  ["ltm/auth/profile"] = {
    facts = { refs = { ruleReference = "ltm/rule" } },
    factory = { protected = true, objects = auth_profiles },
  },
  ["ltm/global-settings/connection"] = {
    facts = { props = { globalFlowEvictionPolicy = s "/Common/default-eviction-policy" } },
  },
  ["ltm/dns/cache/resolver"] = {
    facts = {
      refs = { routeDomainReference = "net/route-domain" }, props = { rrsetRotate = s "none" },
    },
  },
  ["ltm/tacdb/licenseddb-file"] = files.kind(),
  ["ltm/tacdb/licenseddb"] = {
    facts = { props = { lastSyncDatetime = s "1970-01-01T00:00:00Z" } },
    factory = { protected = true, objects = { { name = "licensed-tacdb" } } },
  },
}

-- Commands, and what a device has learned: nothing is made there.
for _, name in ipairs {
  "classification/signature-definition", "classification/signature-version",
  "classification/signatures", "classification/update-signatures", "classification/updates",
  "clientssl-proxy/cached-certs", "clientssl/ocsp-stapling-responses", "dns/cache/records/all",
  "dns/cache/records/key", "dns/cache/records/msg", "dns/cache/records/nameserver",
  "dns/cache/records/rrset", "dns/dns-express-db",
} do
  kinds["ltm/" .. name] = { facts = { no_create = true } }
end

return kinds
