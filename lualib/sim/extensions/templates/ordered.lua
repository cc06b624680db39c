-- Tables that know the order of their members, as objects of JavaScript do. The order is kept
-- beside the table; a table without one has its members sorted.
local json = require "f5.json"

local M = {}

local orders = setmetatable({}, { __mode = "k" })

--- A new empty object.
function M.new()
  local object = {}
  orders[object] = {}
  return object
end

function M.is_array(value)
  return type(value) == "table" and (json.is_array(value) or #value > 0)
end

function M.is_object(value)
  return type(value) == "table" and value ~= json.null and not M.is_array(value)
end

--- The names of the members, in their order.
function M.keys(object)
  local list, seen, rest = {}, {}, {}
  for _, key in ipairs(orders[object] or {}) do
    if object[key] ~= nil and not seen[key] then
      seen[key] = true
      list[#list + 1] = key
    end
  end
  for key in pairs(object) do
    if not seen[key] then rest[#rest + 1] = key end
  end
  table.sort(rest, function(a, b) return tostring(a) < tostring(b) end)
  return table.move(rest, 1, #rest, #list + 1, list)
end

--- Sets a member; a new one comes last.
function M.set(object, key, value)
  local order = orders[object]
  if not order then
    order = M.keys(object)
    orders[object] = order
  end
  if object[key] == nil then order[#order + 1] = key end
  object[key] = value
end

--- name, value of all members, in their order.
function M.pairs(object)
  local keys, i = M.keys(object), 0
  return function()
    i = i + 1
    if keys[i] ~= nil then return keys[i], object[keys[i]] end
  end
end

--- Whether an object has no members.
function M.is_empty(object) return next(object) == nil end

--- A deep copy.
function M.copy(value)
  if type(value) ~= "table" or value == json.null then return value end
  if M.is_array(value) then
    local list = json.array {}
    for i, item in ipairs(value) do list[i] = M.copy(item) end
    return list
  end
  local object = M.new()
  for key, item in M.pairs(value) do M.set(object, key, M.copy(item)) end
  return object
end

--- Sets the members of other objects in an object; returns it.
function M.assign(object, ...)
  for i = 1, select("#", ...) do
    for key, value in M.pairs((select(i, ...)) or {}) do M.set(object, key, value) end
  end
  return object
end

--- Two values as one: members of both objects; the second value counts where they differ. Arrays
--- are joined, or, with `overwrite`, replaced.
function M.merge(a, b, overwrite)
  if M.is_array(a) and M.is_array(b) then
    if overwrite then return M.copy(b) end
    local list = M.copy(a)
    for _, item in ipairs(b) do list[#list + 1] = M.copy(item) end
    return list
  end
  if not M.is_object(a) or not M.is_object(b) then return M.copy(b) end
  local object = M.copy(a)
  for key, value in M.pairs(b) do
    M.set(object, key, a[key] ~= nil and M.merge(a[key], value, overwrite) or M.copy(value))
  end
  return object
end

--- Notes the order of the members of a decoded JSON text.
-- @param known the order, of sim/extensions/order.lua
function M.note(value, known)
  if type(value) ~= "table" or value == json.null or not known then return value end
  if not M.is_array(value) then orders[value] = known.keys end
  for key, item in pairs(value) do M.note(item, known[key == "keys" and "keys " or key]) end
  return value
end

-- -- JSON as JavaScript writes it --

local write

local function write_list(value, indent)
  local parts, inner = {}, indent and indent .. "  "
  for i, item in ipairs(value) do parts[i] = (inner or "") .. write(item, inner) end
  if #parts == 0 then return "[]" end
  if not indent then return "[" .. table.concat(parts, ",") .. "]" end
  return "[\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "]"
end

local function write_object(value, indent)
  local parts, inner = {}, indent and indent .. "  "
  for key, item in M.pairs(value) do
    parts[#parts + 1] = (inner or "") .. json.encode(tostring(key)) .. (indent and ": " or ":")
      .. write(item, inner)
  end
  if #parts == 0 then return "{}" end
  if not indent then return "{" .. table.concat(parts, ",") .. "}" end
  return "{\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "}"
end

function write(value, indent)
  if type(value) ~= "table" or value == json.null then return json.encode(value) end
  if M.is_array(value) then return write_list(value, indent) end
  return write_object(value, indent)
end

--- The JSON text of a value, with its members in order.
-- @param pretty whether it is indented by two characters
function M.json(value, pretty) return write(value, pretty and "" or nil) end

return M
