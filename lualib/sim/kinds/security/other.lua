-- Kinds of security of which little is known beyond the catalogue.
local property = require "sim.kinds.common.property"

local s <const>, i <const> = property.text, property.number

return {
  ["security/firewall/config-change-log"] = { facts = { type = "singleton", open = true } },
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
    factory = { protected = true, objects = { { name = "scrubber-profile-default" } } },
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
