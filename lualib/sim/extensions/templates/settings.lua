-- The settings of the simulated FAST: which values they take.
local json = require "f5.json"
local ordered = require "sim.extensions.templates.ordered"

local M = {}

local BOOLEANS <const> = {
  "disableDeclarationCache", "enableIpam", "enable_telemetry", "log_afm", "log_asm",
}

local function mistake(keyword, path, params, message)
  local one = ordered.new()
  ordered.set(one, "keyword", keyword)
  ordered.set(one, "dataPath", path)
  ordered.set(one, "schemaPath", "#/properties" .. path:gsub("%.", "/") .. "/" .. keyword)
  ordered.set(one, "params", params)
  ordered.set(one, "message", message)
  return "invalid config: " .. ordered.json(json.array { one }, true)
end

local function wrong_type(name, kind)
  return mistake("type", "." .. name, { type = kind }, "should be " .. kind)
end

--- What is wrong with settings; nil: nothing.
function M.problem(settings)
  local sets = settings.deletedTemplateSets
  if sets == nil then
    local text = mistake("required", "", { missingProperty = "deletedTemplateSets" },
      "should have required property 'deletedTemplateSets'")
    return (text:gsub("#/properties/required", "#/required"))
  end
  if not ordered.is_array(sets) then return wrong_type("deletedTemplateSets", "array") end
  for _, name in ipairs(BOOLEANS) do
    local value = settings[name]
    if value ~= nil and type(value) ~= "boolean" then return wrong_type(name, "boolean") end
  end
  local most = settings.pendingTasksMaxNumber
  if most ~= nil and type(most) ~= "number" then
    return wrong_type("pendingTasksMaxNumber", "number")
  end
  local providers, tracing = settings.ipamProviders, settings.perfTracing
  if providers ~= nil and not ordered.is_array(providers) then
    return wrong_type("ipamProviders", "array")
  end
  if tracing ~= nil and not ordered.is_object(tracing) then
    return wrong_type("perfTracing", "object")
  end
  if #(providers or {}) > 0 then return "ipamProviders are not simulated" end
  if settings.enable_telemetry then return "enable_telemetry is not simulated" end
  return nil
end

return M
