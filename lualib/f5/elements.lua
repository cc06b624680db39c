-- ref:absent(), and elements of lists: ref.members:add(…), ref.rules:remove(…), ref.servers:set(…).
--
-- A sub-collection (members) gets and loses elements one by one. A list that is a property (rules,
-- records) is read, changed and sent as a whole, because a device has no other way.

local compare = require "f5.ensure.compare"
local core = require "f5.core"
local extensions = require "f5.declare.kinds"
local json = require "f5.json"
local plan = require "f5.ensure.plan"
local spelling = require "f5.ensure.spelling"
local write = require "f5.change.write"

local M = {}

--- @return "deleted" or "unchanged"
function M.absent(ref, ...)
  if select("#", ...) > 0 then core.usage_error("absent: expected no arguments") end
  local extension <const> = extensions.of_path(ref)
  if extension then
    core.usage_error(("absent: %s removes things as a task; bip:undeclare(NAME) removes a tenant "
      .. "of AS3 and waits for the end"):format(extension.label))
  end
  local found, body = pcall(function() return ref:load { select = { "name", "kind" }, top = 1 } end)
  if not found then
    -- A path that the device does not know says nothing about the object.
    local missing = type(body) == "table" and body.kind == "not_found"
    local unknown = missing and tostring(body.message):find "%(/mgmt/tm/%S+ has no '"
    if not missing or unknown then error(body, 0) end
    ref = spelling.find(ref)
    if not ref then return "unchanged" end
    body = nil
  end
  local kind = type(body) == "table" and body.kind
  if type(kind) == "string" and kind:lower():find "collectionstate$" then
    core.usage_error(("absent works on one object, but %s is a collection"):format(tostring(ref)))
  end
  local ok, err = pcall(function() ref:delete() end)
  if ok then return "deleted" end
  -- It was deleted in the meantime.
  if type(err) == "table" and err.kind == "not_found" then return "unchanged" end
  error(err, 0)
end

-- The given item or items, as tables with names and as they are; nil if they are invalid.
local function items_of(given)
  local list = (compare.is_list(given) or type(given) == "table" and not next(given)) and given
    or { given }
  local items = {}
  for i, item in ipairs(list) do
    items[i] = compare.as_item(item)
    if not items[i] then return nil end
  end
  return items, list
end

-- The list of a reference: a sub-collection, or a property of its parent.
local function locate(ref)
  local parent, key = core.parent(ref)
  key = compare.camel(key)
  local object = parent:load()
  return parent, key, object, plan.sub_collection(object, key) ~= nil
end

-- The items of a property as a list. A single word is a list of one.
local function current(object, key)
  local value = compare.value_of(object, key)
  if compare.is_nothing(value) then return {} end
  if type(value) ~= "table" then return compare.braces(value) or { value } end
  return value
end

-- A list that the object does not have is empty, or its name is misspelt.
local function check_name(parent, key, object)
  if compare.value_of(object, key) ~= nil or object[key .. "Reference"] then return end
  local is_full = tostring(parent):find "/~[^/]+$"
  local names = write.properties(is_full and core.parent(parent) or parent) or {}
  for _, name in ipairs(names) do
    if name == key then return end
  end
  local near = core.nearest(key, names)
  if near then
    core.usage_error(
      ("remove: %s has no property '%s'; did you mean '%s'?"):format(tostring(parent), key, near)
    )
  end
end

-- Where the elements of a list of texts or of objects with names are, by all names that they may
-- stand for: a data group can have 10,000 records, and as many may be given.
local Positions = {}
Positions.__index = Positions

local function note(index, name, at)
  if not index[name] or at < index[name] then index[name] = at end
end

-- Adds the element at a position.
function Positions:add(at, element)
  if type(element) ~= "table" then
    self.texts[#self.texts + 1] = { at, element }
    return
  end
  local own = compare.key(element)
  if not own then return end
  note(self.own, own, at)
  for _, name in ipairs(compare.names(element, self.partition)) do note(self.other, name, at) end
end

local function positions_of(list, key, partition)
  local self = setmetatable(
    { own = {}, other = {}, texts = {}, key = key, partition = partition }, Positions
  )
  for i, element in ipairs(list) do self:add(i, element) end
  return self
end

-- The first position of an item; nil if it is not there.
function Positions:of(item)
  local found = self.other[compare.key(item)] or math.huge
  for _, name in ipairs(compare.names(item, self.partition)) do
    found = math.min(found, self.own[name] or math.huge)
  end
  for _, text in ipairs(self.texts) do
    if text[1] < found and compare.same(item.name, text[2], self.key, self.partition) then
      found = text[1]
      break
    end
  end
  return found < math.huge and found or nil
end

local function plain(element)
  return type(element) == "table" and compare.merged({}, element) or element
end

-- The whole list with or without the items; nil if nothing differs. `given` are the items as in the
-- script: an empty list does not show whether its items are texts or objects.
local function added(list, items, key, partition, given)
  local out, differs, positions = json.array {}, false, positions_of(list, key, partition)
  for i, element in ipairs(list) do out[i] = plain(element) end
  for i, item in ipairs(items) do
    local at = positions:of(item)
    if at and type(out[at]) == "table" then
      if not compare.same_item(item, out[at], partition) then
        out[at], differs = compare.merged(item, out[at]), true
      end
    elseif not at then
      local is_object = type(list[1]) == "table" or next(item, next(item)) ~= nil
      out[#out + 1] = is_object and item or list[1] ~= nil and item.name or given[i]
      positions:add(#out, out[#out])
      differs = true
    end
  end
  return differs and out or nil
end

local function removed(list, items, key, partition)
  local gone, out, positions = {}, json.array {}, positions_of(list, key, partition)
  for _, item in ipairs(items) do
    local at = positions:of(item)
    if at then gone[at] = true end
  end
  if not next(gone) then return nil end
  for i, element in ipairs(list) do
    if not gone[i] then out[#out + 1] = plain(element) end
  end
  return out
end

local function change(name, in_collection, in_list)
  return function(ref, given, ...)
    local items, originals
    if given ~= nil and select("#", ...) == 0 then items, originals = items_of(given) end
    if not items then
      core.usage_error(
        ("%s: expected one element or a list of elements: names, or tables with names"):format(name)
      )
    end
    local parent, key, object, is_collection = locate(ref)
    local steps = {}
    if is_collection then
      in_collection(steps, ref, items, object.partition)
    else
      if name == "remove" then check_name(parent, key, object) end
      local list = in_list(current(object, key), items, key, object.partition, originals)
      if list then steps[1] = function() return parent:modify { [key] = list } end end
    end
    if #steps == 0 then return "unchanged" end
    plan.run(steps, parent)
    return "changed"
  end
end

--- @return "changed" or "unchanged"
M.add = change("add", plan.add, added)
--- @return "changed" or "unchanged"
M.remove = change("remove", plan.remove, removed)

--- Gives the list these elements and no others.
--- @return "changed" or "unchanged"
function M.set(ref, given, ...)
  if type(given) == "boolean" or given == nil or select("#", ...) > 0 or not items_of(given) then
    core.usage_error("set: expected one element or a list of elements: names, or tables with names")
  end
  local parent, key, object = locate(ref)
  local list = compare.is_list(given) and given
    or json.array(type(given) == "table" and not next(given) and {} or { given })
  local steps = {}
  plan.object(steps, parent, object, { [key] = list })
  if #steps == 0 then return "unchanged" end
  plan.run(steps, parent)
  return "changed"
end

return M
