-- What a device reports about itself: version, licence, clock, console, failover.
local clock = require "sim.clock"
local licensing = require "sim.status.licensing"
local response = require "sim.kinds.common.response"

local ROOT <const>, line <const> = response.ROOT, response.line
local text <const>, nest <const> = response.text, response.nest

local function version_of(device)
  local version = device.version
  local entries = line("sys/version", {
    Build = version.build,
    Date = version.date,
    Edition = version.edition,
    Product = version.product,
    Title = version.title,
    Version = version.version,
  })
  -- a hotfix has a second entry, with the defects that it repairs
  if version.edition:find "Hotfix" and version.hotfix_ids then
    local fixed = {}
    for _, id in ipairs(version.hotfix_ids) do fixed[(id:gsub("%-", "_"))] = text(id) end
    entries[ROOT .. "sys/version/1"] = nest(fixed)
  end
  return entries
end

local function time_of(device)
  return line("sys/clock", { fullDate = clock.utc(device:now()) })
end

local function console() return line("sys/console", { baudRate = 9600 }) end

local function license(device)
  local shown, features = licensing.shown(device)
  if not shown then
    return nil, nil, {
      apiRawValues = { apiAnonymous = "Can't load license, may not be operational\n" },
    }
  end
  local base = ROOT .. "sys/license/0/active-modules"
  local entries = line("sys/license", shown)
  entries[ROOT .. "sys/license/0"].nestedStats.entries[base] = nest {
    [base .. "/%22BIG-IP,%20VE,%20LAB%22"] = nest {
      featureModules = text(features), key = text "AAAAAAA-AAAAAAA",
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
