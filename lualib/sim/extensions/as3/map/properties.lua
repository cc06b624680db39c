-- Properties of a BIG-IP object, made of an item of a declaration. The tables in facts/ say for
-- each kind which property comes from which. A row is { name, column = value, … }:
--
--   from       the property of the declaration; without it the name in camelCase, or the name
--   yes, no    what true and false become
--   form       "items": objects by name; "names": a list of names; "object": properties of their
--              own; "named": a table of objects
--   text       a quoted text of tmsh: control characters become escapes
--   word       a number becomes a text
--   common     the path of an item of /Common/Shared that lives in /Common
--   default    the value of a property that the declaration does not have
--   optional   absent if the declaration does not have it
--   since      the first version of BIG-IP that has the property
--   modules    modules of which one must be provisioned
local M = {}

local facts = {}
for _, name in ipairs {
  "dns", "firewall", "gslb", "ltm", "profiles", "security_logs", "system", "tls", "transport",
} do
  for kind, rows in pairs(require("sim.extensions.as3.map.facts." .. name)) do
    facts[kind] = rows
  end
end

local ESCAPES <const> = {
  ["\r"] = "\\r", ["\n"] = "\\n", ["\t"] = "\\t", ["\f"] = "\\f", ["\b"] = "\\b",
}

local function camel(name)
  return (name:gsub("%-(%w)", string.upper))
end

--- Whether a version such as "17.1.3" is at least another one.
function M.at_least(version, wanted)
  local next_wanted = wanted:gmatch "%d+"
  for part in version:gmatch "%d+" do
    local other = next_wanted()
    if not other then return true end
    part, other = tonumber(part), tonumber(other)
    if part ~= other then return part > other end
  end
  return not next_wanted()
end

local function available(row, context)
  if row.since and not M.at_least(context.version, row.since) then return false end
  if not row.modules then return true end
  for _, module in ipairs(row.modules) do
    if context.provisioned(module) then return true end
  end
  return false
end

local function raw(row, item)
  local value = row.from and item[row.from]
  if value == nil then value = item[camel(row[1])] end
  if value == nil then value = item[row[1]] end
  return value
end

--- The path of a reference: "/T/A/x" of { use = "/T/A/x" } or { bigip = "/T/A/x" }, else the value.
function M.path_of(value)
  if type(value) ~= "table" then return value end
  return value.bigip or value.use or value
end

local function scalar(row, value)
  if value == true and row.yes ~= nil then return row.yes end
  if value == false and row.no ~= nil then return row.no end
  if value == "" then return "none" end
  value = M.path_of(value)
  if row.common and type(value) == "string" then value = value:gsub("/Shared", "", 1) end
  if row.word and math.type(value) then value = ("%d"):format(value) end
  if row.text and type(value) == "string" then
    value = value:gsub("[\r\n\t\f\b]", ESCAPES):gsub("%c", ".")
  end
  return value
end

local fill

--- A table of objects without properties is a list of their names.
local function plain(objects, order)
  for _, object in pairs(objects) do
    if type(object) ~= "table" or next(object) then return objects end
  end
  return order
end

local FORMS <const> = {
  object = function(kind, value, context) return fill(kind, value, context) end,
  names = function(kind, value, context)
    if type(value) ~= "table" then return { value } end
    local list = {}
    if #value == 0 then
      for name in pairs(value) do list[#list + 1] = name end
      table.sort(list)
      return list
    end
    for _, item in ipairs(value) do
      local path = M.path_of(item)
      if type(path) == "table" then return fill(kind, item, context) end
      list[#list + 1] = path
    end
    return list
  end,
  named = function(kind, value, context)
    if type(value) ~= "table" then return value end
    local objects = {}
    for name, item in pairs(value) do objects[name] = fill(kind, item, context) end
    return objects
  end,
  items = function(kind, value, context)
    if type(value) ~= "table" or #value == 0 then return value end
    local objects, order = {}, {}
    for _, item in ipairs(value) do
      local name, object = item, {}
      if type(item) == "table" then
        name = item.name
        for _, row in ipairs(facts[kind] or {}) do
          if row[1] == "name" then
            if name == nil and row.from then name = item[row.from] end
            if name ~= nil then name = scalar(row, name) end
          end
        end
        name = name or item.use or item.bigip
        object = fill(kind, item, context)
        object.name = nil
      end
      objects[name] = object
      order[#order + 1] = name
    end
    return plain(objects, order)
  end,
}

--- The value of one row, or nil if the object does not get the property.
local function value_of(kind, row, item, context)
  if not available(row, context) then return nil end
  local value = raw(row, item)
  if value == nil then
    if row.default ~= nil then
      value = row.default
    elseif not row.optional and (row.form == "items" or row.form == "names") then
      value = {}
    else
      return nil
    end
  end
  if row.form then return FORMS[row.form](kind .. " " .. row[1], value, context) end
  return scalar(row, value)
end

fill = function(kind, item, context)
  local properties = {}
  for _, row in ipairs(facts[kind] or {}) do
    properties[row[1]] = value_of(kind, row, item, context)
  end
  return properties
end

--- The names of properties in a text, as a set, with those of another set.
function M.words(text, base)
  local set = {}
  for name in pairs(base or {}) do set[name] = true end
  for name in text:gmatch "%S+" do set[name] = true end
  return set
end

--- The properties of an object of a kind. `context` has `version` and `provisioned`.
function M.of(kind, item, context)
  assert(facts[kind], kind)
  return fill(kind, item, context)
end

--- Makes the handler of a class that becomes one object of a kind.
-- @param empty what stands where the declaration says nothing: property -> value
-- @param change function(item, at, name): changes the item first
function M.handler(kind, empty, change)
  return function(at, item, name)
    for key, value in pairs(empty or {}) do
      if item[key] == nil or item[key] == "" then item[key] = value end
    end
    if change then change(item, at, name) end
    at:add(kind, at:path(name), at:properties(kind, item))
  end
end

return M
