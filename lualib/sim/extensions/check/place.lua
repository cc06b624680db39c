-- Where a check of a schema is: the value, what holds it, the path, the schema. And the mistakes
-- found there: { keyword =, path =, schema_path =, params =, message =, where =, value = }.
local json = require "f5.json"
local order = require "sim.extensions.order"

local M = {}

function M.is_array(value)
  return type(value) == "table" and (json.is_array(value) or #value > 0)
end

function M.is_object(value)
  return value ~= json.null and type(value) == "table" and not M.is_array(value)
end

function M.number(value)
  return value == math.floor(value) and ("%d"):format(value) or tostring(value)
end

--- The keys of a table, sorted.
function M.sorted(value) return order.keys(value) end

--- The keys of the value at a place, in the order of the text if it is known.
function M.keys(value, at)
  return order.keys(value, at.order and at.order.keys)
end

local function pointer(key)
  key = tostring(key)
  if not key:find "[~/]" then return key end
  return (key:gsub("~", "~0"):gsub("/", "~1"))
end

local function schema_path(at, step) return at.schema_path and at.schema_path .. "/" .. step end

local function member_path(at, key, shown)
  local own = at.options.member_path
  if own then return own(at.path, key, shown) end
  return at.path .. "/" .. pointer(shown or key)
end

--- How a mistake calls a member that is missing.
function M.name(at, key)
  local own = at.options.member_path
  return own and own("", key) or key
end

--- The place of a member of the value at a place.
-- @param step what leads to the schema of the member
-- @param shown the index of an item as the path shows it
function M.inside(at, key, step, shown)
  return {
    path = member_path(at, key, shown), parent = at.value, key = key,
    composite = at.composite, options = at.options, base = at.base, where = tostring(key),
    schema_path = schema_path(at, step),
    order = at.order and at.order[key == "keys" and "keys " or key],
  }
end

--- The same place for another schema; `composite`: what it fills in does not count.
function M.same_place(at, step, where, composite)
  return {
    path = at.path, parent = at.parent, key = at.key, composite = composite or at.composite,
    options = at.options, base = at.base, where = where, order = at.order,
    property_name = at.property_name, schema_path = schema_path(at, step),
  }
end

--- The value at a place, which a check may have converted since.
function M.now(at, value)
  if not at.options.coerce or not at.parent or type(value) == "table" then return value end
  local now = at.parent[at.key]
  if now == nil then return value end
  return now
end

local function mistake(at, keyword, params, message)
  return {
    keyword = keyword, path = at.path, schema_path = schema_path(at, keyword), params = params,
    message = message, where = at.where, value = at.value, property_name = at.property_name,
  }
end

--- A mistake at a place, as a list.
function M.fail(at, keyword, params, message)
  return { mistake(at, keyword, params, message), final = not at.composite }
end

--- Adds a mistake to those of the branches of a keyword.
function M.add(list, at, keyword, params, message)
  list[#list + 1] = mistake(at, keyword, params, message)
  list.final = not at.composite
  return list
end

--- Checks whether a schema fits. What it found is forgotten if it does not.
function M.fits(check, schema, value, at)
  local found = at.options.found
  local before = #found
  local wrong = check(schema, value, at)
  if wrong then
    for i = #found, before + 1, -1 do found[i] = nil end
  end
  return wrong
end

return M
