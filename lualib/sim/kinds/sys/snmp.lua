-- SNMP: its settings, communities, users and traps.
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const> = property.text

-- A trap needs a valid port and version.
local trap <const> = {
  prepare = function(_, object, properties)
    if properties.port ~= nil then
      local number = object.port ~= nil and validate.port(object.port)
      if not number then
        validate.refuse(('invalid or ambiguous service "%s"'):format(tostring(object.port or "")))
      end
      object.port = number
    end
    local version = object.version
    if version ~= "1" and version ~= "2c" and version ~= "3" then
      validate.refuse(
        ('"%s" unexpected argument: expected one of the following: 1, 2c, 3'):format(
          tostring(version or "")
        )
      )
    end
  end,
}

-- What the agent of a new device watches.
local disk_monitors <const>, process_monitors <const> = {}, {}
for n, entry in ipairs { { "root", "/", 2000 }, { "var", "/var", 10000 } } do
  disk_monitors[n] = {
    name = "/Common/" .. entry[1], path = entry[2], minspace = entry[3], minspaceType = "size",
  }
end
for n, entry in ipairs {
  { "bigd", "infinity" }, { "chmand", "1" }, { "httpd", "infinity" }, { "mcpd", "1" },
  { "sod", "1" }, { "tmm", "infinity" },
} do
  process_monitors[n] = {
    name = "/Common/" .. entry[1], process = entry[1], minProcesses = 1, maxProcesses = entry[2],
  }
end

return {
  ["sys/snmp"] = {
    facts = {
      open = true,
      subs = {
        communitiesReference = "communities",
        trapsReference = "traps",
        usersReference = "users",
      },
      props = {
        sysContact = s("Customer Name <admin@customer.com>"),
        sysLocation = s("Network Closet 1"),
        diskMonitors = { t = "a", d = disk_monitors },
        processMonitors = { t = "a", d = process_monitors },
      },
    },
  },
  ["sys/snmp/communities"] = {
    facts = {
      type = "collection",
      flat = true,
      full_names = true,
      noun = "SNMP community",
      free_names = true,
      props = {
        communityName = s(), access = s("ro"), ipv6 = s("disabled"), oidSubset = s(), source = s(),
        description = s(),
      },
    },
    factory = {
      objects = {
        { name = "/Common/comm-public", communityName = "public", source = "default" },
      },
    },
  },
  ["sys/snmp/users"] = {
    facts = {
      type = "collection",
      flat = true,
      full_names = true,
      given_name = true,
      noun = "SNMP user",
      free_names = true,
      props = {
        access = s("ro"),
        authPassword = s(),
        authProtocol = s("sha"),
        oidSubset = s(".1"),
        privacyPassword = s(),
        privacyProtocol = s("aes"),
        securityLevel = s("auth-no-privacy"),
        username = s(),
        description = s(),
      },
    },
  },
  ["sys/snmp/traps"] = {
    facts = {
      type = "collection",
      flat = true,
      full_names = true,
      given_name = true,
      noun = "SNMP trap",
      free_names = true,
      props = {
        authPassword = s(),
        authProtocol = s("none", { keeps_none = true }),
        community = s(),
        engineId = s(),
        host = s(),
        port = { t = "x", d = 162 },
        network = s("other"),
        privacyPassword = s(),
        privacyProtocol = s("none", { keeps_none = true }),
        securityLevel = s("no-auth-no-privacy"),
        securityName = s(),
        version = s("2c"),
        description = s(),
      },
    },
    checks = trap,
  },
}
