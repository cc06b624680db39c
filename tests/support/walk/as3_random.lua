-- Random declarations of AS3: items that the schema accepts, with values that it may not accept.
local json = require "f5.json"
local validate = require "sim.extensions.as3.check.validate"

local M = {}

local random <const> = math.random

local function pick(list) return list[random(#list)] end

-- Values that nobody expects: a function for each, so that they are never shared.
local WILD <const> = {
  function() return json.null end, function() return "" end, function() return true end,
  function() return false end, function() return 0 end, function() return -1 end,
  function() return 1.5 end, function() return 1e18 end, function() return 4294967296 end,
  function() return "text" end, function() return "a/b % * c" end, function() return "/" end,
  function() return "../../x" end, function() return "/T/A/" end, function() return "@" end,
  function() return "`*x`" end, function() return ("x"):rep(300) end, function() return "\0\1" end,
  function() return "100%" end, function() return "::" end, function() return "192.0.2.1/99" end,
  function() return "x" end, function() return {} end, function() return json.array {} end,
  function() return { 1 } end, function() return { "" } end, function() return { {} } end,
  function() return { json.null } end, function() return { { use = "x" } } end,
  function() return { use = "nothing" } end, function() return { use = "x" } end,
  function() return { use = "/T/A" } end, function() return { use = "/T/A/x/class" } end,
  function() return { use = "" } end, function() return { use = json.null } end,
  function() return { use = {} } end, function() return { bigip = "/Common/nothing" } end,
  function() return { bigip = "/" } end, function() return { bigip = {} } end,
  function() return { bigip = "" } end, function() return { base64 = "%%%" } end,
  function() return { base64 = 1 } end, function() return { url = "https://192.0.2.9/x" } end,
  function() return { url = {} } end, function() return { ciphertext = 1, protected = 2 } end,
  function() return { ciphertext = "", protected = "" } end,
  function() return { a = { b = 1 } } end,
}

function M.wild() return pick(WILD)() end

local function definition(schema)
  local depth = 0
  while type(schema) == "table" and schema["$ref"] and depth < 10 do
    schema, depth = validate.definitions()[schema["$ref"]:match "[^/]+$"], depth + 1
  end
  return type(schema) == "table" and schema or {}
end

local value_of

local function object_of(schema, depth)
  local object, needed = {}, {}
  for _, name in ipairs(schema.required or {}) do needed[name] = true end
  for _, pair in ipairs(schema.properties or {}) do
    if needed[pair[1]] or random(12) == 1 and depth < 3 then
      object[pair[1]] = value_of(pair[2], depth + 1)
    end
  end
  return object
end

local TEXTS <const> = {
  f5ip = function() return ("192.0.2.%d"):format(random(250)) end,
  f5bigip = function() return "/Common/" .. pick { "http", "tcp", "fastL4", "nothing" } end,
  uri = function() return "https://192.0.2.9/x" end,
}

local TYPES <const> = {
  string = function(schema)
    local make = TEXTS[schema.format]
    return make and make() or pick { "text", "x", "tcp" }
  end,
  integer = function(schema) return random(schema.minimum or 0, (schema.minimum or 0) + 100) end,
  number = function(schema) return (schema.minimum or 0) + random(100) end,
  boolean = function() return random(2) == 1 end,
  array = function(schema, depth)
    local list = json.array {}
    local items = schema.items
    if type(items) == "table" and #items > 0 then items = items[1] end
    for i = 1, math.max(schema.minItems or 0, random(2)) do list[i] = value_of(items, depth + 1) end
    return list
  end,
  object = object_of,
}

-- A value that a schema probably accepts.
function value_of(schema, depth)
  schema = definition(schema)
  if depth > 6 then return M.wild() end
  if schema.const ~= nil then return schema.const end
  if schema.enum then return pick(schema.enum) end
  if schema.default ~= nil and random(2) == 1 then return schema.default end
  local inner = schema.oneOf or schema.anyOf or schema.allOf
  if not schema.type and inner then return value_of(pick(inner), depth + 1) end
  local kind = schema.type
  if type(kind) == "table" then kind = pick(kind) end
  local make = TYPES[kind or "string"]
  return make and make(schema, depth) or M.wild()
end

local classes

-- The classes of items of an application: name -> schema.
local function all_classes()
  if classes then return classes end
  classes = {}
  for name, schema in pairs(validate.definitions()) do
    for _, pair in ipairs(schema.properties or {}) do
      local const = pair[1] == "class" and pair[2].const
      if const then classes[#classes + 1] = { const, schema, name } end
    end
  end
  table.sort(classes, function(a, b) return a[3] < b[3] end)
  return classes
end

--- An item of a random class, with one or two properties that may be wrong.
function M.item()
  local class = pick(all_classes())
  local item = object_of(class[2], 0)
  item.class = class[1]
  for _ = 1, random(0, 2) do
    local pair = #class[2].properties > 0 and pick(class[2].properties)
    if pair and pair[1] ~= "class" then
      item[pair[1]] = random(2) == 1 and M.wild() or value_of(pair[2], 0)
    end
  end
  return item
end

-- All tables of a value, with their keys.
local function places(value, found)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  -- the same seed must find the same place
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    local inner = value[key]
    found[#found + 1] = { value, key }
    if type(inner) == "table" and inner ~= json.null then places(inner, found) end
  end
  return found
end

--- Changes a value somewhere inside.
function M.spoil(value)
  local found = places(value, {})
  local place = pick(found)
  if random(4) == 1 then
    if math.type(place[2]) then table.remove(place[1], place[2]) else place[1][place[2]] = nil end
  elseif random(3) == 1 and not math.type(place[2]) then
    place[1][pick { "a/b", "%", "*", "a b", "x.y", "-x", "use", "class" }] = place[1][place[2]]
  else
    place[1][place[2]] = M.wild()
  end
end

return M
