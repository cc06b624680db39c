-- What is known about firewalls, denial of service and the other kinds below security/ beyond the
-- generated catalogue: changes of sim/overrides.lua.
local property <const> = require "sim.property"

local s <const>, i <const> = property.text, property.number
local NO_FORMAT <const> = { fieldListDelimiter = ",", type = "none" }

local function all_disabled(list)
  local settings <const> = {}
  for _, name in ipairs(list) do settings[name] = "disabled" end
  return settings
end

local DEVICE_ID <const> = {
  deviceIdClientSideDefense = "disabled",
  deviceIdCaptchaChallenge = "disabled",
  deviceIdRateLimiting = "disabled",
  deviceIdRequestBlockingMode = "rate-limit",
  deviceIdMaximumTps = 200,
  deviceIdMinimumTps = 40,
  deviceIdTpsIncreaseRate = 500,
}

local nodes <const> = {
  ["security/firewall/policy"] = { noun = "firewall policy", subs = { rulesReference = "rules" } },
  ["security/firewall/policy/*/rules"] = { flat = true, noun = "firewall rule", open = true },
  ["security/firewall/rule-list"] = {
    type = "collection",
    noun = "firewall rule list",
    subs = { rulesReference = "rules" },
  },
  ["security/firewall/rule-list/*/rules"] = {
    type = "collection", flat = true, noun = "firewall rule", open = true,
  },
  ["security/firewall/schedule"] = { type = "collection", open = true },
  ["security/firewall/address-list"] = { noun = "address list" },
  ["security/firewall/port-list"] = { noun = "port list" },
  ["security/nat/policy"] = {
    type = "collection",
    subs = { rulesReference = "rules" },
    open = true,
  },
  ["security/nat/policy/*/rules"] = { type = "collection", flat = true, open = true },
  ["security/log/profile/application"] = { type = "collection", hidden = true },
  ["security/log/profile/*/application"] = { type = "collection", flat = false, open = true,
    props = {
      facility = s("local0"), guaranteeLogging = s("enabled"),
      guaranteeResponseLogging = s("disabled"), localStorage = s("enabled"),
      remoteStorage = s("none"), logicOperation = s("or"), maximumEntryLength = s("1k"),
      maximumHeaderSize = s("any"), maximumQuerySize = s("any"), maximumRequestSize = s("any"),
      protocol = s("tcp"), reportAnomalies = s("disabled"), responseLogging = s("none"),
    },
  },
  ["security/log/profile/*/network"] = {
    type = "collection",
    flat = false,
    open = true,
    props = {
      filter = {
        t = "o",
        d = all_disabled {
          "logAclMatchAccept", "logAclMatchDrop", "logAclMatchReject", "logAclToBoxDeny",
          "logGeoAlways", "logIpErrors", "logTcpErrors", "logTcpEvents", "logTranslationFields",
        },
      },
    },
  },
  ["security/log/profile/*/protocol-dns"] = {
    type = "collection",
    flat = false,
    open = true,
    props = {
      filter = {
        t = "o",
        d = all_disabled {
          "logDnsDrop", "logDnsFilteredDrop", "logDnsMalformed", "logDnsMalicious", "logDnsReject",
        },
      },
      format = { t = "o", d = NO_FORMAT },
    } },
  ["security/log/profile/*/protocol-sip"] = { type = "collection", flat = false, open = true,
    props = {
      filter = {
        t = "o",
        d = all_disabled {
          "logSipDrop", "logSipGlobalFailures", "logSipMalformed", "logSipRedirectionResponses",
          "logSipRequestFailures", "logSipServerErrors",
        },
      },
      format = { t = "o", d = NO_FORMAT },
    },
  },
  ["security/analytics/settings"] = {
    type = "singleton",
    open = true,
    props = { aclRules = { t = "o", d = { collectClientIp = "enabled" } } },
  },
  ["security/protocol-inspection/staging"] = {
    type = "show",
    kind = "tm:security:protocol-inspection:staging:stagingcollection",
  },
  ["security/protocol-inspection/learning-suggestions"] = {
    type = "show",
    kind = "tm:security:protocol-inspection:learning-suggestions:learning-suggestionscollection",
  },
  ["security/dos/profile"] = {
    subs = {
      applicationReference = "application", dosNetworkReference = "dos-network",
      protocolDnsReference = "protocol-dns", protocolSipReference = "protocol-sip",
    },
  },
  ["security/dos/profile/*/application"] = {
    type = "collection", flat = true, open = true,
    props = {
      triggerIrule = s("disabled", { c = "disabled|enabled" }),
      -- Mitigation by device id, in both kinds of detection.
      tpsBased = { t = "o", d = DEVICE_ID }, stressBased = { t = "o", d = DEVICE_ID },
    },
  },
  ["security/dos/profile/*/dos-network"] = { type = "collection", flat = true, open = true },
  ["security/dos/profile/*/protocol-dns"] = {
    type = "collection",
    flat = true,
    open = true,
    props = { protErrAttackDetection = s("disabled", { c = "disabled|enabled" }) },
  },
  ["security/dos/profile/*/protocol-sip"] = {
    type = "collection",
    flat = true,
    open = true,
    props = { protErrAttackDetection = s("disabled", { c = "disabled|enabled" }) },
  },
  ["security/protocol-inspection/profile"] = { type = "collection", open = true },
  ["security/firewall/global-rules"] = {
    type = "singleton",
    open = true,
    refs = {
      enforcedPolicyReference = "security/firewall/policy",
      stagedPolicyReference = "security/firewall/policy",
    },
    props = { enforcedPolicy = s(), stagedPolicy = s(), servicePolicy = s(), description = s() },
  },
  ["security/firewall/global-fqdn-policy"] = {
    type = "singleton",
    refs = { dnsResolverReference = "net/dns-resolver" },
    props = { dnsResolver = s(), refreshInterval = i(60) },
  },
  ["security/ip-intelligence/global-policy"] = {
    type = "singleton",
    refs = { ipIntelligencePolicyReference = "security/ip-intelligence/policy" },
    props = { ipIntelligencePolicy = s(), description = s() },
  },
  ["security/scrubber/profile"] = {
    type = "collection", open = true, props = { advertisementTtl = s("3600") },
    subs = {
      scrubberRtDomainReference = "scrubber-rt-domain",
      scrubberCategoriesReference = "scrubber-categories",
      scrubberVirtualServerReference = "scrubber-virtual-server",
      scrubberNetflowProtectedServerReference = "scrubber-netflow-protected-server",
    },
  },
  ["security/scrubber/profile/*/scrubber-rt-domain"] = {
    type = "collection",
    flat = true,
    open = true,
    subs = { scrubberRdNetworkPrefixReference = "scrubber-rd-network-prefix" },
  },
  ["security/scrubber/profile/*/scrubber-rt-domain/*/scrubber-rd-network-prefix"] = {
    type = "collection",
    flat = true,
    open = true,
  },
  ["security/scrubber/profile/*/scrubber-categories"] = {
    type = "collection",
    flat = true,
    open = true,
  },
  ["security/scrubber/profile/*/scrubber-virtual-server"] = {
    type = "collection",
    flat = true,
    open = true,
  },
  ["security/scrubber/profile/*/scrubber-netflow-protected-server"] = {
    type = "collection",
    flat = true,
    open = true,
  },
  ["security/flowspec-route-injector/profile"] = {
    type = "collection",
    open = true,
    subs = { neighborReference = "neighbor" },
  },
  ["security/flowspec-route-injector/profile/*/neighbor"] = {
    type = "collection",
    flat = true,
    open = true,
    props = { localAs = i(), remoteAs = i(), holdTime = i(90) },
  },
  ["security/nat/source-translation"] = { open = true, mandatory = { "addresses" } },
  ["security/nat/destination-translation"] = { open = true, mandatory = { "addresses" } },
  ["security/firewall/management-ip-rules"] = {
    type = "singleton",
    subs = { rulesReference = "rules" },
  },
  ["security/firewall/management-ip-rules/rules"] = {
    type = "collection",
    flat = true,
    open = true,
  },
}

return { nodes = nodes }
