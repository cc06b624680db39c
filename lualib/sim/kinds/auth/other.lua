-- Remote users.
local property = require "sim.kinds.common.property"

local s <const>, i <const> = property.text, property.number

return {
  ["auth/remote-user"] = {
    facts = {
      known = true,
      refs = { defaultPartitionReference = "auth/partition" },
      props = {
        defaultPartition = s("all"),
        defaultRole = s("no-access"),
        description = s(),
        remoteConsoleAccess = s("disabled"),
      },
    },
  },
  ["auth/source"] = {
    facts = { props = { fallback = s("false"), type = s("local") } },
    factory = { objects = { { fallback = "false", type = "local" } } },
  },
  ["auth/radius-server"] = {
    facts = { props = { port = i(1812), timeout = i(3), secret = s(), server = s() } },
  },
  ["auth/tacacs"] = {
    facts = {
      props = {
        accounting = s "send-to-first-server", authentication = s "use-first-server",
        debug = s("disabled", { c = "disabled|enabled" }),
        encryption = s("enabled", { c = "disabled|enabled" }),
        protocol = s(), secret = s(), servers = { t = "a" }, service = s(), timeout = i(),
      },
    },
  },
  ["auth/ldap"] = { facts = { noun = "LDAP configuration" } },
  ["auth/remote-role"] = {
    facts = {
      type = "singleton", subs = { roleInfoReference = "role-info" }, props = { description = s() },
    },
  },
  ["auth/remote-role/role-info"] = {
    facts = {
      type = "collection",
      flat = true,
      full_names = true,
      noun = "remote role",
      props = {
        attribute = s(), console = s("disabled"), lineOrder = i(), role = s("no-access"),
        deny = s("disabled", { c = "disabled|enabled" }), userPartition = s("Common"),
      },
    },
  },
}
