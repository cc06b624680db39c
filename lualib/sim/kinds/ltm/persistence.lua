-- Persistence profiles.
local property = require "sim.kinds.common.property"

local s <const> = property.text

local kinds <const> = {
  ["ltm/persistence"] = { facts = { type = "organizing", noun = "Persistence Profile" } },
  ["^ltm/persistence/[^/*]+$"] = {
    facts = {
      only = "collection", noun = "Persistence Profile", keeps_none = true,
      props = { defaultsFrom = s() },
    },
    relations = { { property = "defaultsFrom", to = { "." } } },
  },
  ["ltm/persistence/global-settings"] = {
    facts = { keeps_none = true, props = { proxyGroup = s "/Common/aol" } },
  },
  ["ltm/persistence/msrdp"] = { facts = { props = { timeout = s("300") } } },
}

for kind, name in pairs {
  cookie = "cookie",
  ["dest-addr"] = "dest_addr",
  hash = "hash",
  host = "host",
  msrdp = "msrdp",
  sip = "sip_info",
  ["source-addr"] = "source_addr",
  ssl = "ssl",
  universal = "universal",
} do
  local template = "ltm/persistence/" .. kind
  kinds[template] = kinds[template] or {}
  kinds[template].factory = { protected = true, objects = { { name = name } } }
end

return kinds
