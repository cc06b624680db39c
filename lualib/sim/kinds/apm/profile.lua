-- The profiles of access that a new device has, and their families.
local property = require "sim.kinds.common.property"

local s <const> = property.text

local kinds <const> = {
  ["apm/profile/access"] = {
    factory = { protected = true, objects = { { name = "access" } } },
  },
  ["apm/apm-avr-config"] = {
    factory = { protected = true, objects = { { name = "apm-avr-config" } } },
  },
  ["apm/oauth/db-instance"] = {
    factory = { protected = true, objects = { { name = "oauthdb" } } },
  },
  ["apm/policy/customization-source"] = {
    factory = { protected = true, objects = { { name = "modern" }, { name = "standard" } } },
  },
  ["apm/client-packaging"] = {
    factory = { protected = true, objects = { { name = "client-packaging" } } },
  },
  ["apm/resource/remote-desktop/citrix-client-bundle"] = {
    factory = { protected = true, objects = { { name = "default-citrix-client-bundle" } } },
  },
}

-- One profile of each kind. All others take their values from it.
for kind, name in pairs {
  connectivity = "connectivity", eca = "eca", exchange = "exchange", oauth = "oauth",
  oauthplugin = "oauthplugin", ["ping-access"] = "pingaccess",
  ["remote-desktop"] = "remotedesktop", vdi = "vdi",
} do
  kinds["apm/profile/" .. kind] = {
    facts = { type = "collection", flat = false, parent = name, props = { defaultsFrom = s() } },
    relations = { { property = "defaultsFrom", to = { "." } } },
    factory = { protected = true, objects = { { name = name } } },
  }
end

return kinds
