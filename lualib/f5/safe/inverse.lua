-- What must be done now so that a device is as it was: compares the objects of f5.safe.net with the
-- device. What is already as it was needs nothing; what somebody else has changed since is left.

local clean = require "f5.state.clean"
local core = require "f5.core"
local compare = require "f5.ensure.compare"
local elements = require "f5.safe.elements"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local state_compare = require "f5.state.compare"
local net_module = require "f5.safe.net"
local target = require "f5.safe.target"
local tree = require "f5.safe.tree"
local words = require "f5.safe.words"

local M = {}

---@class f5.safe.op
---@field op "create"|"modify"|"delete"|"policy"|"declare"
---@field path string of the object
---@field kind string
---@field body? table
---@field position number the highest comes first
---@field line? string the playbook's line
---@field late? boolean after all others, one by one; that it is refused is no failure
---@field traffic? boolean new connections are interrupted
---@field note? string

local Inverse = {}
Inverse.__index = Inverse

-- -- the present state ----------------------------------------------------------------------------

local function index_tree(index, path, raw)
  index[target.key(path)] = raw
  for _, sub in ipairs(tree.subs(path, raw)) do
    for _, item in ipairs(sub.items or {}) do
      index_tree(index, tree.child_path(sub.path, item), item)
    end
  end
end

-- The highest object of the record above a key, or itself.
function Inverse:top(rec)
  local top, key = rec, rec.key
  while true do
    key = key:match "^(.*)/[^/]*$"
    if not key or #key < 9 then return top end
    local above = self.net.by_key[key]
    if above and not (above.side and above.existed) then top = above end
  end
end

local READERS <const> = 4 -- at the same time

-- Reads all objects of the record.
function Inverse:read_all()
  local tops, known, at, readers = {}, {}, 0, {}
  for _, rec in ipairs(self.net.list) do
    local top = self:top(rec)
    if not known[top.key] then tops[#tops + 1], known[top.key] = top, true end
  end
  for i = 1, math.min(READERS, #tops) do
    readers[i] = function()
      while at < #tops do
        at = at + 1
        local top = tops[at]
        local raw = tree.read(self.bip, top.path, true)
        if raw then index_tree(self.index, top.path, raw) end
      end
    end
  end
  if #readers > 0 then core.all(readers) end
end

-- The object as it is now; nil: it does not exist.
function Inverse:current(rec) return self.index[rec.key] end

-- The record of the object that contains this one.
function Inverse:above(rec)
  local key = rec.key
  while true do
    key = key:match "^(.*)/[^/]*$"
    if not key or #key < 9 then return nil end
    local found = self.net.by_key[key]
    if found and not (found.side and found.existed) then return found end
  end
end

-- -- as it was ------------------------------------------------------------------------------------

local function restored(rec, raw)
  if rec.late then return raw end
  local out
  for property, change in pairs(rec.changed) do
    local is = raw[property]
    if not net_module.same(rec.kind, property, is, change.old) then
      if not out then
        out = {}
        for key, value in next, raw do out[key] = value end
      end
      out[property] = change.old
    end
  end
  return out or raw
end

-- The elements of a sub-collection before the run, from those that it had at some time in it.
function Inverse:original_items(path, captured)
  local items, seen = json.array {}, {}
  for _, item in ipairs(captured) do
    local key = target.key(tree.child_path(path, item))
    local child = self.net.by_key[key]
    seen[key] = true
    if not child then
      items[#items + 1] = item
    elseif child.existed then
      items[#items + 1] = self:original(child, not child.late and child.base or item)
    end
  end
  for _, child in ipairs(self.net.children[target.key(path)] or {}) do
    if not seen[child.key] and child.existed and child.base and not child.late then
      items[#items + 1] = self:original(child, child.base)
    end
  end
  return items
end

-- An object as it was before the run, from what was captured when it was deleted; with what is
-- inside it. An element that the run made is left out, one that it changed is as before.
function Inverse:original(rec, raw)
  local out = {}
  for key, value in next, restored(rec, raw) do out[key] = value end
  for _, sub in ipairs(tree.subs(rec.path, raw)) do
    local replaced = rec.subs[sub.path]
    local reference = {}
    for key, value in next, raw[sub.reference] do reference[key] = value end
    reference.items = self:original_items(sub.path, replaced and replaced.before or sub.items or {})
    out[sub.reference] = reference
  end
  return out
end

-- -- results --------------------------------------------------------------------------------------

function Inverse:add(op)
  self.ops[#self.ops + 1] = op
  return op
end

function Inverse:leave(rec, reason, more)
  self.left[#self.left + 1] = {
    path = rec.path, kind = rec.kind, line = rec.line, reason = reason, details = more,
  }
end

-- The properties in which an object differs from what the run left.
local function foreign_values(rec, raw)
  local is, out = tree.properties(rec.kind, raw), {}
  if rec.kind == "ltm/policy" and rec.after then
    is.status, is.legacy = rec.after.status, rec.after.legacy
  end
  for property, value in next, type(rec.after) == "table" and rec.after or {} do
    local readable = is[property] ~= nil or not kinds.is_secret(rec.kind, property, value, raw)
    local list = rec.lists and rec.lists[property]
    if readable and not list and not net_module.can_be(rec.kind, property, value, is[property]) then
      out[#out + 1] = property
    end
  end
  if rec.whole then
    for property, value in next, is do
      if rec.after[property] == nil and not kinds.is_secret(rec.kind, property, value, raw)
        and not net_module.same(rec.kind, property, nil, value)
      then
        out[#out + 1] = property
      end
    end
  end
  table.sort(out)
  return out
end

-- The parent of a profile or monitor; nil if there is none.
function Inverse:parent_of(path, raw)
  local name = raw.defaultsFrom
  if type(name) ~= "string" or name == "none" then return nil end
  local collection = target.split(path)
  local parent = collection .. "/" .. target.segment(self.bip, collection, { name = name })
  local known = self.net.by_key[target.key(parent)]
  if known and known.base then return known.base end
  return self.index[target.key(parent)] or tree.read(self.bip, parent, false) or nil
end

-- A body to create an object again. What it has from its parent stays so.
function Inverse:creation(path, raw)
  local body = tree.creation(raw)
  local parent = body and self:parent_of(path, raw)
  for property, value in next, parent and tree.properties(kinds.of_body(raw), parent) or {} do
    if property ~= "defaultsFrom" and body[property] ~= nil
      and net_module.same(kinds.of_body(raw), property, value, raw[property])
    then
      body[property] = nil
    end
  end
  return body
end

-- The elements of an object that the run made, which it did not put there.
function Inverse:foreign_elements(rec, raw)
  local out = {}
  for _, sub in ipairs(tree.subs(rec.path, raw)) do
    local given = rec.lists and rec.lists[sub.key] or {}
    local named = {}
    table.move(given, 1, #given, 1, named)
    if rec.subs[sub.path] then
      table.move(rec.subs[sub.path].given, 1, #rec.subs[sub.path].given, #named + 1, named)
    end
    local partition = raw.partition
    for _, item in ipairs(sub.items or {}) do
      local path = tree.child_path(sub.path, item)
      local kind = kinds.of_body(item) or ""
      local index = compare.index { item } or {}
      local mine = self.net.by_key[target.key(path)] ~= nil or kinds.is_own(kind, item)
        or elements.OWN[kind]
      for _, one in ipairs(named) do
        mine = mine or compare.find(index, one, partition) ~= nil
      end
      if not mine and rec.lists then out[#out + 1] = item.fullPath or item.name end
    end
  end
  return out
end

-- -- one object -----------------------------------------------------------------------------------

local VIRTUAL <const> = "ltm/virtual"

-- An object that the run made.
function Inverse:take_away(rec, raw)
  if not raw then return end
  local above = self:above(rec)
  if above and not above.existed then return end -- goes with it
  if above and above.after == false and not self:current(above) then return end
  if rec.side then
    return self:add {
      op = "delete", path = rec.path, kind = rec.kind, position = rec.position - 0.5,
      line = rec.line, late = true,
    }
  end
  if rec.after == false and not self.force then
    return self:leave(rec, "somebody else has made it again")
  end
  if not self.force then
    local values, added = foreign_values(rec, raw), self:foreign_elements(rec, raw)
    if #values + #added > 0 then
      local parts = {}
      if #values > 0 then parts[1] = "changed " .. table.concat(values, ", ") end
      if #added > 0 then parts[#parts + 1] = "added " .. table.concat(added, ", ") end
      return self:leave(rec, rec.unknown
        and "it is not certain that this run made it: it differs from what the run sent ("
          .. table.concat(parts, "; ") .. ")"
        or "somebody else has changed it since: " .. table.concat(parts, "; "))
    end
  end
  self:add {
    op = "delete", path = rec.path, kind = rec.kind, position = rec.position, line = rec.line,
    traffic = rec.kind == VIRTUAL or nil,
  }
end

-- An object that the run deleted.
function Inverse:bring_back(rec)
  local above = self:above(rec)
  if above and above.existed and not self:current(above) then return end -- comes with it
  if above and not above.existed then return end
  if not rec.base then
    return self:leave(rec, "somebody else has deleted it since")
  end
  if rec.side and rec.after == nil then
    -- an address that went away with its virtual server
    local body = tree.creation(rec.base)
    return body and self:add {
      op = "create", path = rec.path, kind = rec.kind, body = body, line = rec.line,
      position = rec.position + 0.5,
    }
  end
  -- of a last write that may not have been carried out, nobody knows
  if rec.after ~= false and not rec.maybe and not rec.unknown and not self.force then
    return self:leave(rec, "somebody else has deleted it since")
  end
  if rec.kind:find "^sys/file/" then
    return self:leave(rec, "the content of the file cannot be read, so it cannot be made again")
  end
  if rec.kind == "ltm/policy" then
    return require("f5.safe.policy").bring_back(self, rec)
  end
  local body = self:creation(rec.path, self:original(rec, rec.base))
  if not body then return self:leave(rec, "the record does not say what kind of object it was") end
  self:add {
    op = "create", path = rec.path, kind = rec.kind, body = body, position = rec.position,
    line = rec.line, traffic = rec.kind == VIRTUAL or nil,
    note = rec.left_out and "without its secrets" or nil,
  }
end

-- The old values of the properties that the run changed, as far as they are still its values.
function Inverse:old_values(rec, raw)
  local body, foreign, fixed, seen = {}, {}, nil, {}
  local is = tree.properties(rec.kind, raw)
  for property, change in pairs(rec.changed) do
    local now, old = is[property], change.old
    if not net_module.same(rec.kind, property, now, old) then
      local mine = self.force or change.any
      for i = 1, #change.ours do
        mine = mine or net_module.can_be(rec.kind, property, change.ours[i], now)
      end
      mine = mine or change.none and now == nil
      if not mine then
        foreign[#foreign + 1] = property
        goto next
      end
      seen[property] = now
      if old == nil and net_module.OPPOSITE[property] and type(now) ~= "string" then
        local other = net_module.OPPOSITE[property]
        if not rec.changed[other] then body[other] = true end
      else
        if kinds.is_fixed(rec.kind, property) then fixed = property end
        if old == nil then
          body[property] = tree.nothing_for(now)
        else
          body[property] = compare.for_write(property, old)
        end
      end
    end
    ::next::
  end
  table.sort(foreign)
  return body, foreign, fixed, seen
end

-- Secrets that had no value before get none again. If the device does not show them, nobody knows
-- whether they had one.
function Inverse:empty_secrets(rec, raw, body, now)
  local hidden = {}
  for name, had_none in pairs(rec.unset or {}) do
    if not compare.is_nothing(raw[name]) then
      body[name], now[name] = body[name] or "none", raw[name]
      rec.unset[name] = true -- for the look after that
    elseif raw[name] == nil and not had_none then
      hidden[#hidden + 1] = name
    end
  end
  if #hidden == 0 then return end
  table.sort(hidden)
  self:leave(rec, words.unset(hidden))
  self.left[#self.left].unset = true
end

-- All lists of an object that was made again are others than before.
local function replace_lists(rec)
  for _, sub in ipairs(rec.base and tree.subs(rec.path, rec.base) or {}) do
    local given = rec.lists and rec.lists[sub.key] or {}
    rec.subs[sub.path] = rec.subs[sub.path] or {
      key = sub.key, path = sub.path, before = sub.items or {}, given = given, last = given,
    }
  end
end

-- An object that was there before, and is there now.
function Inverse:set_right(rec, raw)
  if rec.after == false then
    -- the run deleted it: it was taken back already, or somebody made it again
    local original = rec.base and self:original(rec, rec.base)
    local was = original and tree.properties(rec.kind, original) or {}
    local changes = state_compare.objects(
      rec.kind, original and clean.object(rec.kind, original) or {}, clean.object(rec.kind, raw))
    if #changes == 0 then return end
    if not self.force then
      if self.gone[rec.key] then return end -- this undo made it; the device completed it
      return self:leave(rec, ("somebody else has made it again: %s differs"):format(
        changes[1].property))
    end
    for _, change in ipairs(state_compare.objects(rec.kind, was, tree.properties(rec.kind, raw))) do
      rec.changed[change.name] = rec.changed[change.name]
        or { old = was[change.name], ours = {} }
    end
    replace_lists(rec)
  elseif rec.recreated and rec.base then
    local was = tree.properties(rec.kind, self:original(rec, rec.base))
    local names = {}
    for property in next, was do names[property] = true end
    for property in next, rec.after do names[property] = true end
    for property in pairs(rec.changed) do names[property] = true end
    for _, sub in ipairs(tree.subs(rec.path, rec.base)) do names[sub.key] = nil end
    for property in pairs(names) do
      local known, is = rec.changed[property], rec.after[property]
      if not known then
        known = { old = was[property], ours = {} }
        rec.changed[property] = known
      end
      known.ours[#known.ours + 1] = is
      known.none = known.none or is == nil
      known.any = known.any or rec.open and is == nil
    end
    replace_lists(rec)
  end
  if rec.policy then return require("f5.safe.policy").set_right(self, rec, raw) end
  local body, foreign, fixed, now = self:old_values(rec, raw)
  if #foreign > 0 then
    self:leave(rec, "somebody else has changed it since: " .. table.concat(foreign, ", "), foreign)
  end
  for _, sub in pairs(rec.subs) do
    elements.restore(self, rec, sub, raw, body)
  end
  if not rec.base then self:empty_secrets(rec, raw, body, now) end
  if not next(body) then return end
  if fixed then return self:replace(rec, raw, fixed) end
  self:add {
    op = "modify", path = rec.path, kind = rec.kind, body = body, position = rec.position,
    line = rec.line, now = now,
  }
end

-- A property that only a creation sets: the object is deleted and made again.
function Inverse:replace(rec, raw, fixed)
  local original = {}
  for key, value in next, raw do original[key] = value end
  for property, change in pairs(rec.changed) do original[property] = change.old end
  local note = ("%s can only be set by a creation"):format(fixed)
  self:add {
    op = "delete", path = rec.path, kind = rec.kind, position = rec.position, line = rec.line,
    traffic = true, note = note, apart = true,
  }
  self:add {
    op = "create", path = rec.path, kind = rec.kind, position = rec.position - 0.05,
    body = tree.creation(original), line = rec.line, traffic = true, note = note, apart = true,
  }
end

-- Puts what creates an object before what names it.
local function in_order(ops)
  local created, texts = {}, {}
  for _, op in ipairs(ops) do
    if op.op == "create" or op.op == "policy" then
      created[#created + 1] = { op, target.key(op.path):match "[^/]*$":gsub("~", "/") }
    end
    texts[op] = op.body and json.encode(op.body) or ""
  end
  if #created == 0 then return ops end
  local out, done = {}, {}
  local function put(op)
    if done[op] then return end
    done[op] = true
    for _, one in ipairs(created) do
      local found = one[1] ~= op and not done[one[1]]
        and texts[op]:gsub("\\/", "/"):find('[" ]' .. one[2]:gsub("%p", "%%%0") .. '[" :]')
      if found then put(one[1]) end
    end
    out[#out + 1] = op
  end
  for _, op in ipairs(ops) do put(op) end
  return out
end

--- Returns what must be done now.
-- @param bip session
-- @param net of f5.safe.net
-- @param options table: force (boolean), gone (set of keys that an earlier pass did not find)
-- @return f5.safe.op[] in the order in which they are done; array of what is left alone: { path,
--   kind, line, reason }
function M.of(bip, net, options)
  local self = setmetatable({
    bip = bip, net = net, force = options.force, gone = options.gone or {}, index = {},
    ops = {}, left = {},
  }, Inverse)
  self:read_all()
  for _, rec in ipairs(net.list) do
    local raw = self:current(rec)
    if not raw then self.gone[rec.key] = true end
    if rec.listed then
      goto next -- with its list
    elseif not rec.existed then
      self:take_away(rec, raw)
    elseif not raw then
      self:bring_back(rec)
    elseif not rec.side or rec.after ~= nil then
      self:set_right(rec, raw)
    end
    ::next::
  end
  if net.declared then require("f5.safe.declaration").inverse(self, net) end
  for i, op in ipairs(self.ops) do op.number = i end
  table.sort(self.ops, function(a, b)
    if (a.late or false) ~= (b.late or false) then return not a.late end
    if a.position ~= b.position then return a.position > b.position end
    return a.number < b.number
  end)
  return in_order(self.ops), self.left
end

return M
