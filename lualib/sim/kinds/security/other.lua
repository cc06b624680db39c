-- Kinds of security of which little is known beyond the catalogue.
local property = require "sim.kinds.common.property"

local s <const>, i <const> = property.text, property.number

-- What the identity of a browser is made of.
local function attributes()
  local objects = {}
  for id = 1, 39 do objects[id] = { name = ("att%02d"):format(id), id = id } end
  return objects
end

local kinds <const> = {
  ["security/device-id/attribute"] = { factory = { protected = true, objects = attributes } },
  ["security/dos/network-whitelist"] = {
    facts = { no_create = true, no_delete = true },
    factory = { objects = { { name = "dos-network-whitelist" } } },
  },
  ["security/firewall/config-entity-id"] = {
    facts = { no_create = true, no_delete = true },
    factory = { objects = { { name = "uuid_entity_id", entityId = 1 } } },
  },
  ["security/protocol-inspection/compliance-map"] = {
    factory = {
      protected = true,
      objects = {
        { name = "map_10426", inspId = 10426, keyType = "int", valueType = "vector-string" },
      },
    },
  },
  ["security/firewall/config-change-log"] = {
    facts = {
      type = "singleton", open = true, props = { logPublisher = s "/Common/local-db-publisher" },
    },
  },
  ["security/analytics/settings"] = {
    facts = {
      type = "singleton",
      open = true,
      props = { aclRules = { t = "o", d = { collectClientIp = "enabled" } } },
    },
  },
  ["security/protocol-inspection/staging"] = {
    facts = {
      type = "show",
      kind = "tm:security:protocol-inspection:staging:stagingcollection",
    },
  },
  ["security/protocol-inspection/learning-suggestions"] = {
    facts = {
      type = "show",
      kind = "tm:security:protocol-inspection:learning-suggestions:learning-suggestionscollection",
    },
  },
  ["security/protocol-inspection/profile"] = {
    facts = { type = "collection", open = true },
    factory = {
      protected = true,
      objects = {
        { name = "protocol_inspection_dns" },
        { name = "protocol_inspection_http" },
        { name = "protocol_inspection_sip" },
      },
    },
  },
  ["security/scrubber/profile"] = {
    facts = {
      type = "collection", open = true, props = { advertisementTtl = s("3600") },
      subs = {
        scrubberRtDomainReference = "scrubber-rt-domain",
        scrubberCategoriesReference = "scrubber-categories",
        scrubberVirtualServerReference = "scrubber-virtual-server",
        scrubberNetflowProtectedServerReference = "scrubber-netflow-protected-server",
      },
    },
    factory = {
      protected = true,
      objects = { { name = "scrubber-profile-default", advertisementTtl = "300" } },
    },
  },
  ["security/scrubber/profile/*/scrubber-rt-domain"] = {
    facts = {
      type = "collection",
      flat = true,
      open = true,
      subs = { scrubberRdNetworkPrefixReference = "scrubber-rd-network-prefix" },
    },
  },
  ["security/scrubber/profile/*/scrubber-rt-domain/*/scrubber-rd-network-prefix"] = {
    facts = {
      type = "collection",
      flat = true,
      open = true,
    },
  },
  ["security/scrubber/profile/*/scrubber-categories"] = {
    facts = {
      type = "collection",
      flat = true,
      open = true,
    },
  },
  ["security/scrubber/profile/*/scrubber-virtual-server"] = {
    facts = {
      type = "collection",
      flat = true,
      open = true,
    },
  },
  ["security/scrubber/profile/*/scrubber-netflow-protected-server"] = {
    facts = {
      type = "collection",
      flat = true,
      open = true,
    },
  },
  ["security/flowspec-route-injector/profile"] = {
    facts = {
      type = "collection",
      open = true,
      subs = { neighborReference = "neighbor" },
    },
  },
  ["security/flowspec-route-injector/profile/*/neighbor"] = {
    facts = {
      type = "collection",
      flat = true,
      open = true,
      props = {
        localAs = i(), remoteAs = i(), holdTime = i(90), adjOut = s "enabled",
        bgpMultipleInstance = s "disabled", extendedAsnCap = s "enabled",
        gracefulRestart = s "disabled",
      },
    },
  },
}

-- Commands, what a device has learned, and what F5 delivers: nothing is made there.
for _, name in ipairs {
  "anti-fraud/engine-update", "bot-defense/anomaly", "bot-defense/anomaly-category",
  "bot-defense/class", "bot-defense/template", "cloud-services/cmd",
  "dos/auto-thresholds/heavy-urls", "dos/auto-thresholds/stress-based",
  "dos/auto-thresholds/top-device-ids", "dos/auto-thresholds/top-geolocations",
  "dos/auto-thresholds/top-source-ips", "dos/auto-thresholds/top-urls",
  "dos/auto-thresholds/tps-based", "dos/virtual", "firewall/fqdn-entity",
  "firewall/on-demand-compilation", "firewall/on-demand-rule-deploy",
  "ip-intelligence/fqdn-entity", "log/antifraud-storage-field",
  "log/nat-end-inbound-storage-field", "log/nat-end-outbound-storage-field",
  "log/nat-errors-storage-field", "log/nat-quota-ex-storage-field",
  "log/nat-start-inb-storage-field", "log/nat-start-outb-storage-field",
  "log/network-storage-field", "log/protocol-dns-storage-field", "log/protocol-sip-storage-field",
  "http/file-type", "http/mandatory-header", "log/remote-format", "log/storage-field",
  "malicious-sources/device-ids", "malicious-sources/ip-addresses",
  "protocol-inspection/compliance", "protocol-inspection/compliance-enums",
  "protocol-inspection/service", "protocol-inspection/system", "protocol-inspection/updates",
  "scrubber/unredirect",
} do
  kinds["security/" .. name] = { facts = { no_create = true } }
end

return kinds
