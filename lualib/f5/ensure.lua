-- ref:ensure{…}: the object exists and has these properties. What already is so is not touched, and
-- "changed" is never said of it.

local core = require "f5.core"
local json = require "f5.json"

local M = {}

local null <const> = json.null

local function is_array(value) return json.is_array(value) or #value > 0 end

local same

-- How an object in a list is named, with and without its partition.
local NAMING <const> = { name = true, fullPath = true, partition = true, subPath = true }

local function same_item(wanted, is)
  for key, value in pairs(wanted) do
    if not NAMING[key] and not same(value, is[key]) then return false end
  end
  return true
end

-- Lists of objects with names (a pool's members) are sets for the device: it returns them in its
-- own order and with all their defaults.
local function by_name(list)
  local names = {}
  for _, item in ipairs(list) do
    if type(item) ~= "table" or type(item.name) ~= "string" then return nil end
    names[item.name] = item
    names[item.fullPath or ("/%s/%s"):format(item.partition or "Common", item.name)] = item
  end
  return names
end

local function same_array(wanted, is)
  if #wanted ~= #is then return false end
  local named = #wanted > 0 and by_name(wanted) and by_name(is)
  for i, item in ipairs(wanted) do
    if named then
      local other = named[item.fullPath or item.partition and ("/%s/%s"):format(
        item.partition,
        item.name
      ) or item.name]
      if not other or not same_item(item, other) then return false end
    elseif not same(item, is[i]) then
      return false
    end
  end
  return true
end

-- The device writes its own form of what it was given: numbers as strings, names with their
-- partition, flags as null.
local function same_text(wanted, is)
  if wanted == is then return true end
  local a, b = tostring(wanted):match "^%s*(.-)%s*$", tostring(is):match "^%s*(.-)%s*$"
  return a == b or "/Common/" .. a == b
end

function same(wanted, is)
  if wanted == is then return true end
  if wanted == null then return is == nil or is == null end
  if type(wanted) == "table" then
    if type(is) ~= "table" then return false end
    if is_array(wanted) or (next(wanted) == nil and json.is_array(is)) then
      return same_array(wanted, is)
    end
    for key, value in pairs(wanted) do
      if not same(value, is[key]) then return false end
    end
    return true
  end
  if is == nil then return wanted == "none" end -- a property that is none is left out by the device
  if type(is) == "table" then
    return wanted == "none" and next(is) == nil
  end
  if type(wanted) == "boolean" or type(is) == "boolean" then return tostring(wanted) == tostring(is) end
  return same_text(wanted, is)
end

-- `enabled` and `disabled` are two keys for one thing: to have one is to not have the other.
local OPPOSITE <const> = { enabled = "disabled", disabled = "enabled" }

local function differs(key, value, object)
  local opposite = OPPOSITE[key]
  if opposite and value == true and object[key] == nil then return object[opposite] ~= nil end
  return not same(value, object[key])
end

-- A sub-collection (members) is not in the object but behind its reference.
local function sub_collection(object, key)
  local reference = object[key .. "Reference"]
  return type(reference) == "table" and reference.isSubcollection and object[key] == nil
end

--- @return "created", "changed" or "unchanged"; then the object
function M.ensure(ref, properties, ...)
  if type(properties) ~= "table" or select("#", ...) > 0 then
    core.usage_error(2, "ensure takes one table of properties")
  end
  local object
  local found, err = pcall(function() object = ref:load() end)
  if not found then
    if type(err) ~= "table" or err.kind ~= "not_found" then error(err, 0) end
    return "created", ref:create(properties)
  end
  if type(object.kind) == "string" and object.kind:lower():find "collectionstate$" then
    core.usage_error(
      2,
      ('ensure is for one object, and %s is a collection: collection["/Common/NAME"]:ensure { … }'):format(
        tostring(ref)
      )
    )
  end
  local change, any = {}, false
  for key, value in pairs(properties) do
    if sub_collection(object, key) then object[key] = ref:at(key):list() end
    if differs(key, value, object) then change[key], any = value, true end
  end
  if not any then return "unchanged", object end
  -- queued: there is nothing to compare yet
  if core.transaction_parts.is_bound(ref) then return "changed", ref:modify(change) end
  -- The device has the last word: a value that it normalises to what it was before has not changed.
  local after = ref:modify(change)
  for key in pairs(change) do
    if type(after) ~= "table" then return "changed", after end
    local now = after[key]
    if sub_collection(after, key) then now = ref:at(key):list() end
    -- A password is never shown: whether this one is new cannot be known, so it was set.
    if now == nil and object[key] == nil and core.is_secret_name(key) then
      return "changed", after
    end
    if not (same(now, object[key]) and same(object[key], now)) then return "changed", after end
  end
  return "unchanged", after
end

return M
