-- Compares two objects of one kind, as they are in snapshots: see f5.state.clean. Both may come
-- from different devices and versions, so values are compared by meaning: names with and without
-- their partition, ports and addresses in every spelling, numbers as text, nothing and "none".
--
--   local changes = compare.objects("ltm/pool", before, after)
--   for _, change in ipairs(changes) do print(change.property, change.old, change.new) end

local ensure = require "f5.ensure.compare"
local json = require "f5.json"
local kinds = require "f5.state.kinds"

local M = {}

local null <const> = json.null

---@class f5.state.change
---One difference between two objects.
---@field property string "monitor", "members[/Common/10.0.0.1:80].session"
---@field keys string[] the same in parts: { "members", "/Common/10.0.0.1:80", "session" }
---@field name string the innermost property: "session"
---@field old any value in the first object; nil: it has none
---@field new any value in the second object; nil: it has none
---@field what? "added"|"removed"|"order" an element of a list is only in the second or the first
---  object; the elements are in another order (old and new are their names)
---@field after? string of "added", where the order counts: the name of the element before it in the
---  second object; "": it is the first
---@field set? boolean the lists have no order
---@field text? boolean old and new are texts of several lines

-- `enabled` and `disabled` are two keys for one setting.
local PAIRS <const> = { disabled = "enabled", vlansDisabled = "vlansEnabled" }
local OPPOSITE <const> = {
  enabled = "disabled", disabled = "enabled", vlansEnabled = "vlansDisabled",
  vlansDisabled = "vlansEnabled",
}

-- What is a name of the object itself.
local NAMING <const> = { name = true, partition = true, subPath = true, fullPath = true }

-- -- the place in an object -----------------------------------------------------------------------

-- A place is { parent =, key =, is_name = }; nil for the object itself.
local function keys_of(place)
  local keys, names = {}, {}
  while place do
    table.insert(keys, 1, place.key)
    table.insert(names, 1, place.is_name or false)
    place = place.parent
  end
  return keys, names
end

local function text_of(keys, names)
  local parts = {}
  for i, key in ipairs(keys) do
    if names[i] then
      parts[#parts + 1] = "[" .. tostring(key) .. "]"
    else
      parts[#parts + 1] = (i > 1 and "." or "") .. tostring(key)
    end
  end
  return table.concat(parts)
end

local Comparison = {}
Comparison.__index = Comparison

-- Returns whether the property at a place is compared. What one side does not know is noted.
function Comparison:takes(place)
  local keys, names
  if self.left or self.ignore then
    keys, names = keys_of(place)
    local property = text_of(keys, names)
    if self.ignore and self.ignore(property, place.is_name and keys[#keys - 1] or place.key) then
      return false
    end
    local reason = self.left and self.left[property]
    if reason then
      self.hidden[#self.hidden + 1] = { property = property, reason = reason }
      return false
    end
  end
  return true
end

function Comparison:add(place, old, new, more)
  if not self:takes(place) then return end
  local keys, names = keys_of(place)
  local change = more or {}
  change.property, change.keys, change.old, change.new = text_of(keys, names), keys, old, new
  for i = #keys, 1, -1 do
    if not names[i] then
      change.name = keys[i]
      break
    end
  end
  self.changes[#self.changes + 1] = change
end

-- -- lists ----------------------------------------------------------------------------------------

-- The names of the elements of a list, in order, and the elements by name; nil if an element has
-- no name, or two have the same.
local function named(list)
  local names, index = {}, {}
  for i, item in ipairs(list) do
    local name = ensure.key(item)
    if not name or index[name] then return nil end
    names[i], index[name] = name, item
  end
  return names, index
end

-- Data groups as lines: "name := data", sorted by name.
local function records_text(list)
  local lines = {}
  for i, record in ipairs(list) do
    local data = record.data
    lines[i] = tostring(record.name)
      .. ((data == nil or data == "") and "" or " := " .. tostring(data))
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

-- The names that both lists have, in the order of each.
local function in_both(names, other)
  local out = {}
  for _, name in ipairs(names) do
    if other[name] then out[#out + 1] = name end
  end
  return out
end

local function same_order(a, b)
  for i, name in ipairs(a) do
    if b[i] ~= name then return false end
  end
  return true
end

function Comparison:named_lists(kind, place, key, a, b)
  local names_a, index_a = named(a)
  local names_b, index_b = named(b)
  if not names_a or not names_b then return false end
  local inner = kind .. "/" .. key
  local found = {}
  for _, name in ipairs(names_a) do
    local item = index_a[name]
    local other = index_b[name] or ensure.find(index_b, item, self.partition)
    local at = { parent = place, key = ensure.name(item), is_name = true }
    if other then
      found[other] = true
      self:record(inner, at, item, other)
    else
      self:add(at, item, nil, { what = "removed" })
    end
  end
  local ordered = kinds.is_ordered(kind, key)
  for i, name in ipairs(names_b) do
    if not found[index_b[name]] then
      local at = { parent = place, key = ensure.name(index_b[name]), is_name = true }
      local after = ordered and (i > 1 and ensure.name(index_b[names_b[i - 1]]) or "") or nil
      self:add(at, nil, index_b[name], { what = "added", after = after })
    end
  end
  if ordered then
    local both_a, both_b = in_both(names_a, index_b), in_both(names_b, index_a)
    if not same_order(both_a, both_b) then
      self:add(place, json.array(both_a), json.array(both_b), { what = "order" })
    end
  end
  return true
end

-- The items of a list that no item of another list equals.
function Comparison:beyond(key, list, other)
  local known, out = {}, {}
  for _, item in ipairs(other) do known[item] = true end
  for _, item in ipairs(list) do
    local found = known[item]
    if not found then
      for _, second in ipairs(other) do
        found = found or self:same(key, item, second)
      end
    end
    if not found then out[#out + 1] = item end
  end
  return out
end

function Comparison:lists(kind, place, key, a, b)
  if kinds.is_records(kind, key) then
    local old, new = records_text(a), records_text(b)
    if old ~= new and not self:same_records(a, b) then
      self:add(place, old, new, { text = true })
    end
    return
  end
  if type(a[1] or b[1]) == "table" and self:named_lists(kind, place, key, a, b) then return end
  if type((a[1])) ~= "table" and type((b[1])) ~= "table"
    and (ensure.SETS[key] or kinds.is_set(kind, key))
  then
    if #self:beyond(key, a, b) > 0 or #self:beyond(key, b, a) > 0 then
      self:add(place, a, b, { set = true })
    end
    return
  end
  local same = #a == #b
  for i = 1, same and #a or 0 do same = same and self:equal(kind, key, a[i], b[i]) end
  if not same then self:add(place, a, b) end
end

-- Whether the records of a data group are the same in other spellings.
function Comparison:same_records(a, b)
  local names_a, index_a = named(a)
  local names_b, index_b = named(b)
  if not names_a or not names_b or #names_a ~= #names_b then return false end
  for name, record in pairs(index_a) do
    local other = index_b[name]
    if not other or not self:same("data", record.data, other.data) then return false end
  end
  return true
end

-- -- values ---------------------------------------------------------------------------------------

-- Whether two values that are not both tables mean the same.
function Comparison:same(key, a, b)
  return a == b
    or ensure.same(a, b, key, self.partition) or ensure.same(b, a, key, self.partition)
end

-- Whether two values mean the same, without a record of the differences.
function Comparison:equal(kind, key, a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return self:same(key, a, b) end
  local quiet = setmetatable(
    { partition = self.partition, changes = {}, hidden = {} },
    Comparison
  )
  quiet:value(kind, { key = key }, key, a, b)
  return #quiet.changes == 0
end

function Comparison:value(kind, place, key, a, b)
  if a == b or ensure.is_nothing(a) and ensure.is_nothing(b) and not (a == null or b == null) then
    return
  end
  local list_a, list_b = ensure.is_list(a), ensure.is_list(b)
  if list_a and list_b then return self:lists(kind, place, key, a, b) end
  if list_a and ensure.is_nothing(b) then return self:lists(kind, place, key, a, {}) end
  if list_b and ensure.is_nothing(a) then return self:lists(kind, place, key, {}, b) end
  if type(a) == "table" and type(b) == "table" and not list_a and not list_b then
    return self:record(kind .. "/" .. tostring(key), place, a, b)
  end
  if self:same(key, a, b) then return end
  local text = kinds.is_text(kind, key)
    and type(a or "") == "string" and type(b or "") == "string"
  self:add(place, a, b, text and { text = true } or nil)
end

-- Whether two objects have a pair of flags set in opposite ways.
local function is_opposite(a, b, key)
  local other = OPPOSITE[key]
  return other ~= nil and a[key] == true and b[key] == nil and b[other] == true
end

-- Compares the properties of two records.
function Comparison:record(kind, place, a, b)
  local volatile, facts = kinds.volatile(kind), kinds.FACTS
  local keys = {}
  for key, value in next, a do
    if value ~= b[key] and not facts[key] and not volatile[key] then keys[#keys + 1] = key end
  end
  for key in next, b do
    if a[key] == nil and not facts[key] and not volatile[key] then keys[#keys + 1] = key end
  end
  if #keys == 0 then return end
  table.sort(keys, function(x, y) return tostring(x) < tostring(y) end)
  for _, key in ipairs(keys) do
    local naming = NAMING[key] and (place == nil or place.is_name)
    if not naming then
      local at = { parent = place, key = key }
      if is_opposite(a, b, key) or is_opposite(b, a, key) then
        -- one change for both flags, under the name of the positive one
        local main = PAIRS[key]
        if not main then
          self:add(at, a[key] == true, b[key] == true)
        elseif a[main] == nil and b[main] == nil then
          self:value(kind, at, key, a[key], b[key])
        end
      else
        self:value(kind, at, key, a[key], b[key])
      end
    end
  end
end

--- Compares two objects of one kind.
-- @param kind string: "ltm/pool"; see f5.state.kinds
-- @param a table: the first object
-- @param b table: the second object
-- @param options table|nil: ignore (function(property, name) -> boolean: leave it out), left
--   ({ [property] = reason }: values that one of the objects does not contain)
-- @return array of f5.state.change, sorted by property; empty if the objects mean the same
-- @return array of { property, reason }: what was not compared
function M.objects(kind, a, b, options)
  options = options or {}
  local comparison = setmetatable({
    partition = a.partition or b.partition,
    ignore = options.ignore,
    left = options.left and next(options.left) and options.left or nil,
    changes = {},
    hidden = {},
  }, Comparison)
  comparison:record(kind, nil, a, b)
  for property, reason in pairs(comparison.left or {}) do
    local noted = false
    for _, one in ipairs(comparison.hidden) do noted = noted or one.property == property end
    if not noted then
      comparison.hidden[#comparison.hidden + 1] = { property = property, reason = reason }
    end
  end
  table.sort(comparison.hidden, function(x, y) return x.property < y.property end)
  return comparison.changes, comparison.hidden
end

return M
