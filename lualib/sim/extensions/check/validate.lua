-- Checks a declaration against the facts of the schema of an extension, and fills in defaults. The
-- first mistake counts: keywords are looked at in the order of the validator that F5's extensions
-- use, and the message is the one that they make of it.
local formats = require "sim.extensions.check.formats"
local json = require "f5.json"
local tables = require "sim.tables"

local M = {}

local function is_array(value)
  return type(value) == "table" and (json.is_array(value) or #value > 0)
end

local TYPES <const> = {
  object = function(value) return type(value) == "table" and not is_array(value) end,
  array = is_array,
  string = function(value) return type(value) == "string" end,
  boolean = function(value) return type(value) == "boolean" end,
  number = function(value) return type(value) == "number" end,
  integer = function(value) return type(value) == "number" and value == math.floor(value) end,
  null = function(value) return value == json.null end,
}

local function is_object(value)
  return value ~= json.null and type(value) == "table" and not is_array(value)
end

local function fail(at, message, ...)
  return { path = at.path, message = select("#", ...) > 0 and message:format(...) or message }
end

local function quote(value)
  if type(value) == "number" and value == math.floor(value) then return ("%d"):format(value) end
  return json.encode(value)
end

local check

-- The place of a member of the value at a place.
local function inside(at, key, index)
  return {
    path = at.path .. "/" .. tostring(index or key), parent = at.value, key = key,
    found = at.found, composite = at.composite, definitions = at.definitions,
  }
end

-- The same place for another schema; `composite`: what it finds does not count.
local function same_place(at, composite)
  return {
    path = at.path, parent = at.parent, key = at.key, found = at.found, value = at.value,
    property_name = at.property_name, composite = composite or at.composite,
    definitions = at.definitions,
  }
end

-- Checks whether a schema fits. What it found is forgotten if it does not.
local function fits(schema, value, at, where)
  local count = #at.found
  local problem = check(schema, value, same_place(at, true), where)
  if problem then
    for i = #at.found, count + 1, -1 do at.found[i] = nil end
  end
  return problem
end

-- -- keywords, in the order of the validator --

local KEYWORDS <const> = {}

local function keyword(kind, name, run) KEYWORDS[#KEYWORDS + 1] = { kind, name, run } end

keyword("number", "maximum", function(limit, value, at)
  if value > limit then return fail(at, "should be <= %s", quote(limit)) end
end)
keyword("number", "minimum", function(limit, value, at)
  if value < limit then return fail(at, "should be >= %s", quote(limit)) end
end)
keyword("number", "multipleOf", function(factor, value, at)
  if value / factor ~= math.floor(value / factor) then
    return fail(at, "should be multiple of %s", quote(factor))
  end
end)
keyword("string", "maxLength", function(limit, value, at)
  if (utf8.len(value) or #value) > limit then
    return fail(at, "should NOT be longer than %d characters", limit)
  end
end)
keyword("string", "minLength", function(limit, value, at)
  if (utf8.len(value) or #value) < limit then
    return fail(at, "should NOT be shorter than %d characters", limit)
  end
end)
keyword("string", "pattern", function(pattern, value, at)
  if not formats.matches(pattern, value) then
    local what = at.property_name and "propertyName" or "data"
    return fail(at, "%s", ("%s %s should match pattern \"%s\""):format(what, json.encode(value),
      pattern))
  end
end)
keyword("string", "format", function(format, value, at)
  local good = formats.formats[format]
  if good and not good(value) then return fail(at, 'should match format "%s"', format) end
end)
keyword("array", "maxItems", function(limit, value, at)
  if #value > limit then return fail(at, "should NOT have more than %d items", limit) end
end)
keyword("array", "minItems", function(limit, value, at)
  if #value < limit then return fail(at, "should NOT have fewer than %d items", limit) end
end)
keyword("array", "items", function(items, value, at)
  for i, item in ipairs(value) do
    local schema = is_array(items) and items[i] or items
    if schema and not (is_array(items) and not items[i]) then
      local problem = check(schema, item, inside(at, i, i - 1), "items")
      if problem then return problem end
    end
  end
end)
keyword("array", "uniqueItems", function(unique, value, at)
  for i = #value, 2, -1 do
    for j = i - 1, 1, -1 do
      if unique and tables.same(value[i], value[j]) then
        return fail(at, "should NOT have duplicate items (items ## %d and %d are identical)",
          j - 1, i - 1)
      end
    end
  end
end)

local function count(value)
  local n = 0
  for _ in pairs(value) do n = n + 1 end
  return n
end

keyword("object", "maxProperties", function(limit, value, at)
  if count(value) > limit then return fail(at, "should NOT have more than %d properties", limit) end
end)
keyword("object", "minProperties", function(limit, value, at)
  if count(value) < limit then
    return fail(at, "should NOT have fewer than %d properties", limit)
  end
end)
keyword("object", "required", function(names, value, at)
  for _, name in ipairs(names) do
    if value[name] == nil then return fail(at, "should have required property '%s'", name) end
  end
end)

local function sorted(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

keyword("object", "dependencies", function(list, value, at)
  for _, name in ipairs(sorted(list)) do
    local needed = list[name]
    if value[name] ~= nil and is_array(needed) then
      for _, other in ipairs(needed) do
        if value[other] == nil then
          return fail(at, "should have %s %s when property %s is present",
            #needed == 1 and "property" or "properties", table.concat(needed, ", "), name)
        end
      end
    elseif value[name] ~= nil then
      local problem = check(needed, value, same_place(at), name)
      if problem then return problem end
    end
  end
end)
keyword("object", "propertyNames", function(schema, value, at)
  for _, name in ipairs(sorted(value)) do
    local here = same_place(at, true)
    here.property_name = true
    local problem = check(schema, name, here, "propertyNames")
    if problem then return problem end
  end
end)

-- `properties`, with what is said about all others.
local function check_properties(schema, value, at)
  local known, extra = {}, schema.additionalProperties
  for _, pair in ipairs(schema.properties or {}) do known[pair[1]] = true end
  if extra ~= nil and extra ~= true then
    for _, name in ipairs(sorted(value)) do
      local by_pattern = false
      for pattern in pairs(schema.patternProperties or {}) do
        by_pattern = by_pattern or formats.matches(pattern, name)
      end
      if not known[name] and not by_pattern then
        if extra == false then return fail(at, "should NOT have additional properties") end
        local problem = check(extra, value[name], inside(at, name), "additionalProperties")
        if problem then return problem end
      end
    end
  end
  for _, pair in ipairs(schema.properties or {}) do
    local name = pair[1]
    if value[name] ~= nil then
      local problem = check(pair[2], value[name], inside(at, name), name)
      if problem then return problem end
    end
  end
  return nil
end

keyword("any", "const", function(wanted, value, at)
  if not tables.same(wanted, value) then
    return fail(at, "%s", "should be equal to constant " .. quote(wanted))
  end
end)
keyword("any", "enum", function(list, value, at)
  for _, item in ipairs(list) do
    if tables.same(item, value) then return nil end
  end
  local parts = {}
  for i, item in ipairs(list) do parts[i] = quote(item) end
  return fail(at, "%s",
    "should be equal to one of the allowed values [" .. table.concat(parts, ",") .. "]")
end)
keyword("any", "not", function(schema, value, at, where)
  if not fits(schema, value, at, "not") then return fail(at, "%s is NOT valid", where) end
end)
keyword("any", "anyOf", function(list, value, at)
  local first
  for i, schema in ipairs(list) do
    local problem = fits(schema, value, at, tostring(i - 1))
    if not problem then return nil end
    first = first or problem
  end
  return first
end)
keyword("any", "oneOf", function(list, value, at)
  local first, good = nil, 0
  for i, schema in ipairs(list) do
    local problem = fits(schema, value, at, tostring(i - 1))
    if problem then first = first or problem else good = good + 1 end
  end
  if good == 1 then return nil end
  return first or fail(at, "should match exactly one schema in oneOf")
end)
keyword("any", "allOf", function(list, value, at)
  for i, schema in ipairs(list) do
    local problem = check(schema, value, same_place(at), tostring(i - 1))
    if problem then return problem end
  end
end)

-- Defaults of members that are missing.
local function fill_in(schema, value, at)
  if at.composite then return end
  for _, pair in ipairs(schema.properties or {}) do
    local default = pair[2].default
    if default ~= nil and value[pair[1]] == nil then value[pair[1]] = tables.copy(default) end
  end
end

local function check_type(wanted, value, at)
  if wanted == nil then return nil end
  local list = is_array(wanted) and wanted or { wanted }
  for _, name in ipairs(list) do
    if TYPES[name](value) then return nil end
  end
  return fail(at, "should be %s", table.concat(list, ","))
end

local function kind_of(value)
  if is_object(value) then return "object" end
  if is_array(value) then return "array" end
  return type(value)
end

local function refers(schema)
  if type(schema) ~= "table" then return false end
  if schema["$ref"] then return true end
  for _, item in pairs(schema) do
    if refers(item) then return true end
  end
  return false
end

local refers_further = setmetatable({}, { __mode = "k" })

-- The validator makes a function of its own of each definition that refers to others: there
-- it fills in defaults, even where a schema is only tried.
local function referred(name, value, at)
  local schema = at.definitions[name] or {}
  if refers_further[schema] == nil then refers_further[schema] = refers(schema) end
  local here = same_place(at)
  if refers_further[schema] then here.composite = nil end
  return check(schema, value, here, name)
end

-- Checks a value. Returns nil, or the first mistake: { path =, message = }.
function check(schema, value, at, where)
  if schema == true or type(schema) ~= "table" then return nil end
  at.value = value
  if schema["$ref"] then
    return referred(schema["$ref"]:match "[^/]+$", value, at)
  end
  local problem = check_type(schema.type, value, at)
  if problem then return problem end
  local kind = kind_of(value)
  if kind == "object" then fill_in(schema, value, at) end
  local properties_done = kind ~= "object"
  for _, entry in ipairs(KEYWORDS) do
    if entry[1] == "any" and not properties_done then
      properties_done = true
      problem = check_properties(schema, value, at)
      if problem then return problem end
    end
    local given = schema[entry[2]]
    if given ~= nil and (entry[1] == "any" or entry[1] == kind) then
      problem = entry[3](given, value, at, where)
      if problem then return problem end
    end
  end
  if schema["if"] ~= nil then
    local branch = fits(schema["if"], value, at, "if") and "else" or "then"
    problem = schema[branch] and check(schema[branch], value, same_place(at), branch)
    if problem then return problem end
  end
  local later = schema.f5PostProcess
  if later then
    table.insert(at.found, {
      tag = later.tag, data = later.data, value = value, path = at.path, parent = at.parent,
      key = at.key,
    })
  end
  return nil
end

--- Checks a declaration and fills in defaults. Returns nil and what has to be looked at later, a
--- list of { tag =, data =, value =, path =, parent =, key = }; or the first mistake.
-- @param definitions the definitions of the schema: name -> facts
-- @param name that of the definition which describes a whole declaration
function M.declaration(definitions, name, declaration)
  local found = {}
  local at = { path = "", found = found, definitions = definitions }
  local problem = check(definitions[name], declaration, at, name)
  if problem then
    if problem.path == "" then problem.path = "/" end
    return problem
  end
  return nil, found
end

return M
