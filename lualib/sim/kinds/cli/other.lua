-- Settings of tmsh.
local property = require "sim.kinds.common.property"
local response = require "sim.kinds.common.response"

local s <const> = property.text

local function version(device)
  local own = device.version.version
  return response.line("cli/version", {
    active = own,
    latest = own,
    supported = "{ 11.5.0 11.6.0 12.0.0 12.1.0 13.0.0 13.1.0 14.0.0 14.1.0 15.0.0 15.1.0 16.0.0 "
      .. "16.1.0 17.0.0 17.1.0 " .. own .. " }",
  })
end

-- All users of tmsh may run these programs without "run /util".
local function aliases()
  local list = {}
  for name in ([[
    bash ccmode dig domain-tool establish-adfs-trust fips-card-sync fips-util gencert
    get-ccn-dossier get-dossier imish netstat ping ping6 qkview racoonctl ssh-keyswap ssldump
    tcpdump telnet test-monitor tracepath tracepath6 traceroute traceroute6 vconsole zebos
  ]]):gmatch "%S+" do
    list[#list + 1] = { name = name, tmCommand = "run /util " .. name }
  end
  return list
end

return {
  ["cli/admin-partitions"] = {
    facts = {
      type = "singleton",
      props = { updatePartition = s("Common"), queryPartitions = { t = "a" } },
    },
  },
  ["cli/global-settings"] = {
    facts = {
      open = true,
      props = {
        audit = s("enabled"), idleTimeout = s("disabled"), scf = s(), service = s("name"),
      },
    },
  },
  ["cli/preference"] = { facts = { open = true } },
  ["cli/history"] = { facts = { type = "show" } },
  ["cli/transaction"] = { facts = { type = "show" } },
  ["cli/alias/shared"] = { factory = { objects = aliases } },
  ["cli/alias/private"] = { facts = { type = "collection", flat = true } },
  ["cli/script"] = {
    facts = {
      noun = "CLI script",
      props = {
        totalSigningStatus = { d = "not-all-signed" }, verificationStatus = { d = false },
      },
    },
  },
  ["cli/version"] = { stats = { body = version } },
}
