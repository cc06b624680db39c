-- Reports of the analytics that are sent regularly. All have the same properties.
local property = require "sim.kinds.common.property"

local s <const> = property.text
local FREQUENCIES <const> =
  "every-6-hours|every-12-hours|every-24-hours|every-week|every-month"

return {
  ["^analytics/.*/scheduled%-report$"] = {
    facts = {
      props = {
        deviceGroup = s(), emailAddresses = { t = "a" }, firstTime = s(),
        frequency = s(nil, { c = FREQUENCIES }), includeTotal = s(nil, { c = "disabled|enabled" }),
        multiLeveledReport = { t = "o" }, predefinedReportName = s(), smtpConfig = s(),
      },
    },
  },
}
