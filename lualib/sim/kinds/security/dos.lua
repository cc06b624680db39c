-- Protection against denial of service.
local property = require "sim.kinds.common.property"

local s <const> = property.text

local DEVICE_ID <const> = {
  deviceIdClientSideDefense = "disabled",
  deviceIdCaptchaChallenge = "disabled",
  deviceIdRateLimiting = "disabled",
  deviceIdRequestBlockingMode = "rate-limit",
  deviceIdMaximumTps = 200,
  deviceIdMinimumTps = 40,
  deviceIdTpsIncreaseRate = 500,
}

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
        -- Mitigation by device ID, for both kinds of detection.
        tpsBased = { t = "o", d = DEVICE_ID }, stressBased = { t = "o", d = DEVICE_ID },
      },
    },
  },
  ["security/dos/profile/*/dos-network"] = {
    facts = { type = "collection", flat = true, open = true },
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
    factory = { protected = true, objects = { { name = "dos-device-config" } } },
  },
}
