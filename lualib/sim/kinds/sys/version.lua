-- What a device reports about itself: version, licence, clock, console, failover.
local clock = require "sim.clock"
local response = require "sim.kinds.common.response"

local ROOT <const>, line <const> = response.ROOT, response.line
local text <const>, nest <const> = response.text, response.nest

local function version_of(device)
  local version = device.version
  return line("sys/version", {
    Build = version.build,
    Date = version.date,
    Edition = version.edition,
    Product = version.product,
    Title = version.title,
    Version = version.version,
  })
end

local function time_of(device)
  return line("sys/clock", { fullDate = clock.utc(device:now()) })
end

local function console() return line("sys/console", { baudRate = 9600 }) end

local function license(device)
  local base = ROOT .. "sys/license/0/active-modules"
  local entries = line("sys/license", {
    licensedOnDate = "2026/01/01",
    licensedVersion = device.version.version,
    platformId = device.version.platform,
    registrationKey = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEEEE",
    serviceCheckDate = "2026/01/01",
  })
  entries[ROOT .. "sys/license/0"].nestedStats.entries[base] = nest {
    [base .. "/%22BIG-IP,%20VE,%20LAB%22"] = nest {
      featureModules = text(
        '{ "ASM, VE" "SSL, VE" "DNS VE Lab" "APM, Lab, VE" "AFM, VE" "Routing Bundle, VE" }'
      ),
      key = text "AAAAAAA-AAAAAAA",
    },
  }
  return entries
end

local function failover(device)
  local state = device.state.failover or "active"
  return nil,
    nil,
    {
      apiRawValues = {
        apiAnonymous = ("Failover %s for 1d 00:00:00\n"):format((state:gsub("%-", "_"))),
      },
    }
end

return {
  ["sys/version"] = { stats = { body = version_of } },
  ["sys/clock"] = {
    facts = { type = "show" },
    stats = { body = time_of },
  },
  ["sys/console"] = {
    facts = { type = "show" },
    stats = { body = console },
  },
  ["sys/license"] = {
    facts = { type = "show" },
    stats = { body = license },
  },
  ["sys/failover"] = {
    facts = { type = "show" },
    stats = { body = failover },
  },
}
