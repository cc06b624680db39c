-- Checks a declaration against the facts of the schema of an extension, and fills in defaults, as
-- the validator of F5's extensions does: Ajv 6, which ends with the first mistake. Of the branches
-- of anyOf and oneOf it names the mistakes of all.
local json = require "f5.json"
local keywords = require "sim.extensions.check.keywords"
local place = require "sim.extensions.check.place"
local tables = require "sim.tables"
local turns = require "sim.turns"

local M = {}

local is_array, is_object = place.is_array, place.is_object

local TYPES <const> = {
  object = is_object,
  array = is_array,
  string = function(value) return type(value) == "string" end,
  boolean = function(value) return type(value) == "boolean" end,
  number = function(value) return type(value) == "number" end,
  integer = function(value) return type(value) == "number" and value == math.floor(value) end,
  null = function(value) return value == json.null end,
}

-- -- conversions --

local function to_number(value)
  if type(value) == "boolean" then return value and 1 or 0 end
  if value == json.null then return 0 end
  if type(value) ~= "string" or value == "" then return nil end
  local number = value:find "^%s*[+-]?%.?%d" and tonumber(value)
  if not number then return nil end
  return math.tointeger(number) or number
end

-- What the validator makes of a value of another type; nil: nothing.
local CONVERT <const> = {
  string = function(value)
    if value == json.null then return "" end
    if type(value) == "number" then
      return math.tointeger(value) and ("%d"):format(value) or tostring(value)
    end
    return type(value) == "boolean" and tostring(value) or nil
  end,
  number = to_number,
  integer = function(value)
    local number = to_number(value)
    return number and math.type(number) == "integer" and number or nil
  end,
  boolean = function(value)
    if value == "false" or value == 0 or value == json.null then return false end
    if value == "true" or value == 1 then return true end
    return nil
  end,
  null = function(value)
    if value == "" or value == 0 or value == false then return json.null end
    return nil
  end,
}

-- Checks the type of a value. Returns the value, which may be another one now, and the mistake.
local function check_type(wanted, value, at)
  if TYPES[wanted] and TYPES[wanted](value) then return value, nil end
  local list = is_array(wanted) and wanted or { wanted }
  for _, name in ipairs(list) do
    if TYPES[name](value) then return value, nil end
  end
  for _, name in ipairs(at.options.coerce and list or {}) do
    local converted
    if CONVERT[name] then converted = CONVERT[name](value) end
    if converted ~= nil then
      if at.parent then at.parent[at.key] = converted end
      return converted, nil
    end
  end
  local names = table.concat(list, ",")
  return value, place.fail(at, "type", { type = names }, "should be " .. names)
end

-- -- references --

local function refers(schema)
  if type(schema) ~= "table" then return false end
  if schema["$ref"] then return true end
  for _, item in pairs(schema) do
    if refers(item) then return true end
  end
  return false
end

local refers_further = setmetatable({}, { __mode = "k" })

local check

-- The validator makes a function of its own of each definition that refers to others: there it
-- fills in defaults, even where a schema is only tried.
local function check_referred(ref, value, at)
  local schema, base = at.options.resolve(ref, at.base)
  if refers_further[schema] == nil then refers_further[schema] = refers(schema) end
  local here = place.same_place(at, "$ref", ref:match "[^/]+$")
  here.base = base
  if not refers_further[schema] then
    here.schema_path = here.schema_path and ref
    return check(schema, value, here)
  end
  here.composite, here.schema_path = nil, here.schema_path and "#"
  local wrong = check(schema, value, here)
  if wrong then wrong.final = false end
  return wrong
end

-- -- schemas --

local NOTHING <const> = {}

-- Defaults of members that are missing.
local function fill_in(schema, value, at)
  if at.composite then return end
  for _, pair in ipairs(schema.properties or NOTHING) do
    local default = pair[2].default
    if default ~= nil and value[pair[1]] == nil then value[pair[1]] = tables.copy(default) end
  end
end

local function kind_of(value)
  if is_object(value) then return "object" end
  if is_array(value) then return "array" end
  return type(value)
end

-- The keywords that an extension adds to those of a kind.
local function check_own(schema, kind, value, at)
  for _, entry in ipairs(at.options.keywords or NOTHING) do
    local given = schema[entry[2]]
    if given ~= nil and (entry[1] == kind) then
      local wrong = entry[3](given, value, at)
      if wrong then return wrong end
    end
  end
  return nil
end

-- Schema -> what its keywords check, in their order: { kind, what the schema says, function }. An
-- entry without a function stands for the keywords of the extension.
local steps <const> = setmetatable({}, { __mode = "k" })

local function steps_of(schema)
  local list, own = {}, false
  for _, entry in ipairs(keywords.LIST) do
    if entry[1] == "any" and not own then
      own = true
      list[#list + 1] = NOTHING
    end
    local given = schema[entry[2]]
    if entry[2] == "properties" and given == nil and schema.additionalProperties ~= nil then
      given = NOTHING
    end
    if given ~= nil then list[#list + 1] = { entry[1], given, entry[3] } end
  end
  steps[schema] = list
  return list
end

local function check_keywords(schema, value, at)
  local kind = kind_of(value)
  if kind == "object" then fill_in(schema, value, at) end
  for _, step in ipairs(steps[schema] or steps_of(schema)) do
    local wrong
    if step == NOTHING then
      wrong = check_own(schema, kind, value, at)
    elseif step[1] == "any" then
      wrong = step[3](step[2], place.now(at, value), at, check, schema)
    elseif step[1] == kind then
      wrong = step[3](step[2], value, at, check, schema)
    end
    if wrong then return wrong end
  end
  return check_own(schema, "any", value, at)
end

-- Whether a schema has keywords that count for one type only.
local function is_typed(schema, at)
  for _, entry in ipairs(keywords.LIST) do
    if entry[1] ~= "any" and schema[entry[2]] ~= nil then return true end
  end
  for _, entry in ipairs(at.options.keywords or NOTHING) do
    if entry[1] ~= "any" and schema[entry[2]] ~= nil then return true end
  end
  return false
end

-- A value of a wrong type. While branches are tried, the validator goes on with the keywords that
-- count for all types, unless the schema has others.
local function of_wrong_type(wrong, schema, value, at)
  if not at.composite or is_typed(schema, at) then return wrong end
  local further = check_keywords(schema, value, at)
  if further then table.move(further, 1, #further, #wrong + 1, wrong) end
  return wrong
end

-- Checks a value. Returns nil, or a list of mistakes.
function check(schema, value, at)
  if type(schema) ~= "table" then return nil end
  turns.pause()
  at.value = value
  local ref = schema["$ref"]
  if ref and not at.options.extend_refs then return check_referred(ref, value, at) end
  if schema.type ~= nil then
    local wrong
    value, wrong = check_type(schema.type, value, at)
    if wrong then return of_wrong_type(wrong, schema, value, at) end
    at.value = value
  end
  if ref then
    local wrong = check_referred(ref, value, at)
    if wrong then return wrong end
    value = place.now(at, value)
  end
  return check_keywords(schema, value, at)
end

--- Checks a value and fills in defaults. Returns nil, or a list of mistakes (place.lua).
-- @param options table: resolve = function(ref, base) -> schema, base; coerce = whether values are
--   converted; extend_refs = whether words beside a $ref count; formats = name -> function;
--   keywords = those that the extension adds, { kind, name, function(given, value, at) }; found = a
--   list that they may fill; schema_paths = whether mistakes name the path in the schema;
--   member_path = function(path, key, index) -> the path of a member; default: a JSON pointer
-- @param order the order of the members, of sim/extensions/order.lua; nil: sorted
function M.value(options, schema, value, base, order)
  options.found = options.found or {}
  return check(schema, value, {
    path = "", options = options, base = base, schema_path = options.schema_paths and "#" or nil,
    where = base, order = order,
  })
end

return M
