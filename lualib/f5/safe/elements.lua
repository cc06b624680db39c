-- What must be done now so that the elements of a list that the run replaced are as they were. It
-- is a part of f5.safe.inverse.

local clean = require "f5.state.clean"
local compare = require "f5.ensure.compare"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local net_module = require "f5.safe.net"
local state_compare = require "f5.state.compare"
local target = require "f5.safe.target"
local tree = require "f5.safe.tree"

local M = {}

-- What a device puts inside an object by itself.
M.OWN = { ["ltm/virtual/profiles"] = true, ["gtm/listener/profiles"] = true }

-- What must be changed of an element that is there, so that it is as before. What the run did not
-- give to it, the device has reset. Returns a body, what somebody else has changed, and what the
-- element has now of the properties of the body.
local function element_body(self, inner, old, existing, given, child)
  local body, foreign, now = {}, {}, {}
  local was, is = tree.properties(inner, old), tree.properties(inner, existing)
  local function is_mine(property)
    local mine = self.force or not given or given[property] == nil
      or net_module.same(inner, property, given[property], is[property])
    for _, value in ipairs(child and child.changed[property] and child.changed[property].ours or {})
    do
      mine = mine or net_module.same(inner, property, value, is[property])
    end
    return mine
  end
  local function set_back(property, value)
    if is_mine(property) then
      body[property], now[property] = value, is[property]
    else
      foreign[#foreign + 1] = property
    end
  end
  for property, value in next, was do
    if not net_module.same(inner, property, is[property], value) then
      set_back(property, compare.for_write(property, value))
    end
  end
  for property, value in next, is do
    if was[property] == nil and not net_module.OPPOSITE[property]
      and not net_module.same(inner, property, value, nil)
    then
      set_back(property, tree.nothing_for(value))
    end
  end
  table.sort(foreign)
  return body, foreign, now
end

local function items_of(rec, sub, raw)
  for _, one in ipairs(tree.subs(rec.path, raw)) do
    if one.path == sub.path then return one.items or {} end
  end
  return {}
end

-- The element of a list that means the same one.
local function same_element(list, item, partition)
  local index = compare.index { item } or {}
  for _, one in ipairs(list) do
    if compare.find(index, one, partition) then return one end
  end
  return nil
end

-- An element that was there before the run replaced the list.
local function old_element(self, rec, sub, item, index_now, partition)
  local inner, path = rec.kind .. "/" .. sub.key, tree.child_path(sub.path, item)
  local child = self.net.by_key[target.key(path)]
  if kinds.is_own(inner, item) or child and not child.listed then return end
  local existing = compare.find(index_now, item, partition)
  local given = same_element(sub.last, item, partition)
  if existing then
    local body, foreign, now = element_body(self, inner, item, existing, given, child)
    if #foreign > 0 then
      self:leave({ path = path, kind = inner, line = rec.line },
        "somebody else has changed it since: " .. table.concat(foreign, ", "))
    end
    return next(body) and self:add {
      op = "modify", path = path, kind = inner, body = body, line = rec.line,
      position = rec.position - 0.1, now = now,
    }
  end
  if given and not self.force and not (child and child.after == false) then
    return self:leave({ path = path, kind = inner, line = rec.line },
      "somebody else has deleted it since")
  end
  self:add {
    op = "create", path = path, kind = inner, line = rec.line, position = rec.position,
    body = tree.creation(item),
  }
end

--- Restores the elements one by one.
local function old_elements(self, rec, sub, raw)
  local now, before = items_of(rec, sub, raw), self:original_items(sub.path, sub.before)
  local index_now, index_before = compare.index(now) or {}, compare.index(before) or {}
  local partition, inner = raw.partition, rec.kind .. "/" .. sub.key
  for _, item in ipairs(before) do old_element(self, rec, sub, item, index_now, partition) end
  for _, item in ipairs(now) do
    local path = tree.child_path(sub.path, item)
    local child = self.net.by_key[target.key(path)]
    local skip = compare.find(index_before, item, partition) or kinds.is_own(inner, item)
      or child and not child.listed
    if skip then
      goto next
    elseif self.force or child or M.OWN[inner] or same_element(sub.given, item, partition) then
      self:add {
        op = "delete", path = path, kind = inner, line = rec.line, position = rec.position - 0.2,
      }
    else
      self:leave({ path = path, kind = inner, line = rec.line },
        "somebody else has added it since")
    end
    ::next::
  end
end

-- Sub-collections that only attach other objects are checked by a device as a whole.
local ATTACHED <const> = { profiles = true, policies = true }

-- Whether a list is restored with one write.
local function is_whole(sub)
  if ATTACHED[sub.key] then return true end
  for _, item in ipairs(sub.before) do
    if #tree.subs(tree.child_path(sub.path, item), item) > 0 then return true end
  end
  return false
end

local function differs(kind, a, b)
  return #state_compare.objects(kind, clean.object(kind, a), clean.object(kind, b)) > 0
end

-- Whether an element is neither as before nor as the run gave it.
local function is_foreign(inner, item, before, given)
  if before and not differs(inner, before, item) then return false end
  if not given then return not before end
  for property, value in next, given do
    local is = item[property]
    if type(value) ~= "table" and is ~= nil and not net_module.same(inner, property, value, is) then
      return true
    end
  end
  return false
end

local function whole_list(self, rec, sub, raw, body)
  local now, before = items_of(rec, sub, raw), self:original_items(sub.path, sub.before)
  local inner, partition, changed = rec.kind .. "/" .. sub.key, raw.partition, #now ~= #before
  for _, item in ipairs(before) do
    local is = same_element(now, item, partition)
    changed = changed or not is or differs(inner, item, is)
  end
  if not changed then return end
  for _, item in ipairs(now) do
    local mine = self.force or M.OWN[inner] or not is_foreign(inner, item,
      same_element(before, item, partition), same_element(sub.given, item, partition))
    if not mine then
      return self:leave(rec, ("somebody else has changed %s of it since"):format(sub.key))
    end
  end
  local list = json.array {}
  for i, item in ipairs(before) do list[i] = tree.creation(item) end
  body[sub.key] = list
end

--- Adds what must be done about the elements of a list.
-- @param self f5.safe.inverse: what is found is added to it
-- @param rec f5.safe.net: the object
-- @param sub f5.safe.sub: the list
-- @param raw table: the object as it is now
-- @param body table: of the change of the object; a list that is restored as a whole goes there
function M.restore(self, rec, sub, raw, body)
  if is_whole(sub) then return whole_list(self, rec, sub, raw, body) end
  old_elements(self, rec, sub, raw)
end

return M
