-- The words that a declaration may use: names of properties, classes and values of the schema. AS3
-- looks for a word that it does not know before it looks at the structure.
local json = require "f5.json"
local pattern_of = require "sim.extensions.check.pattern"
local validate = require "sim.extensions.as3.check.validate"

local M = {}

-- What is below these may be anything.
local FREE <const> = {
  metadata = true, localZones = true, forwardZones = true, environmentVariables = true,
}
-- Words of the schema's own language that AS3 takes for names.
local OWN <const> = {
  "type", "properties", "title", "description", "definitions", "format", "maximum", "const", "tag",
  "data", "f5PostProcess", "$ref", "$schema",
}

local words
local patterns = {}

local function add(schema)
  if type(schema) ~= "table" then return end
  for _, pair in ipairs(schema.properties or {}) do
    words[pair[1]] = true
    if not FREE[pair[1]] then add(pair[2]) end
  end
  for _, value in ipairs(schema.enum or {}) do words[value] = true end
  if schema.const ~= nil then words[schema.const] = true end
  for _, name in ipairs { "allOf", "anyOf", "oneOf" } do
    for _, inner in ipairs(schema[name] or {}) do add(inner) end
  end
  for _, name in ipairs {
    "additionalProperties", "propertyNames", "items", "not", "if", "then", "else",
  } do
    add(schema[name])
  end
  for _, inner in ipairs(type(schema.items) == "table" and schema.items or {}) do add(inner) end
  for name, inner in pairs(schema.dependencies or {}) do
    words[name] = true
    add(inner)
  end
  for pattern, inner in pairs(schema.patternProperties or {}) do
    patterns[#patterns + 1] = pattern
    add(inner)
  end
  local later = schema.f5PostProcess
  if later and type(later.data) == "table" then M.add_data(later.data) end
end

-- The schema in the data of a later check has plain properties.
function M.add_data(data)
  for key, value in pairs(data) do
    if type(key) == "string" and key ~= "class" then words[key] = true end
    if type(value) == "table" then M.add_data(value) end
  end
end

local function known()
  if words then return words end
  words = {}
  for _, word in ipairs(OWN) do words[word] = true end
  for name, schema in pairs(validate.definitions()) do
    words[name] = true
    add(schema)
  end
  return words
end

local unknown

local function look(word, found)
  if type(word) ~= "string" or known()[word] then return end
  for _, pattern in ipairs(patterns) do
    if pattern_of.matches(pattern, word) then return end
  end
  found[#found + 1] = word
end

function unknown(value, found)
  for key, item in pairs(value) do
    local is_name = type(key) == "string" and not tonumber(key) and key ~= "class"
      and key ~= "constants" and key ~= "$value"
    local is_item = type(item) == "table" and item ~= json.null and item.class ~= nil
    if is_name and not is_item then look(key, found) end
    if key == "template" or key == "logLevel" then look(item, found) end
    if key == "class" and item ~= "ADC" and item ~= "AS3" then look(item, found) end
    local is_inner = type(item) == "table" and item ~= json.null and not FREE[key]
    if is_inner and key ~= "constants" and key ~= "verifiers" then unknown(item, found) end
  end
end

--- The first word, by the alphabet, of a declaration that AS3 does not know; nil if all are known.
function M.unknown(declaration)
  local found = {}
  unknown(declaration, found)
  table.sort(found)
  return found[1]
end

return M
