-- Firewalls and the translation of addresses.
local ports = require "sim.kinds.common.ports"
local property = require "sim.kinds.common.property"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag

-- The properties of a rule, wherever it is.
local function rule(more)
  local props = {
    action = s("accept", { c = "accept|accept-decisively|drop|reject" }), ipProtocol = s "any",
    log = s("no", { c = "no|yes" }), status = s("enabled", { c = "disabled|enabled|scheduled" }),
    destination = { t = "o" }, source = { t = "o" }, ruleList = s(), schedule = s(),
  }
  for name, spec in pairs(more or {}) do props[name] = spec end
  return props
end

-- The rules of the lists that a device has: what it allows on its own addresses.
local function own_rules()
  local rules = {}
  local function add(list, name, protocol, destination)
    rules[#rules + 1] = {
      owner = "/Common/_sys_self_allow_" .. list, name = "_sys_allow_" .. name, action = "accept",
      ipProtocol = protocol, destination = destination,
    }
  end
  add("all", "all", "any")
  for _, protocol in ipairs { "tcp", "udp" } do
    add("defaults", protocol .. "_defaults", protocol, {
      portLists = { ("/Common/_sys_self_allow_%s_defaults"):format(protocol) },
    })
  end
  for _, protocol in ipairs { "ospf", "pim", "igmp" } do
    add("defaults", protocol .. "_defaults", protocol)
  end
  add("management", "ssh", "tcp", { ports = { { name = "22" } } })
  add("management", "web", "tcp", { ports = { { name = "443" } } })
  return rules
end

return {
  ["security/firewall/policy"] = {
    facts = { noun = "firewall policy", subs = { rulesReference = "rules" } },
  },
  ["security/firewall/policy/*/rules"] = {
    facts = {
      flat = true, noun = "firewall rule", open = true, props = rule { iruleSampleRate = i(1) },
    },
    relations = { { property = "ruleList", to = { "security/firewall/rule-list" } } },
  },
  ["security/firewall/rule-list"] = {
    facts = {
      type = "collection",
      noun = "firewall rule list",
      subs = { rulesReference = "rules" },
    },
    factory = {
      protected = true,
      objects = {
        { name = "_sys_self_allow_all" },
        { name = "_sys_self_allow_defaults" },
        { name = "_sys_self_allow_management" },
      },
    },
  },
  ["security/firewall/rule-list/*/rules"] = {
    facts = {
      type = "collection", flat = true, noun = "firewall rule", open = true,
      props = rule { iruleSampleRate = i(1), irule = s() },
    },
    factory = { objects = own_rules },
  },
  ["security/firewall/schedule"] = {
    facts = {
      type = "collection", open = true,
      props = {
        dailyHourStart = { d = "0:00" }, dailyHourEnd = { d = "24:00" },
        daysOfWeek = { d = {
          "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
        } },
      },
    },
  },
  ["security/firewall/address-list"] = {
    facts = {
      noun = "IP address list",
      lists = {
        addresses = true, fqdns = true, geo = true, addressLists = "security/firewall/address-list",
      },
    },
    relations = { { property = "addressLists", to = { "security/firewall/address-list" } } },
  },
  ["security/firewall/port-list"] = {
    facts = {
      noun = "port list", lists = { ports = true, portLists = "security/firewall/port-list" },
      props = { ports = { d = false } },
    },
    relations = { { property = "portLists", to = { "security/firewall/port-list" } } },
    factory = { protected = true, objects = ports.DEFAULTS },
  },
  ["security/shared-objects/port-list"] = {
    facts = { flat = false, lists = { ports = true }, props = { ports = { d = false } } },
    factory = { protected = true, objects = ports.DEFAULTS },
  },
  ["security/firewall/global-rules"] = {
    facts = {
      type = "singleton",
      open = true,
      refs = {
        enforcedPolicyReference = "security/firewall/policy",
        stagedPolicyReference = "security/firewall/policy",
      },
      props = { enforcedPolicy = s(), stagedPolicy = s(), servicePolicy = s(), description = s() },
    },
  },
  ["security/firewall/global-fqdn-policy"] = {
    facts = {
      type = "singleton",
      refs = { dnsResolverReference = "net/dns-resolver" },
      props = { dnsResolver = s(), refreshInterval = i(60) },
    },
  },
  ["security/firewall/management-ip-rules"] = {
    facts = {
      type = "singleton",
      subs = { rulesReference = "rules" },
    },
  },
  ["security/firewall/management-ip-rules/rules"] = {
    facts = { type = "collection", flat = true, open = true, props = rule() },
  },
  ["security/firewall/uuid-default-autogenerate"] = {
    facts = { type = "singleton", open = true, props = { mode = s "disabled" } },
  },
  ["security/nat/policy"] = {
    facts = {
      type = "collection",
      subs = { rulesReference = "rules" },
      open = true,
    },
  },
  ["security/nat/policy/*/rules"] = { facts = { type = "collection", flat = true, open = true } },
  ["security/nat/source-translation"] = {
    facts = {
      open = true, mandatory = { "addresses" },
      pairs = { { "egressInterfacesDisabled", "egressInterfacesEnabled" } },
      props = {
        clientConnectionLimit = i(0), egressInterfacesDisabled = flag(true),
        egressInterfacesEnabled = flag(), hairpinMode = s("disabled", { c = "disabled|enabled" }),
        inboundMode = s("none", {
          c = "endpoint-independent-filtering|explicit|none", keeps_none = true,
        }),
        mapping = { t = "o", d = { mode = "address-pooling-paired", timeout = 300 } },
        patMode = s("napt", { c = "deterministic|napt|pba" }),
        portBlockAllocation = {
          t = "o",
          d = {
            blockIdleTimeout = 3600, blockLifetime = 0, blockSize = 64, clientBlockLimit = 1,
            zombieTimeout = 0,
          },
        },
        routeAdvertisement = s("disabled", { c = "disabled|enabled" }),
        trafficGroup = s "/Common/traffic-group-1",
        type = s("dynamic-pat", { c = "dynamic-pat|static-nat|static-pat" }),
      },
    },
  },
  ["security/nat/destination-translation"] = {
    facts = { open = true, mandatory = { "addresses" } },
  },
}
