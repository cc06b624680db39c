-- Protection against denial of service.
local files = require "sim.kinds.common.files"
local property = require "sim.kinds.common.property"

local s <const>, i <const> = property.text, property.number

-- The limits and the answers of one kind of detection, by device ID, source address, URL, site and
-- country.
local function detection(more)
  local group = {
    deEscalationPeriod = 7200, escalationPeriod = 120, mode = "off", thresholdsMode = "manual",
    geoMinimumShare = 10, geoShareIncreaseRate = 500, urlEnableHeavy = "enabled",
  }
  for source, limits in pairs {
    deviceId = { 40, 200 }, ip = { 40, 200 }, url = { 200, 1000 }, site = { 2000, 10000 },
  } do
    group[source .. "MinimumTps"], group[source .. "MaximumTps"] = limits[1], limits[2]
    group[source .. "TpsIncreaseRate"] = 500
  end
  for _, source in ipairs { "deviceId", "geo", "ip", "site", "url" } do
    group[source .. "CaptchaChallenge"] = "disabled"
    group[source .. "ClientSideDefense"] = "disabled"
    group[source .. "RateLimiting"] = "disabled"
  end
  for _, source in ipairs { "deviceId", "geo", "ip" } do
    group[source .. "RequestBlockingMode"] = "rate-limit"
  end
  for name, value in pairs(more or {}) do group[name] = value end
  return group
end

local BEHAVIORAL <const> = {
  dosDetection = "disabled", mitigationMode = "none", signatures = "disabled",
  signaturesApprovedOnly = "disabled",
}

local MODES <const> = {
  mode = "blocking|off|transparent", thresholdsMode = "automatic|manual",
  behavioral = { mitigationMode = "aggressive|conservative|none|standard" },
}
local FOUND <const> = {
  detection = "disabled|enabled|learn-only", mitigation = "high|low|medium|none",
}

-- Signatures that the device finds by itself.
local function dynamic_signatures(scrubbing)
  local group = { detection = "disabled", mitigation = "none" }
  if scrubbing then group.scrubberAdvertisementPeriod, group.scrubberEnable = 300, "no" end
  return group
end

local CATEGORIES <const> = {}
for kind, names in pairs {
  benign = {
    "HTTP Library", "Headless Browser", "RSS Reader", "Search Bot", "Search Engine",
    "Service Agent", "Site Monitor", "Social Media Agent", "Web Downloader", "Crawler",
  },
  malicious = {
    "DOS Tool", "E-Mail Collector", "Exploit Tool", "Network Scanner", "Spam Bot",
    "Vulnerability Scanner", "Web Spider", "Webserver Stress Tool", "Spyware",
  },
} do
  for _, name in ipairs(names) do
    CATEGORIES[#CATEGORIES + 1] = { name = name, type = kind, userDefined = "false" }
  end
end

return {
  ["security/dos/profile"] = {
    facts = {
      subs = {
        applicationReference = "application", dosNetworkReference = "dos-network",
        protocolDnsReference = "protocol-dns", protocolSipReference = "protocol-sip",
      },
    },
    factory = { protected = true, objects = { { name = "dos" } } },
  },
  ["security/dos/profile/*/application"] = {
    facts = {
      type = "collection", flat = true, open = true,
      props = {
        triggerIrule = s("disabled", { c = "disabled|enabled" }),
        botDefense = { t = "o", d = {
          browserLegitCaptcha = "enabled", browserLegitEnabled = "enabled",
          crossDomainRequests = "allow-all", gracePeriod = 300, mode = "disabled",
        }, c = {
          mode = "always|disabled|during-attacks",
          crossDomainRequests = "allow-all|validate-bulk|validate-upon-request",
        } },
        tpsBased = { t = "o", d = detection(), c = MODES },
        stressBased = { t = "o", d = detection { behavioral = BEHAVIORAL }, c = MODES },
        botSignatures = { t = "o", d = { check = "disabled" } },
        heavyUrls = { t = "o", d = {
          automaticDetection = "enabled", latencyThreshold = 1000, protection = "disabled",
        } },
        tcpDump = { t = "o", d = {
          maximumDuration = 30, maximumSize = 10, recordTraffic = "disabled",
          repetitionInterval = "120",
        } },
        rtbhDurationSec = i(300), rtbhEnable = s "disabled",
        scrubbingDurationSec = i(300), scrubbingEnable = s "disabled",
        singlePageApplication = s "disabled",
      },
    },
  },
  ["security/dos/profile/*/dos-network"] = {
    facts = {
      type = "collection", flat = true, open = true,
      props = {
        dynamicSignatures = { t = "o", d = dynamic_signatures(true), c = FOUND },
        networkAttackVector = { t = "a" },
      },
    },
  },
  ["security/dos/profile/*/protocol-dns"] = {
    facts = {
      type = "collection",
      flat = true,
      open = true,
      props = { protErrAttackDetection = s("disabled", { c = "disabled|enabled" }) },
    },
  },
  ["security/dos/profile/*/protocol-sip"] = {
    facts = {
      type = "collection",
      flat = true,
      open = true,
      props = { protErrAttackDetection = s("disabled", { c = "disabled|enabled" }) },
    },
  },
  ["security/dos/autodos-file-object"] = files.kind(),
  ["security/dos/l4bdos-file-object"] = files.kind(),
  ["security/dos/ipv6-ext-hdr"] = {
    facts = { type = "collection", flat = false, props = { frameTypes = { t = "a" } } },
    factory = {
      protected = true,
      objects = {
        {
          name = "dos-ipv6-ext-hdr",
          frameTypes = { "auth", "dstopt", "esp", "frag", "hbh", "mobility", "route" },
        },
      },
    },
  },
  ["security/dos/udp-portlist"] = {
    facts = { type = "collection", flat = false },
    factory = { protected = true, objects = { { name = "dos-udp-portlist" } } },
  },
  ["security/dos/bot-signature"] = { facts = { props = { risk = { c = "high|low|medium|na" } } } },
  ["security/dos/bot-signature-category"] = {
    facts = { type = "collection", flat = false },
    factory = { protected = true, objects = CATEGORIES },
  },
  ["security/dos/device-config"] = {
    facts = {
      props = {
        dynamicSignatures = { t = "o", d = {
          dns = dynamic_signatures(false), network = dynamic_signatures(true),
        }, c = { dns = FOUND, network = FOUND } },
      },
    },
    factory = { protected = true, objects = { { name = "dos-device-config" } } },
  },
}
