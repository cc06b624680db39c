-- Kinds of apm. Sessions, tokens and URL filters are in sim/apm/.
local property = require "sim.kinds.common.property"

local s <const>, i <const> = property.text, property.number

return {
  ["apm/aaa/ldap"] = {
    facts = {
      noun = "AAA LDAP server",
      props = {
        address = s(),
        adminDn = s(),
        adminEncryptedPassword = s(),
        baseDn = s(),
        description = s(),
        groupCacheTtl = i(30),
        isLdaps = s("false", { c = "false|true" }),
        locationSpecific = s("true"),
        port = s("389"),
        serversslProfile = s("none"),
        timeout = i(15),
        usePool = s("enabled", { c = "disabled|enabled" }),
        pool = s(),
      },
    },
  },
  ["apm/url-filter"] = {
    facts = {
      noun = "URL filter",
      props = {
        allowedCategories = { t = "a" }, blockedCategories = { t = "a" },
        confirmCategories = { t = "a" }, description = s(),
      },
    },
  },
}
