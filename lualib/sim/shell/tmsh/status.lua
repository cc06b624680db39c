-- The life cycle of the API in tmsh: warnings about components and properties with a status, and
-- the refusal of what is switched off.
local kinds = require "sim.kinds"
local logs = require "sim.status.logs"
local target = require "sim.shell.tmsh.target"

local M = {}

local SETTING <const> = {
  DEPRECATED = "deprecatedApiAllowed", EARLY_ACCESS = "earlyAccessApiAllowed",
  TEST_ONLY = "testOnlyApiAllowed",
}
local UNAVAILABLE <const> =
  ". This command is not available or has properties which are not available."

local function dashed(name)
  return (name:gsub("%u", function(letter) return "-" .. letter:lower() end))
end

local function word(status) return (status:lower():gsub("_", " ")) end

-- Warns, or raises an error if the status is switched off.
local function report(session, status, page, text, io)
  local settings, setting = session.device.state.api_status, SETTING[status]
  if settings.availability[setting] ~= "true" then text = text .. UNAVAILABLE end
  if settings[page][setting] == "true" then
    logs.write(session.device, "ltm", "warning", "tmsh[4242]", "01420013:4: [api-status-warning] "
      .. text)
  end
  if settings.availability[setting] ~= "true" then
    target.fail("%s", "[api-status-warning] " .. text)
  end
  io.err("[api-status-warning] " .. text .. "\n")
end

--- Reports the status of a component and of the properties that a command names.
function M.check(session, template, properties, io)
  local kind = kinds.described(template:match "^[^/]+")[template]
  local facts = kind and kind.facts
  if not facts then return end
  if facts.api_status then
    report(
      session, facts.api_status, "resource",
      ("%s is %s"):format(template, word(facts.api_status)), io
    )
  end
  local names, status = {}, nil
  for name in pairs(properties or {}) do
    local own = facts.property_status and facts.property_status[name]
    if own then
      status = status or own
      names[#names + 1] = dashed(name)
    end
  end
  if status then
    table.sort(names)
    report(session, status, "property", ("%s, properties : %s : %s"):format(
      template, word(status), table.concat(names, " ")
    ), io)
  end
end

return M
