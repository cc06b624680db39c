-- Kinds of apm. Sessions, tokens and URL filters are in sim/apm/.
local property = require "sim.kinds.common.property"

local s <const>, i <const> = property.text, property.number

-- A list of objects whose names are their places.
local function numbered(key, values)
  local list = {}
  for n, value in ipairs(values) do list[n] = { name = tostring(n), [key] = value } end
  return list
end

local kinds <const> = {
  ["apm/ephemeral-auth/ssh-security-config"] = {
    facts = {
      type = "collection", flat = false,
      props = {
        ciphers = { t = "a" }, compressions = { t = "a" }, hmacs = { t = "a" },
        kexMethods = { t = "a" },
      },
    },
    factory = {
      objects = {
        {
          name = "ssh-security-config",
          ciphers = numbered("cipherName", { "aes256-ctr", "aes192-ctr", "aes128-ctr" }),
          compressions = numbered("compressionName", { "none" }),
          hmacs = numbered("hmacName", { "hmac-sha2-512", "hmac-sha2-256" }),
          kexMethods = numbered("kexMethodName", { "diffie-hellman-group-exchange-sha256" }),
        },
      },
    },
  },
  ["apm/acl"] = { facts = { props = { aclOrder = { d = false }, entries = { d = false } } } },
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
  ["apm/resource/network-access"] = {
    facts = {
      props = {
        snat = { c = "automap|none|snatpool" }, splitTunneling = { d = "false" },
        supportedIpVersion = { d = "ipv4" },
      },
    },
    checks = {
      -- a SNAT pool takes the place of `automap`
      prepare = function(_, object, properties)
        local pool = properties.snatpool
        if type(pool) == "string" and pool ~= "none" and properties.snat == nil then
          object.snat = "snatpool"
        elseif properties.snat == "automap" or properties.snat == "none" then
          object.snatpool = nil
        end
      end,
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

-- Commands, and what F5 delivers: nothing is stored there.
for _, name in ipairs {
  "oauth/purged-entries", "oauth/token-details", "prune-log-data", "reset-log-data", "session",
  "swg-content-type",
} do
  kinds["apm/" .. name] = { facts = { no_create = true } }
end

return kinds
