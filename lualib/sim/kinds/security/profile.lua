-- The profiles of AFM, ASM and the fraud protection that a new device has.
local property = require "sim.kinds.common.property"

local s <const> = property.text

-- Sites ask for these icons without any page.
local WHITELIST <const> = {
  { name = "favicon_1", matchOrder = 1, url = "/favicon.ico" },
  { name = "apple_touch_1", matchOrder = 2, url = "/apple-touch-icon*.png" },
}

local function for_access(mode)
  return {
    name = "bot-defense-device-id-" .. mode .. "-access", deviceidMode = mode .. "-access",
    defaultsFrom = "/Common/bot-defense", performChallengeInTransparent = "enabled",
    dosAttackStrictMitigation = "disabled", apiAccessStrictMitigation = "disabled",
  }
end

local kinds <const> = {
  ["security/bot-defense/profile"] = {
    facts = {
      type = "collection", flat = false, parent = "bot-defense",
      refs = { defaultsFromReference = "." },
      props = { defaultsFrom = s(), whitelist = { t = "a" } },
    },
    relations = { { property = "defaultsFrom", to = { "." } } },
    factory = {
      protected = true,
      objects = {
        { name = "bot-defense", whitelist = WHITELIST },
        for_access "generate-before", for_access "generate-after",
      },
    },
  },
  ["security/bot-defense/asm-profile"] = {
    facts = { type = "collection", flat = false },
    factory = {
      protected = true,
      objects = { { name = "bot_defense_asm" }, { name = "bot_defense_asm_aggregated" } },
    },
  },
  ["security/anti-fraud/profile"] = {
    facts = {
      type = "collection", flat = false, parent = "antifraud",
      props = {
        defaultsFrom = s(), alertClientSideCaching = s "enabled", alertPath = s "/rstats/",
        alertTokenHeader = s "Alert-Token", checkPathInfo = s "disabled",
      },
    },
    relations = { { property = "defaultsFrom", to = { "." } } },
    factory = {
      protected = true,
      objects = {
        { name = "antifraud" },
        { name = "access-logonpage-protection-datasafe", defaultsFrom = "/Common/antifraud" },
      },
    },
  },
  ["security/http/profile"] = {
    facts = {
      type = "collection", flat = false, parent = "http_security", props = { defaultsFrom = s() },
      refs = { defaultsFromReference = "." },
    },
    relations = { { property = "defaultsFrom", to = { "." } } },
    factory = { protected = true, objects = { { name = "http_security" } } },
  },
  ["security/ssh/profile/*/auth-info"] = {
    facts = { props = { realServerAuth = { d = false } } },
  },
  ["security/ssh/profile"] = {
    facts = { type = "collection", flat = false, subs = { authInfoReference = "auth-info" } },
    factory = {
      protected = true,
      objects = {
        {
          name = "ssh",
          actions = {
            { name = "default_actions", shellAction = { control = "allow", log = "no" } },
          },
        },
      },
    },
  },
}

-- How much of the obfuscated scripts is prepared, and how fast: size of the buffer, area, pause,
-- timeout, kept files, free processor time and memory, rows at once.
local datasync <const> = {}
for n, row in ipairs {
  { "crypt-asm-dosl7", 10240, "asm", 0, 0, 0, 0, 0, 1 },
  { "crypt-fpm", 10240, "fps", 0, 0, 0, 0, 0, 1 },
  { "cs-asm-dosl7", 9437184, "asm", 10, 1800, 1000, 20, 100, 5 },
  { "cs-fpm", 16777216, "fps", 10, 1800, 1000, 20, 100, 10 },
  { "static-fpm", 204800, "fps", 0, 0, 0, 0, 0, 1 },
  { "rsa", 2097152, "fps", 10, 1800, 0, 20, 50, 50 },
  { "captcha", 5242880, "asm", 0, 1800, 0, 10, 50, 4 },
  { "cs-perm-fpm", 1048576, "fps", 10, 1800, 1000, 20, 100, 10 },
} do
  datasync[n] = {
    name = row[1], bufSize = row[2], dsArea = row[3], genPauseSec = row[4], genTimeoutSec = row[5],
    keepConfFiles = row[6], minCpuPercent = row[7], minMemMb = row[8], rowsBulk = row[9],
    maxGenRows = "infinite", maxIowaitPercent = 15, offlineUntilGen = "enabled",
  }
end
kinds["security/datasync/local-profile"] = {
  facts = {
    type = "collection", flat = false, props = { maxGenRows = s(), offlineUntilGen = s() },
  },
  factory = { protected = true, objects = datasync },
}

return kinds
