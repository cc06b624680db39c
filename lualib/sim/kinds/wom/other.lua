-- WAN optimization profiles.
local property = require "sim.kinds.common.property"

local s <const> = property.text

local kinds <const> = {
  ["wom/remote-route"] = { facts = { type = "show", listed = true } },
  ["wom/endpoint-discovery"] = { facts = { type = "singleton", open = true } },
  ["wom/profile/isession"] = {
    factory = {
      protected = true,
      objects = {
        { name = "isession" },
        {
          name = "isession-encrypt", defaultsFrom = "/Common/isession", dataEncryption = "enabled",
        },
        { name = "isession-mapi", defaultsFrom = "/Common/isession" },
        {
          name = "isession-softwoc", defaultsFrom = "/Common/isession", deduplication = "disabled",
        },
      },
    },
  },
}

for kind, body in pairs {
  cifs = { name = "cifs" }, mapi = { name = "mapi", nativeCompression = "disabled" },
  ["passthru-woc-plugin"] = { name = "passthruwocplugin" },
} do
  kinds["wom/profile/" .. kind] = {
    facts = {
      type = "collection", flat = false, parent = body.name, props = { defaultsFrom = s() },
    },
    relations = { { property = "defaultsFrom", to = { "." } } },
    factory = { protected = true, objects = { body } },
  }
end

for _, name in ipairs { "diagnose-conn", "verify-config" } do
  kinds["wom/" .. name] = { facts = { no_create = true } }
end

return kinds
