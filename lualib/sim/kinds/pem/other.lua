-- Kinds of pem.
local property = require "sim.kinds.common.property"

local s <const> = property.text

local kinds <const> = {
  ["pem/forwarding-endpoint"] = {
    facts = {
      type = "collection", open = true,
      props = {
        translateAddress = s("disabled", { c = "disabled|enabled" }),
        translateService = s("disabled", { c = "disabled|enabled" }),
      },
    },
  },
  ["pem/policy"] = { facts = { type = "collection", open = true } },
}

for _, name in ipairs {
  "analytics", "gx", "hsl-flow", "hsl-report", "insert-content", "policy", "quota-mgmt",
  "session-mgmt-attributes", "subscriber-activity-log",
} do
  kinds["pem/global-settings/" .. name] = { facts = { type = "singleton", open = true } }
end

-- One profile of each kind. All others take their values from it.
for kind, name in pairs {
  ["diameter-endpoint"] = "diameter-endpoint", ["radius-aaa"] = "radiusaaa", spm = "spm",
  ["subscriber-mgmt"] = "subscriber-mgmt",
} do
  kinds["pem/profile/" .. kind] = {
    facts = { type = "collection", flat = false, parent = name, props = { defaultsFrom = s() } },
    relations = { { property = "defaultsFrom", to = { "." } } },
    factory = { protected = true, objects = { { name = name } } },
  }
end

-- The identifiers of Diameter's sessions begin with the name of their interface.
local endpoint <const> = kinds["pem/profile/diameter-endpoint"].factory.objects[1]
for _, interface in ipairs { "gx", "gy", "sd" } do
  endpoint[interface .. "SessionIdPrefix"] =
    ("%s.BIG-IP.f5net.com"):format(interface:gsub("^%l", string.upper))
end

kinds["pem/sessiondb"] = { facts = { no_create = true } }

return kinds
