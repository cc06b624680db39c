-- Plugins of iRules LX.
local property = require "sim.kinds.common.property"

local s <const>, flag <const> = property.text, property.flag

return {
  ["ilx/plugin"] = {
    facts = {
      pairs = { { "enabled", "disabled" } },
      props = { disabled = flag(), enabled = flag(true), logPublisher = s() },
    },
  },
}
