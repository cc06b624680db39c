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
  ["security/dos/device-config"] = {
    factory = { protected = true, objects = { { name = "dos-device-config" } } },
  },
}
