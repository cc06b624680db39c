-- OData filters from Lua values, so that scripts need no quoting.
--
--   f5.filter { staging = true, name = { contains = "log'in" } }
--       -- contains(name,'log''in') and staging eq true
--   f5.filter { score = { ge = 50, lt = 90 }, status = f5.filter.any { "pending", "ignored" } }
--   f5.filter.no { type = "explicit" }
--   f5.filter.raw "name eq 'x'"
--
-- tostring(filter) is its text, and every call with a filter accepts a filter. ASM supports `or`
-- only between conditions on one property. Elsewhere below /mgmt/tm a device supports only
-- `partition eq X`. This module refuses what the device would refuse.
local core = require "f5.core"
local json = require "f5.json"

local COMPARE <const> = { eq = true, ne = true, lt = true, le = true, gt = true, ge = true }
local FUNCTIONS <const> = { contains = true, startswith = true, endswith = true }

local NAME <const> = "f5.filter"
local Filter <const> = { __name = NAME }
Filter.__index = Filter

function Filter:__tostring() return self.text end

local function usage(format, ...)
  core.usage_error(string.format(format, ...))
end

-- By name: specs load the module twice, and filters of both must be accepted.
local function is_filter(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__name == NAME
end

local function new(text, properties, joins)
  return setmetatable({ text = text, properties = properties, joins = joins }, Filter)
end

-- -- values --

local function quote(value)
  local kind = type(value)
  if kind == "string" then return "'" .. value:gsub("'", "''") .. "'" end
  if kind == "boolean" then return tostring(value) end
  if kind == "number" then
    if value ~= value or value == math.huge or value == -math.huge then
      usage("a filter cannot contain the number %s", value)
    end
    return math.type(value) == "integer" and ("%d"):format(value) or ("%.17g"):format(value)
  end
  if value == json.null then return "null" end
  usage("a filter compares with strings, numbers, booleans and null, not with a %s", kind)
end

local function sorted(conditions)
  local names = {}
  for name in next, conditions do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

local function check_name(name)
  if type(name) ~= "string" or not name:find("^[%a_][%w_%-/.]*$") then
    usage("invalid name of a property: '%s'", tostring(name))
  end
end

-- -- conditions --

-- The conditions on one property as a list of texts.
local function on_property(name, condition)
  if type(condition) ~= "table" then return { ("%s eq %s"):format(name, quote(condition)) } end
  if condition.any_of then
    local parts = {}
    for index, choice in ipairs(condition.any_of) do
      parts[index] = table.concat(on_property(name, choice), " and ")
    end
    return { #parts == 1 and parts[1] or "(" .. table.concat(parts, " or ") .. ")" },
      #parts > 1 and "or" or nil
  end
  local parts = {}
  for _, op in ipairs(sorted(condition)) do
    if COMPARE[op] then parts[#parts + 1] = ("%s %s %s"):format(name, op, quote(condition[op]))
    elseif FUNCTIONS[op] then
      if type(condition[op]) ~= "string" then
        usage("%s: expected a string, got a %s", op, type(condition[op]))
      end
      parts[#parts + 1] = ("%s(%s,%s)"):format(op, name, quote(condition[op]))
    else
      usage(
        "unknown condition '%s'; known are eq ne lt le gt ge contains startswith endswith",
        tostring(op)
      )
    end
  end
  if #parts == 0 then usage("no condition on '%s'", name) end
  return parts
end

local function build(conditions)
  if is_filter(conditions) then return conditions end
  if type(conditions) ~= "table" then
    usage("expected a table of conditions, got a %s", type(conditions))
  end
  local parts, properties, joins = {}, {}, nil
  local names, nested = {}, {}
  for key in next, conditions do
    if type(key) == "number" then nested[#nested + 1] = key else names[#names + 1] = key end
  end
  table.sort(names)
  table.sort(nested)
  for _, name in ipairs(names) do
    check_name(name)
    local texts, joined = on_property(name, conditions[name])
    properties[name] = true
    joins = joins or joined
    for _, text in ipairs(texts) do parts[#parts + 1] = text end
  end
  for _, index in ipairs(nested) do
    local inner = build(conditions[index])
    parts[#parts + 1] = inner.text
    for name in pairs(inner.properties or {}) do properties[name] = true end
    joins = joins or inner.joins
  end
  if #parts == 0 then usage("the filter is empty and would select everything") end
  if #parts > 1 then joins = joins or "and" end
  return new(table.concat(parts, " and "), properties, joins)
end

-- -- the module --

local M = {}

--- Any of these values or conditions, for one property: name = any { "a", { startswith = "b" } }.
function M.any(choices)
  for _, key in ipairs(sorted(type(choices) == "table" and choices or {})) do
    if type(key) == "string" then
      usage(
        "any { %s = … } would join several properties with 'or', which ASM does not support; "
          .. "write %s = any { … }",
        key,
        key
      )
    end
  end
  if type(choices) ~= "table" or #choices == 0 then
    usage("any: expected an array of values or conditions")
  end
  return { any_of = choices }
end

--- Everything that does not match the conditions.
function M.no(conditions)
  local inner = build(conditions)
  return new("not (" .. inner.text .. ")", inner.properties, "not")
end

--- A filter in OData's words, sent as it is.
function M.raw(text)
  if type(text) ~= "string" or text:find("^%s*$") then
    usage("raw: expected the text of a filter")
  end
  return new(text, nil, "raw")
end

--- Returns the text of a filter for a path of the device. Raises "usage" for what the device does
-- not support there. Below /mgmt/tm/asm it is OData, elsewhere only the partition can be compared.
-- @param value filter, table of conditions, or text
function M.text(value, path)
  local filter
  if type(value) == "string" then
    filter = new(value, nil, "raw")
  else
    filter = build(value)
  end
  if type(path) ~= "string" then usage("expected a path, got a %s", type(path)) end
  if path:find("^/mgmt/tm/asm/") or path:find("^/tm/asm/") or not path:find("^/mgmt/tm/") then
    return filter.text
  end
  local plain = filter.text:match("^%s*partition%s+eq%s+(.-)%s*$")
  if not plain or plain:find("^['\"]?[^'\"%s]+['\"]?$") == nil then
    usage(
      "outside of ASM a device filters only by partition (partition eq X); cannot filter by: %s",
      filter.text
    )
  end
  return "partition eq " .. plain:gsub("^['\"](.*)['\"]$", "%1")
end

--- Whether a value is a filter.
M.is = is_filter

return setmetatable(M, { __call = function(_, conditions) return build(conditions) end })

