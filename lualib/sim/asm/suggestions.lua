-- Learning suggestions: how an accepted suggestion changes its policy.
--
-- A suggestion refers to an existing entity (entityReference) or describes a new one (entity,
-- entityKind). entityChanges are its changes; action is add-or-update, update-append, update-remove
-- or delete.
local json = require "f5.json"
local entity = require "sim.asm.entity"
local policies = require "sim.asm.policy"
local tables = require "sim.tables"
local tree = require "sim.asm.tree"

local M = {}

-- "tm:asm:policies:urls:urlstate" -> the collection "urls" of the policy.
local function collection_of(policy, kind)
  local path = type(kind) == "string" and kind:match("^tm:asm:policies:([%w-]+):")
  local child = path and policy:child(path)
  if not child or child.spec.type ~= "collection" then
    entity.refuse(("Suggestions cannot be made for '%s'."):format(tostring(kind)))
  end
  return child
end

local function append(object, changes)
  for name, value in pairs(changes) do
    if type(value) == "table" and type(object[name]) == "table" and json.is_array(object[name]) then
      for _, element in ipairs(json.is_array(value) and value or { value }) do
        table.insert(object[name], element)
      end
    else
      object[name] = value
    end
  end
end

-- Removes the elements that have all values of the change.
local function has_all(element, wanted)
  if type(wanted) ~= "table" then return element == wanted end
  if type(element) ~= "table" then return false end
  for name, value in pairs(wanted) do
    if not tables.same(element[name], value) then return false end
  end
  return true
end

local function remove(object, changes)
  for name, value in pairs(changes) do
    local list = object[name]
    if type(list) == "table" and json.is_array(list) then
      for _, wanted in ipairs(json.is_array(value) and value or { value }) do
        for position = #list, 1, -1 do
          if has_all(list[position], wanted) then table.remove(list, position) end
        end
      end
    else
      object[name] = nil
    end
  end
end

--- Accepts a suggestion (its context). `stage`: puts the entity into staging, if it supports that.
function M.accept(context, stage, user)
  local data, policy = context.record.data, context.policy
  local changes = tables.copy(data.entityChanges or {})
  local action = data.action or "add-or-update"
  local target = tree.follow(policy.device, data.entityReference)
  if not target and data.entity then
    local collection = collection_of(policy, data.entityKind)
    local key =
      entity.natural_key(collection.spec, entity.create(collection.spec, tables.copy(data.entity)))
    target = collection:item(entity.hash(key))
    if not target and action ~= "delete" then
      target = collection:insert(entity.create(collection.spec, tables.copy(data.entity)))
    end
  end
  if not target then
    if action == "delete" then return end
    entity.refuse("The entity of the suggestion does not exist.")
  end
  if action == "delete" then
    target:remove()
    return policies.touch(target, "delete", nil, user)
  end
  local object = target.record.data
  if action == "update-append" then
    append(object, changes)
  elseif action == "update-remove" then
    remove(object, changes)
  else
    entity.merge(target.spec, object, changes)
  end
  if stage and entity.known(target.spec, "performStaging") ~= nil then
    object.performStaging = true
  end
  policies.touch(target, "update", changes, user)
end

--- Adds suggestions to a policy, as traffic does on a real device.
function M.plant(policy, list)
  local collection = policy:child("suggestions")
  for _, one in ipairs(list) do
    local object = tables.copy(collection.spec.defaults)
    local asm = policy.device.state.asm
    asm.suggestions_made = (asm.suggestions_made or 0) + 1
    local now = entity.iso(policy.device:now())
    object.serial, object.creationDatetime, object.lastOccurrenceDatetime =
      asm.suggestions_made, now, now
    for name, value in pairs(one) do
      object[name] = value
    end
    collection:insert(object)
  end
end

return M
