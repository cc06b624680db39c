-- Large scale NAT: its pools and log profiles.
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const> = property.text

local lsn_pool <const> = {
  prepare = function(_, object)
    if object.logProfile and not object.logPublisher then
      validate.refuse_mcpd(
        (
          "01071a8a:3: Configuration of LSN Pool (%s) is incomplete, you cannot use a "
            .. "log profile without a log publisher."
        ):format(
          object.fullPath
        )
      )
    end
  end,
}

return {
  ["ltm/lsn-pool"] = {
    facts = {
      noun = "LSN Pool",
      refs = {
        logProfileReference = "ltm/lsn-log-profile",
        logPublisherReference = "sys/log-config/publisher",
      },
      props = {
        mode = s("napt", { c = "deterministic|napt|pba" }),
        translationPortRange = s("1025-65535"),
        logProfile = s(),
        logPublisher = s(),
      },
    },
    checks = lsn_pool,
    stats = {
      entries = {
        { "tmName", "d" },
        { "common.activeTranslations", "v" },
        { "common.backupPoolTranslations", "v" },
      },
    },
  },
  ["ltm/lsn-log-profile"] = {
    facts = {
      api_status = "DEPRECATED",
      props = {
        startInboundSession = { t = "o", d = { action = "disabled" } },
        endInboundSession = { t = "o", d = { action = "enabled" } },
      },
    },
    factory = { protected = true, objects = { { name = "lsn_log_profile" } } },
  },
}
