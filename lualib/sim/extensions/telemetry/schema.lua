-- Declarations of TS: checked against the facts of its schemas, and against what they name.
local documents = require "sim.extensions.check.documents"
local json = require "f5.json"
local keywords = require "sim.extensions.telemetry.keywords"
local formats = require "sim.extensions.telemetry.formats"
local tables = require "sim.tables"
local validate = require "sim.extensions.check.validate"

local M = {}

local BASE <const>, NAMESPACE <const> = "base_schema.json", "namespace_schema.json"

local resolve = documents.resolver "sim.extensions.telemetry.facts"

-- A mistake as TS shows it.
local function shown(one)
  if one.own then
    return {
      keyword = one.keyword, propertyName = one.own, dataPath = one.path, params = {},
      message = one.message,
    }
  end
  return {
    keyword = one.keyword, dataPath = one.path, schemaPath = one.schema_path, params = one.params,
    message = one.message,
  }
end

-- A version as a number that can be compared.
local function number_of(version)
  local major, minor, patch = version:match "^(%d+)%.(%d+)%.(%d+)"
  return major * 1000000 + minor * 1000 + patch
end

-- The schemas of a version: it knows its own number and those before.
local function for_version(version)
  local base = tables.copy((resolve("#", BASE)))
  local list, number = json.array { version }, number_of(version)
  local known = documents.member(base.properties, "schemaVersion")
  for _, one in ipairs(known.enum) do
    if number_of(one) < number then list[#list + 1] = one end
  end
  known.enum, known.default = list, version
  return base
end

-- One run of the validator. Returns nil, or what is wrong.
local function run(device, schema, base, declaration, options)
  local asked = {
    resolve = resolve, coerce = true, extend_refs = true, schema_paths = true,
    formats = formats, keywords = keywords.LIST, root = declaration, expand = options.expand,
    later = {}, device = device,
  }
  local ok, wrong = pcall(validate.value, asked, schema, declaration, base, options.order)
  if not ok then
    if type(wrong) ~= "table" or not wrong.telemetry_breaks then error(wrong, 0) end
    return json.array { {} }
  end
  if not wrong then return keywords.carry_out(asked) end
  local list = json.array {}
  for i, one in ipairs(wrong) do list[i] = shown(one) end
  return list
end

--- Checks a declaration, fills in defaults and encrypts its secrets. Returns nil, or what is wrong:
--- what TS answers as `error`.
-- @param options table: version, order (of the members, see sim/extensions/order.lua), namespace =
--   whether it is one namespace, expand = whether pointers are replaced by what they mean
function M.check(device, declaration, options)
  if options.namespace then
    local schema, base = resolve("#/definitions/namespace", NAMESPACE)
    return run(device, schema, base, declaration, options)
  end
  return run(device, for_version(options.version), BASE, declaration, options)
end

return M
