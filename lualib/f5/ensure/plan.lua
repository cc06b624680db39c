-- The writes that bring an object to the wanted state. Of lists of objects only the elements that
-- differ are created, changed or deleted. What an element does not name keeps its state.
--
-- A plan is a list of functions. Each sends one write and returns the answer, and the reference if
-- it is that of the object itself.

local compare = require "f5.ensure.compare"
local core = require "f5.core"
local json = require "f5.json"
local write = require "f5.change.write"

local M = {}

-- Sub-collections that only attach other objects. A device checks them as a whole (an HTTP profile
-- needs a TCP profile), so they change in one call.
local ATTACHED <const> = { profiles = true, policies = true }

-- `enabled` and `disabled` are two keys for one setting.
local OPPOSITE <const> = {
  enabled = "disabled", disabled = "enabled", vlansEnabled = "vlansDisabled",
  vlansDisabled = "vlansEnabled",
}

-- `legacy = true` makes a policy that has no draft. It is read as the status of the policy.
local function is_legacy(key, value, object)
  return key == "legacy" and value == true and object.status == "legacy"
end

local function differs(key, value, object)
  if is_legacy(key, value, object) then return false end
  local opposite = OPPOSITE[key]
  if opposite and type(value) == "boolean" and object[key] == nil then
    local other = compare.same(true, object[opposite])
    return value == other and object[opposite] ~= nil
  end
  return not compare.same(value, compare.value_of(object, key), key, object.partition)
end

-- Whether the device must be asked about an empty value of a property that it does not show.
-- A device leaves out properties without a value, so a misspelt one looks like one that is as it is
-- wanted. The device's example has all properties; if it lacks this one, the device decides.
local function must_ask(ref, object, key, value)
  local is_empty = value == false or compare.is_nothing(value)
  local other = OPPOSITE[key]
  if not is_empty or type(key) ~= "string" or compare.value_of(object, key) ~= nil
    or other and object[other] ~= nil then return false end
  local example = write.example(ref, object)
  return example ~= nil and compare.value_of(example, key) == nil
    and example[key .. "Reference"] == nil
end

-- The path segment of a sub-collection (members, virtual-servers), which is behind its reference;
-- nil for other properties.
local function sub_collection(object, key)
  local reference = object[key .. "Reference"]
  if type(reference) ~= "table" or not reference.isSubcollection or object[key] ~= nil then
    return nil
  end
  return tostring(reference.link):match "/([^/?]+)/?%f[?\0]" or key
end

-- Raises if a value cannot be the list of a sub-collection. A device may take it for another list,
-- and delete the elements that it has.
local function check_list(key, value, ref)
  if type(value) ~= "table" or compare.is_list(value) then return end
  core.usage_error(
    (
      "ensure: expected a list for '%s' of %s, got a table with keys; "
      .. 'example: %s = { "NAME" }'
    ):format(key, tostring(ref), key)
  )
end

-- The items of a wanted list as tables with names; nil if it is not a list of named objects. A name
-- that occurs twice is an error.
local function items_of(key, value)
  if compare.is_nothing(value) then return {} end
  if type(value) == "string" then value = { value } end
  if not compare.is_list(value) then return nil end
  local items = {}
  for i, given in ipairs(value) do
    items[i] = compare.as_item(given)
    if not items[i] then return nil end
  end
  if not compare.index(items) then return nil end
  return items, key
end

-- Lists of named objects that are a property (records, certKeyChain, persist): a device accepts
-- only the whole list. Returns what to send, nil if nothing differs, or false if it is not such a
-- list.
local function inline_list(key, value, object)
  local is = compare.value_of(object, key)
  if not compare.is_list(is) or type(is[1]) ~= "table" then return false end
  local index, items = compare.index(is), items_of(key, value)
  if not index or not items or #items == 0 then return false end
  local list, same, used = json.array {}, #items == #is, {}
  for i, item in ipairs(items) do
    local existing = compare.find(index, item, object.partition)
    if existing and not used[existing] then
      used[existing] = true
      list[i] = compare.merged(item, existing)
      same = same and compare.same_item(item, existing, object.partition)
    else
      list[i], same = item, false
    end
  end
  if same then return nil end
  return list
end

-- The name of a rule may have a partition that only its link shows.
local function element_ref(ref, element)
  local segment = tostring(element.selfLink):match "/(~[^/?]+)%?"
  if segment and not element.partition and segment:sub(1, 8) ~= "~Common~" then
    return ref:at(require("f5.state.segment").decoded(segment))
  end
  if type(element.id) == "string" and tostring(ref):find "^/mgmt/tm/asm/" then
    local id = core.device_id(element.id)
    if id then return ref:at(id) end
    error(core.error_new {
      kind = "protocol", path = tostring(ref),
      message = ("the id in the answer is not an id: %s"):format(element.id:sub(1, 100)),
    }, 0)
  end
  return ref:at(element.fullPath or element.name)
end

local plan

-- Appends the writes for what an element lacks to `steps`.
local function plan_element(steps, collection, item, element)
  local wanted = {}
  for key, value in next, item do
    local naming = key == "name" or key == "partition" or key == "subPath"
    -- The port of a member is a part of its name.
    naming = naming or key == "port" and element.port == nil
    if not naming then wanted[key] = value end
  end
  plan(steps, element_ref(collection, element), element, wanted)
end

-- The whole list, for the change of the object itself. Everything that stays keeps its state.
local function whole(items, found)
  local list = json.array {}
  for i, item in ipairs(items) do
    list[i] = found[i] and compare.merged(item, found[i]) or compare.for_create(item)
  end
  return list
end

-- Raises if two items name the same object, in whatever spelling.
local function check_twice(method, key, items, partition)
  local seen = {}
  for _, item in ipairs(items) do
    if compare.find(seen, item, partition) then
      core.usage_error(("%s: '%s' has '%s' twice"):format(method, key, item.fullPath or item.name))
    end
    compare.note(seen, item, partition)
  end
end

-- Appends the writes for the wanted state of a sub-collection. Returns a list if it must be sent
-- with the object.
local function plan_collection(steps, key, collection, items, object)
  local existing = collection:list()
  local index = compare.index(existing)
  local found, kept, count = {}, {}, 0
  check_twice("ensure", key, items, object.partition)
  for i, item in ipairs(items) do
    local element = index and compare.find(index, item, object.partition)
    if element then kept[element], count = true, count + 1 end
    found[i] = element
  end
  if count == 0 then
    return #items + #existing > 0 and whole(items, found) or nil
  end
  local create, modify, remove = {}, {}, {}
  for i, item in ipairs(items) do
    if found[i] then
      plan_element(modify, collection, item, found[i])
    else
      create[#create + 1] = function() return collection:create(compare.for_create(item)) end
    end
  end
  for _, element in ipairs(existing) do
    if not kept[element] then
      remove[#remove + 1] = function() return element_ref(collection, element):delete() end
    end
  end
  if ATTACHED[key] and #create + #modify + #remove > 1 then return whole(items, found) end
  -- Members of a pool are added before others are removed. Elsewhere, what goes may be in the way.
  local order = key == "members" and { create, modify, remove } or { remove, modify, create }
  for _, list in ipairs(order) do table.move(list, 1, #list, #steps + 1, steps) end
  return nil
end

--- Appends the writes for the wanted state of an object to `steps`.
function plan(steps, ref, object, properties)
  local change, parts = {}, {}
  for given, value in next, properties do
    local key = compare.camel(given)
    local reference = type(key) == "string" and key:match "^(.+)Reference$"
    if reference and type(value) == "table" and compare.is_list(value.items) then
      key, value = reference, value.items
      reference = nil
    end
    -- an object that is read by its short name does not show that it is in Common
    local known = object[key] or key == "partition" and "Common"
    local says_its_name = compare.NAMING[key] and known == value
    if not compare.IDENTITY[key] and not reference and not says_its_name then
      local segment = sub_collection(object, key)
      local items = segment and items_of(key, value)
      if segment and not items then check_list(key, value, ref) end
      local list
      if items then
        list = plan_collection(parts, key, ref:at(segment), items, object)
      else
        list = inline_list(key, value, object)
        local asks = not list and must_ask(ref, object, key, value)
        if list == false or asks then
          list = nil
          if segment or asks or differs(key, value, object) then
            list = compare.for_write(key, value)
            if value == false and OPPOSITE[key] then given, list = OPPOSITE[key], true end
            if compare.is_nothing(list) and compare.is_list(compare.value_of(object, key)) then
              list = json.array {}
            end
          end
        end
      end
      if list ~= nil then change[given] = list end
    end
  end
  if next(change) then steps[#steps + 1] = function() return ref:modify(change), ref end end
  table.move(parts, 1, #parts, #steps + 1, steps)
end

M.object = plan

--- Appends the writes that add items to a sub-collection. Its other items stay.
-- @param items array of tables with names
-- @param partition string|nil: partition of the object that has the collection
function M.add(steps, collection, items, partition)
  local index, seen = compare.index(collection:list()), {}
  for _, item in ipairs(items) do
    local element = index and compare.find(index, item, partition)
    local before = compare.find(seen, item, partition)
    if before then
      -- The same element twice, in two spellings: once is enough if both want the same.
      if not (compare.same_item(item, before) and compare.same_item(before, item)) then
        core.usage_error(("add: '%s' is given twice"):format(item.fullPath or item.name))
      end
    elseif element then
      plan_element(steps, collection, item, element)
    else
      steps[#steps + 1] = function() return collection:create(compare.for_create(item)) end
    end
    compare.note(seen, item, partition)
  end
end

--- Appends the writes that delete items of a sub-collection.
function M.remove(steps, collection, items, partition)
  local index, gone = compare.index(collection:list()), {}
  for _, item in ipairs(items) do
    local element = index and compare.find(index, item, partition)
    if element and not gone[element] then
      gone[element] = true
      steps[#steps + 1] = function() return element_ref(collection, element):delete() end
    end
  end
end

M.sub_collection = sub_collection

--- Sends the writes.
-- @return array of answers; the answer of the object's own write, if there is one
function M.run(steps, ref)
  local answers, own = json.array {}, nil
  for i, step in ipairs(steps) do
    local answer, of = step()
    answers[i] = answer
    if of == ref then own = answer end
  end
  return answers, own
end

return M
