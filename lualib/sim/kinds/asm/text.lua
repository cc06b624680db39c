-- What configuration texts say about ASM. REST shows policies in another form (sim/asm), so these
-- kinds have no URIs of their own.
local property = require "sim.kinds.common.property"

local s <const>, flag <const> = property.text, property.flag

return {
  ["asm"] = { facts = { type = "organizing", hidden = true } },
  ["asm/predefined-policy"] = {
    facts = { type = "collection", flat = true, hidden = true, noun = "predefined policy" },
  },
  ["asm/policy"] = {
    facts = {
      type = "collection", hidden = true, noun = "security policy",
      props = {
        active = flag(), blockingMode = s(), description = s(), encoding = s(),
        parentPolicy = s(), policyBuilder = s(), policyTemplate = s(), policyType = s(),
      },
    },
  },
}
