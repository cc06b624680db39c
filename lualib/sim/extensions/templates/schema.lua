-- The schema of the parameters that a template wants: each name in its text becomes a property,
-- described by the definitions of the template, by a type of a schema of the set, or by its kind.
local mustache = require "sim.extensions.templates.mustache"
local digest = require "sim.digest"
local json = require "f5.json"
local ordered = require "sim.extensions.templates.ordered"

local M = {}

local PRIMITIVES <const> = {
  boolean = true, object = true, number = true, string = true, integer = true, array = true,
  text = true, hidden = true,
}

local function fail(format, ...) error({ template = format:format(...) }, 0) end

local function object(members)
  local result = ordered.new()
  for _, pair in ipairs(members) do ordered.set(result, pair[1], pair[2]) end
  return result
end

-- "port", "port::integer", "port:types:port" -> name, schema, type
local function split(name)
  local parts = {}
  for part in (name .. ":"):gmatch "([^:]*):" do parts[#parts + 1] = part end
  return parts[1], parts[2] ~= "" and parts[2] or nil, parts[3] ~= "" and parts[3] or nil
end

local function is_required(definition)
  return definition.format ~= "hidden" and definition.format ~= "info"
    and not definition.mathExpression and not definition.dataFile and definition.default == nil
end

local function add_once(list, value)
  for _, item in ipairs(list) do
    if item == value then return end
  end
  list[#list + 1] = value
end

local function without(list, keep)
  local result = json.array {}
  for _, item in ipairs(list) do
    if keep(item) then add_once(result, item) end
  end
  return result
end

-- -- what is collected while the tokens of a text are read --

local Collector <const> = {}
Collector.__index = Collector

local function new_collector(template)
  return setmetatable({
    template = template, properties = ordered.new(), required = {}, dependencies = ordered.new(),
  }, Collector)
end

function Collector:require(name) add_once(self.required, name) end

function Collector:release(name)
  self.required = without(self.required, function(item) return item ~= name end)
end

function Collector:depend(name, on)
  if not self.dependencies[name] then ordered.set(self.dependencies, name, json.array {}) end
  table.insert(self.dependencies[name], on)
end

-- Properties of an inner text belong to the outer one too.
function Collector:take(inner)
  if not inner or not inner.properties then return end
  for name, definition in ordered.pairs(inner.properties) do
    local known = self.properties[name]
    local stays = known and (known.type == "array" or known.type == "string")
      and definition.type == "boolean"
    if not stays then ordered.set(self.properties, name, definition) end
  end
  for name, list in ordered.pairs(inner.dependencies or {}) do
    for _, on in ipairs(list) do self:depend(name, on) end
  end
end

-- -- tokens --

-- Takes a type out of a schema of the set.
local function load_type(template, kind, full, schema_name, type_name)
  local schema = template.type_schemas[schema_name]
  if not schema then
    fail("Failed to find the specified schema: %s (%s, %s)", schema_name, kind, full)
  end
  local definition = type_name and (schema.definitions or {})[type_name]
  if not definition then
    fail("No definition for %s in %s schema", type_name or "undefined", schema_name)
  end
  ordered.set(template.definitions, type_name, ordered.assign(ordered.new(),
    ordered.copy(definition), template.definitions[type_name] or {}))
  ordered.assign(template.types, ordered.copy(schema.definitions))
end

local function primitive(kind)
  if kind == "text" or kind == "hidden" then
    return object { { "type", "string" }, { "format", kind } }
  end
  if kind == "array" then
    return object { { "type", "array" }, { "items", object { { "type", "string" } } } }
  end
  return object { { "type", kind } }
end

-- A file of the set as a default.
local function load_data(template, definition)
  local text = template.data_files[definition.dataFile]
  if not text then fail("could not find the data file %s", tostring(definition.dataFile)) end
  if definition.toBase64 then
    text = digest.base64(text)
  elseif definition.fromBase64 then
    text = digest.unbase64(text) or ""
  end
  if not definition.format then ordered.set(definition, "format", "hidden") end
  ordered.set(definition, "default", text)
  definition.dataFile = nil
end

-- The properties that an expression computes with.
function Collector:add_operands(definition)
  if not definition.format then ordered.set(definition, "format", "hidden") end
  for name, described in ordered.pairs(self.template.types) do
    if not self.properties[name] and definition.mathExpression:find(name, 1, true) then
      ordered.set(self.properties, name, ordered.copy(described))
      self:require(name)
    end
  end
end

local TOKENS <const> = {}

function TOKENS.name(self, _, name, schema_name, type_name)
  local template, kind = self.template, type_name or "string"
  if not schema_name and not PRIMITIVES[kind] then
    fail("No schema definition for %s/%s", schema_name or "", kind)
  end
  local definition
  if schema_name then
    definition = ordered.copy(template.type_schemas[schema_name].definitions[kind])
  else
    definition = primitive(kind)
  end
  ordered.assign(definition, ordered.copy(template.definitions[name] or {}))
  ordered.set(self.properties, name, definition)
  if is_required(definition) then self:require(name) end
  if definition.format == "info" and not definition.const then
    ordered.set(definition, "const", "")
  end
  if definition.mathExpression then self:add_operands(definition) end
  if definition.dataFile then load_data(template, definition) end
end

TOKENS[">"] = function(self, _, name)
  local template = self.template
  if not template.partials[name] then fail("%s does not reference a known partial", name) end
  local partial = template.types[name]
  self:take(ordered.copy(partial))
  for _, needed in ipairs(partial.required or {}) do self:require(needed) end
end

local function complete_array(definition, items)
  ordered.set(definition, "skip_xform", true)
  local merged = ordered.merge(items or {}, definition.items or {})
  if merged.required then
    merged.required = without(merged.required, function(name)
      local property = (merged.properties or {})[name]
      return not property or property.default == nil
    end)
  end
  ordered.set(definition, "items", merged)
end

TOKENS["#"] = function(self, token, name, _, type_name)
  local template = self.template
  local items = M.of_tokens(template, token[3])
  local described = ordered.merge(template.types[type_name or ""] or ordered.new(),
    template.definitions[name] or ordered.new())
  local kind = described.type or "array"
  local known = self.properties[name] or ordered.new()
  local definition = ordered.assign(object { { "type", kind } }, described)
  local is_flag = kind == "boolean" or kind == "string"
  if kind == "array" then
    complete_array(definition, items)
  elseif kind == "object" then
    ordered.assign(definition, items)
    ordered.set(definition, "skip_xform", true)
  elseif not is_flag then
    fail('unsupported type for section "%s": %s', name, tostring(kind))
  end
  if known.type and known.type ~= kind then
    fail("attempted to redefine %s as %s but it was already defined as %s", name, kind, known.type)
  end
  for inner in ordered.pairs(items.properties or {}) do self:depend(inner, name) end
  if is_flag then self:take(items) end
  local merged = ordered.merge(known, definition)
  for _, place in ipairs { merged, merged.items } do
    if ordered.is_object(place) and place.required then
      place.required = without(place.required, function() return true end)
    end
  end
  ordered.set(self.properties, name, merged)
  if is_required(merged) then self:require(name) end
end

TOKENS["^"] = function(self, token, name, _, type_name)
  local template = self.template
  local items = M.of_tokens(template, token[3])
  if not self.properties[name] then
    ordered.set(self.properties, name, ordered.assign(object { { "type", "boolean" } },
      ordered.copy(template.types[type_name or ""] or {}),
      ordered.copy(template.definitions[name] or {})))
  end
  for inner, definition in ordered.pairs(items.properties or {}) do
    if not template.explicit[inner] then
      self:depend(inner, name)
      if not definition.invertDependency then
        ordered.set(definition, "invertDependency", json.array {})
      end
      table.insert(definition.invertDependency, name)
    end
  end
  self:release(name)
  if template.definitions[name] then
    ordered.assign(self.properties[name], ordered.copy(template.definitions[name]))
  end
  self:take(items)
end

-- Properties in the order of the definitions; the others come last.
local function in_order(template, properties)
  local sorted, seen = ordered.new(), {}
  for name in ordered.pairs(template.definitions) do
    if properties[name] then
      ordered.set(sorted, name, properties[name])
      seen[name] = true
    end
  end
  for name, definition in ordered.pairs(properties) do
    if not seen[name] then ordered.set(sorted, name, definition) end
  end
  return sorted
end

--- The schema of the parameters that the tokens of a text want.
function M.of_tokens(template, tokens)
  local self = new_collector(template)
  for _, token in ipairs(tokens) do
    local read = TOKENS[token[1]]
    if read then
      local name, schema_name, type_name = split(token[2])
      if schema_name then load_type(template, token[1], token[2], schema_name, type_name) end
      read(self, token, name, schema_name, type_name)
    end
  end
  local names = ordered.keys(self.properties)
  if #names == 0 or #names == 1 and names[1] == "." then return object { { "type", "string" } } end
  for _, name in ipairs(self.required) do self.dependencies[name] = nil end
  for _, list in ordered.pairs(self.dependencies) do
    local unique = without(list, function() return true end)
    for i = #list, 1, -1 do list[i] = unique[i] end
  end
  local schema = object {
    { "type", "object" }, { "properties", in_order(template, self.properties) },
    { "required", json.array(self.required) },
  }
  if next(self.dependencies) or next(template.explicit) then
    ordered.set(schema, "dependencies", ordered.assign(self.dependencies, template.explicit))
  end
  return schema
end

--- A text whose names have no types: what is rendered.
function M.clean(text)
  return (text:gsub("{{([%w_#^>/]+):.-}}", "{{%1}}"))
end

-- Whether a template inside has a property.
local function has_inside(template, name)
  for _, inner in ipairs(template.inner) do
    local properties = inner.template.schema.properties
    local is_there = properties and properties[name] ~= nil
    if is_there or has_inside(inner.template, name) then return true end
  end
  return false
end

-- The definitions that others refer to.
local function referred(schema, found)
  if type(schema) ~= "table" or schema == json.null then return found end
  if type(schema["$ref"]) == "string" then
    found[schema["$ref"]:gsub("^#/definitions/", "")] = true
  end
  for _, item in pairs(schema) do referred(item, found) end
  return found
end

--- Makes the schema of a template, whose definitions, text and inner templates are there. Sets
--- template.schema, template.partials, and leaves only those definitions that are referred to.
function M.make(template)
  local merged = ordered.new()
  for _, inner in ipairs(template.inner) do
    merged = ordered.merge(merged, inner.template.definitions, true)
  end
  template.definitions = ordered.merge(merged, template.definitions, true)
  template.explicit, template.types, template.partials = ordered.new(), ordered.new(), {}
  for name, definition in ordered.pairs(template.definitions) do
    if ordered.is_object(definition) and definition.dependencies then
      ordered.set(template.explicit, name, definition.dependencies)
      definition.dependencies = nil
    end
  end
  for name, definition in ordered.pairs(template.definitions) do
    if ordered.is_object(definition) and type(definition.template) == "string" then
      ordered.set(template.types, name,
        M.of_tokens(template, mustache.parse(definition.template)))
      template.partials[name] = M.clean(definition.template)
    else
      ordered.set(template.types, name, ordered.copy(definition))
    end
  end
  local schema = M.of_tokens(template, mustache.parse(template.text))
  if schema.type == "string" and not schema.properties then schema.type = "object" end
  if not schema.properties then ordered.set(schema, "properties", ordered.new()) end
  template.schema = schema
  for name, definition in ordered.pairs(template.definitions) do
    if not schema.properties[name] and has_inside(template, name) then
      ordered.set(schema.properties, name, ordered.copy(definition))
    end
  end
  local used, kept = referred(template:parameters_schema(), {}), ordered.new()
  for name, definition in ordered.pairs(template.types) do
    if used[name] then ordered.set(kept, name, definition) end
  end
  template.definitions, template.types = kept, nil
end

return M
