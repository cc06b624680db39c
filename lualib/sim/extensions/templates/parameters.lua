-- Checks parameters against the schema of a template, and says what is wrong as FAST does.
local formats = require "sim.extensions.telemetry.formats"
local json = require "f5.json"
local more_formats = require "sim.extensions.check.formats"
local ordered = require "sim.extensions.templates.ordered"
local validate = require "sim.extensions.check.validate"

local M = {}

local FORMATS <const> = setmetatable({}, { __index = function(_, name)
  if formats[name] then return formats[name] end
  local is_further = name == "uri" or name == "email" or name == "date-time"
  return is_further and more_formats.formats[name] or nil
end })

local MAPS <const> = { definitions = true, patternProperties = true }
local SCHEMAS <const> = {
  items = true, additionalProperties = true, propertyNames = true, ["not"] = true, ["if"] = true,
  ["then"] = true, ["else"] = true, allOf = true, anyOf = true, oneOf = true, contains = true,
}
local PLAIN <const> = {
  type = true, required = true, dependencies = true, enum = true, const = true, maximum = true,
  minimum = true, multipleOf = true, maxLength = true, minLength = true, pattern = true,
  format = true, maxItems = true, minItems = true, uniqueItems = true, maxProperties = true,
  minProperties = true, default = true, ["$ref"] = true,
}

-- A schema in the form of sim/extensions/check: only keywords, properties as pairs.
local function facts(schema)
  if type(schema) ~= "table" then return schema end
  if ordered.is_array(schema) then
    local list = json.array {}
    for i, item in ipairs(schema) do list[i] = facts(item) end
    return list
  end
  local kept = {}
  for key, item in ordered.pairs(schema) do
    if key == "properties" then
      kept[key] = {}
      for name, inner in ordered.pairs(item) do table.insert(kept[key], { name, facts(inner) }) end
    elseif MAPS[key] then
      kept[key] = {}
      for name, inner in ordered.pairs(item) do kept[key][name] = facts(inner) end
    elseif SCHEMAS[key] then
      kept[key] = facts(item)
    elseif PLAIN[key] then
      kept[key] = item
    end
  end
  return kept
end

-- The path of a member as JavaScript writes it.
local function member_path(path, key, index)
  if index then return ("%s[%d]"):format(path, index) end
  if key:find "^[%a_$][%w_$]*$" then return path .. "." .. key end
  return ("%s['%s']"):format(path, key:gsub("[\\']", "\\%0"))
end

-- The order of parameters of mistakes that have several.
local ORDER <const> = {
  "comparison", "limit", "exclusive", "property", "missingProperty", "depsCount", "deps", "i", "j",
}

local function shown_params(params)
  if not ordered.is_object(params) then return params end
  local result = ordered.new()
  for _, name in ipairs(ORDER) do
    if params[name] ~= nil then ordered.set(result, name, params[name]) end
  end
  return ordered.assign(result, params)
end

local function shown(one)
  local result = ordered.new()
  ordered.set(result, "keyword", one.keyword)
  ordered.set(result, "dataPath", one.path)
  ordered.set(result, "schemaPath", one.schema_path)
  ordered.set(result, "params", shown_params(one.params))
  ordered.set(result, "message", one.message)
  return result
end

-- Arrays of the parameters are not copied when defaults are added, so they get the defaults of
-- their items.
local function share_arrays(parameters, combined)
  for key, value in ordered.pairs(parameters) do
    local other = combined[key]
    if ordered.is_array(value) and ordered.is_array(other) then
      parameters[key] = other
    elseif ordered.is_object(value) and ordered.is_object(other) then
      share_arrays(value, other)
    end
  end
end

--- Raises { template = what is wrong }.
function M.check(template, parameters)
  local schema = facts((template.whole or template):parameters_schema())
  local options = {
    resolve = function(ref)
      return (schema.definitions or {})[ref:match "^#/definitions/(.*)$" or ""] or {}
    end,
    formats = FORMATS, schema_paths = true, member_path = member_path,
  }
  local combined = ordered.copy(template:combined(parameters))
  local wrong = validate.value(options, schema, combined, "root",
    { keys = ordered.keys(combined) })
  share_arrays(parameters, combined)
  if not wrong then return end
  local list = json.array {}
  for i, one in ipairs(wrong) do list[i] = shown(one) end
  error({
    template = ("Parameters failed validation:\n%s\n\nValidation error:\n%s"):format(
      ordered.json(parameters, true), ordered.json(list, true)),
  }, 0)
end

return M
