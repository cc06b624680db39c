-- DNS and NTP servers of the device.
local json = require "f5.json"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const> = property.text, property.number

-- Whether a text is a valid name of a host or domain, or an address without a route domain.
local function is_host(text)
  if type(text) ~= "string" or #text > 253 then return false end
  if validate.is_address(text) then return not text:find("%", 1, true) end
  if text:find "^[%d.]+$" then return false end -- meant as an address
  for label in (text .. "."):gmatch "([^.]*)%." do
    if
      #label == 0 or #label > 63 or label:find "[^%w_-]" or label:find "^%-" or label:find "%-$"
    then
      return false
    end
  end
  return true
end

local function is_plain_address(text)
  return validate.is_address(text) and not text:find("%", 1, true)
end

-- Checks of a singleton with lists of hosts: property -> function(item) -> whether it is valid.
local function hosts(lists)
  return {
    prepare = function(_, object, properties, _, ctx)
      for name, is_right in pairs(ctx.seed and {} or lists) do
        for _, item in ipairs(properties[name] ~= nil and object[name] or {}) do
          if not is_right(item) then validate.invalid(name, item) end
        end
      end
    end,
  }
end

return {
  ["sys/dns"] = {
    facts = {
      known = true,
      props = {
        nameServers = { t = "a" }, search = { t = "a" }, numberOfDots = i(), description = s(),
        include = s(),
      },
    },
    checks = hosts { nameServers = is_plain_address, search = is_host },
    factory = {
      objects = {
        {
          description = "configured-by-dhcp",
          nameServers = json.array { "192.0.2.53" },
          search = json.array { "example.net" },
        },
      },
    },
  },
  ["sys/ntp"] = {
    facts = {
      known = true,
      props = {
        servers = { t = "a" },
        timezone = s("America/Los_Angeles"),
        restrict = { t = "a" },
        include = s(),
        description = s(),
      },
      subs = { restrictReference = "restrict" },
    },
    checks = hosts { servers = is_host },
    factory = { objects = { { timezone = "UTC" } } },
  },
  ["sys/ntp/restrict"] = {
    facts = {
      type = "collection",
      flat = true,
      props = {
        address = s(),
        defaultEntry = s("disabled"),
        description = s(),
        ignore = s("disabled"),
        kod = s("disabled"),
        limited = s("disabled"),
        lowPriorityTrap = s("disabled"),
        mask = s(),
        noModify = s("disabled"),
        noPeer = s("disabled"),
        noQuery = s("disabled"),
        noServePackets = s("disabled"),
        noTrap = s("disabled"),
        noTrust = s("disabled"),
        nonNtpPort = s("disabled"),
        ntpPort = s("disabled"),
        version = s("disabled"),
      },
    },
  },
}
