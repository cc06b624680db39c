-- The parts of log profiles, and what they log.
local property = require "sim.kinds.common.property"

local s <const> = property.text
local NO_FORMAT <const> = { fieldListDelimiter = ",", type = "none" }

local function all_disabled(list)
  local settings = {}
  for _, name in ipairs(list) do settings[name] = "disabled" end
  return settings
end

-- The log profiles of a new device. What their parts log was recorded for the network only.
local BUILT_IN <const> = {}
for n, name in ipairs {
  "Log all requests", "Log illegal requests", "global-network", "local-bot-defense", "local-dos",
} do
  BUILT_IN[n] = { name = name, builtIn = "enabled" }
end

return {
  ["security/log/profile"] = { factory = { protected = true, objects = BUILT_IN } },
  ["security/log/profile/application"] = { facts = { type = "collection", hidden = true } },
  ["security/log/profile/*/application"] = {
    facts = { type = "collection", flat = false, open = true,
      props = {
        facility = s("local0"), guaranteeLogging = s("enabled"),
        guaranteeResponseLogging = s("disabled"), localStorage = s("enabled"),
        remoteStorage = s("none"), logicOperation = s("or"), maximumEntryLength = s("1k"),
        maximumHeaderSize = s("any"), maximumQuerySize = s("any"), maximumRequestSize = s("any"),
        protocol = s("tcp"), reportAnomalies = s("disabled"), responseLogging = s("none"),
      },
    },
  },
  ["security/log/profile/*/network"] = {
    facts = {
      type = "collection",
      flat = false,
      open = true,
      refs = { publisherReference = "sys/log-config/publisher" },
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
    factory = { objects = { { owner = "/Common/global-network", name = "global-network" } } },
  },
  ["security/log/profile/*/protocol-dns"] = {
    facts = {
      type = "collection",
      flat = false,
      open = true,
      refs = { publisherReference = "sys/log-config/publisher" },
      props = {
        filter = {
          t = "o",
          d = all_disabled {
            "logDnsDrop", "logDnsFilteredDrop", "logDnsMalformed", "logDnsMalicious",
            "logDnsReject",
          },
        },
        format = { t = "o", d = NO_FORMAT },
      } },
  },
  ["security/log/profile/*/protocol-sip"] = {
    facts = { type = "collection", flat = false, open = true,
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
  },
}
