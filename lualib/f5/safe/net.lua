-- What a run changed on one device, object by object: how each was before the first write, what the
-- run made of it, and where in the run that happened. Taking back is done with this, not step by
-- step: an object that was changed three times gets its old values once, and what is already as it
-- was needs nothing. So an undo that was interrupted can simply run again.

local compare = require "f5.ensure.compare"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local state = require "f5.state.compare"
local target = require "f5.safe.target"
local tree = require "f5.safe.tree"

local null <const> = json.null

local M = {}

---@class f5.safe.net
---@field key string decoded path
---@field path string encoded path
---@field kind string
---@field existed boolean whether it existed before
---@field base? table the object as it was, with everything inside it, if it was deleted
---@field changed table<string, f5.safe.delta> properties that the run changed
---@field after? table|false what the run left: properties; false: it deleted the object
---@field whole? boolean `after` has all properties
---@field open? boolean the device has chosen properties that are not in `after`; nobody knows how
---@field given? table<string, table[]> elements that the run gave, by sub-collection
---@field subs table<string, f5.safe.sub> lists that the run replaced
---@field position integer the step that decides when it is taken back
---@field side? boolean the device made or removed it by itself
---@field maybe? boolean nobody knows whether the device has made it again by itself
---@field unset? table<string, boolean> secrets that the run has set, and that had no value that the
---  device shows; true: the device has shown them since, so they had none
---@field unknown? boolean nobody knows whether the write was carried out

---@class f5.safe.delta
---@field old any how it was
---@field ours any[] what the run set
---@field none? boolean the run took it away
---@field any? boolean the device has chosen it in a write with an unknown outcome

-- Flags of which a device shows one.
local OPPOSITE <const> = {
  enabled = "disabled", disabled = "enabled", vlansEnabled = "vlansDisabled",
  vlansDisabled = "vlansEnabled",
}

M.OPPOSITE = OPPOSITE

--- Whether two values of a property mean the same.
function M.same(kind, property, a, b)
  if a == b then return true end
  if compare.same(a, b, property) then return true end
  return #state.objects(kind, { [property] = a }, { [property] = b }) == 0
end

--- Whether a value that a device shows can be the one that the run sent. A secret that was sent in
--- clear cannot be compared with its encrypted form.
function M.can_be(kind, property, sent, shown)
  if M.same(kind, property, sent, shown) then return true end
  return type(sent) == "string" and type(shown) == "string"
    and kinds.is_encrypted(shown) and not kinds.is_encrypted(sent)
end

local Net = {}
Net.__index = Net

function Net:get(path, kind, existed, step)
  local key = target.key(path)
  local rec = self.by_key[key]
  if rec then return rec, false end
  rec = {
    key = key, path = path, kind = kind or target.kind_of_path(path), existed = existed,
    changed = {}, subs = {}, position = step.step, line = step.line, first = step,
  }
  local list = self.lists[key:match "^(.*)/[^/]*$"]
  rec.listed = self:in_a_list(key)
  rec.late = rec.listed -- how it was before is known from the list only
  if list then rec.existed = list[key] or false end
  self.by_key[key] = rec
  self.list[#self.list + 1] = rec
  local above = key:match "^(.*)/[^/]*$" or ""
  local children = self.children[above] or {}
  self.children[above] = children
  children[#children + 1] = rec
  return rec, true
end

-- Whether the run has replaced a list above a key.
function Net:in_a_list(key)
  while true do
    key = key:match "^(.*)/[^/]*$"
    if not key then return false end
    if self.lists[key] then return true end
  end
end

-- One more change of a property.
local function delta(rec, property, old, new, queued)
  local known = rec.changed[property]
  if not known then
    -- an object that the run deleted and made again was before as it was then
    if rec.recreated and rec.base then old = rec.base[property] end
    rec.changed[property] = { old = old, ours = { new }, none = new == nil }
    return
  end
  local mine = queued or M.same(rec.kind, property, known.old, old)
    or known.none and old == nil
    or rec.recreated and rec.after and M.same(rec.kind, property, rec.after[property], old)
  for _, value in ipairs(known.ours) do mine = mine or M.same(rec.kind, property, value, old) end
  if not mine then known.old = old end -- somebody else's value, which the run overwrote
  known.ours[#known.ours + 1] = new
  if new == nil then known.none = true end
end

local function as_items(list)
  local items = {}
  for i, item in ipairs(list) do items[i] = compare.as_item(item) end
  return items
end

-- The lists of elements in a body, by sub-collection: { ["…/members"] = items }.
local function given_lists(body, subs)
  local out = {}
  for key, value in next, body do
    local name = compare.camel(key)
    local inner = type(name) == "string" and name:match "^(.+)Reference$"
    if inner and type(value) == "table" and type(value.items) == "table" then
      name, value = inner, value.items
    end
    for _, sub in ipairs(subs) do
      if sub.key == name then
        local items = {}
        if type(value) == "table" and value ~= null then
          items = as_items(value)
        elseif type(value) == "string" and value ~= "none" then
          items[1] = compare.as_item(value)
        end
        out[sub.path] = items
      end
    end
  end
  return out
end

-- Elements that an object's own lists and flags do not explain stay where they are.
local function own_values(kind, body, lists_of)
  local out = {}
  for key, value in next, body do
    local name = compare.camel(key)
    if type(name) == "string" and not name:find "Reference$" and not lists_of[name]
      and not tree.is_content(kind, name)
      and not (name == "name" or name == "partition" or name == "subPath" or name == "fullPath"
        or name == "kind" or name == "selfLink" or name == "generation"
        or name == "createDraft") -- a command, no value
    then
      out[name] = value
    end
  end
  return out
end

local function sub_keys(subs)
  local out = {}
  for _, sub in ipairs(subs) do out[sub.key] = true end
  return out
end

-- -- steps ----------------------------------------------------------------------------------------

function Net:created(step, before)
  local path, answer = step.object, step.answer
  if before then
    -- it was there: the device refused, or took it as a change
    if step.state ~= "done" then return end
    return self:changed(step, before)
  end
  if answer and type(answer.selfLink) == "string" then
    local link = target.path_of(answer.selfLink)
    local full = answer.fullPath
    local differs = target.key(link) ~= target.key(path)
    if differs and type(full) == "string" and full:sub(1, 1) == "/" then
      path = target.split(path) .. "/" .. select(2, target.split(tree.child_path("", answer)))
    elseif differs and link:find("~", 1, true) == nil then
      path = link
    end
  end
  local kind = answer and kinds.of_body(answer) or step.kind
  local rec = self:get(path, kind, false, step)
  rec.kind = kind or rec.kind
  rec.position, rec.line = step.step, step.line
  rec.recreated = rec.existed
  if rec.recreated then self:listed(path) end
  rec.side = nil
  rec.after = answer and tree.properties(rec.kind, answer) or step.body or {}
  rec.whole, rec.open = answer ~= nil, not answer or nil
  rec.unknown = step.state ~= "done"
  local lists = {}
  for key, value in next, step.body or {} do
    if type(value) == "table" and compare.is_list(value) then
      lists[compare.camel(key)] = as_items(value)
    end
  end
  if not answer then
    local out = {}
    for key, value in next, rec.after do
      local skip = key == "name" or key == "partition" or key == "subPath"
        or tree.is_content(rec.kind or "", key)
      if not skip then out[key] = value end
    end
    rec.after = out
  end
  rec.lists = lists
  for _, sub in pairs(rec.subs) do
    sub.last = lists[sub.key] or {}
    table.move(sub.last, 1, #sub.last, #sub.given + 1, sub.given)
  end
end

function Net:removed(step, before, path)
  if not before then return end
  local rec = self:get(path, kinds.of_body(before) or step.kind, true, step)
  rec.base = rec.base or before
  rec.after, rec.whole, rec.left_out, rec.maybe = false, true, step.left_out, nil
  rec.position, rec.line = step.step, step.line
  rec.unknown = step.state ~= "done"
  self:removed_inside(step, path, before, rec.existed and not rec.recreated)
end

-- What is inside of an object that the run made itself did not exist before.
function Net:removed_inside(step, path, before, existed)
  for _, sub in ipairs(tree.subs(path, before)) do
    for _, item in ipairs(sub.items or {}) do
      if not kinds.is_own(kinds.of_body(item) or "", item) then
        local child = tree.child_path(sub.path, item)
        local rec = self:get(child, kinds.of_body(item), existed, step)
        rec.base, rec.after = rec.base or item, false
        self:removed_inside(step, child, item, existed)
      end
    end
  end
end

-- The elements of a list before it is replaced for the first time.
local function base_items(rec, sub)
  if not (rec.recreated and rec.base) then return sub.items or {} end
  for _, one in ipairs(tree.subs(rec.path, rec.base)) do
    if one.path == sub.path then return one.items or {} end
  end
  return {}
end

-- What the device chose in a write with an unknown outcome is seen before the next write.
local function settle(rec, was)
  for name, change in pairs(rec.changed) do
    if change.any then
      change.ours[#change.ours + 1], change.any = was[name], nil
      change.none = change.none or was[name] == nil
    end
  end
  if rec.open and rec.after then
    for name, value in next, was do
      if rec.after[name] == nil then rec.after[name] = value end
    end
    rec.open = nil
  end
end

function Net:changed(step, before)
  local queued = step.transaction ~= nil
  local kind = kinds.of_body(before) or step.kind
  local rec = self:get(step.object, kind, true, step)
  if rec.existed and not rec.recreated then rec.position, rec.line = step.step, step.line end
  local subs = tree.subs(step.object, before)
  local body, answer = step.body or {}, step.answer
  local own = own_values(kind, body, sub_keys(subs))
  local was = tree.properties(kind, before)
  settle(rec, was)
  for _, name in ipairs(step.unset or {}) do
    rec.unset = rec.unset or {}
    rec.unset[name] = rec.unset[name] or false
  end
  for _, name in ipairs(step.shown or {}) do rec.unset[name] = true end
  local is = answer and tree.properties(kind, answer)
  for name, value in next, own do
    local new = value
    if is then new = is[name] end
    if new == nil and value ~= null then new = is and nil or value end
    if not M.same(kind, name, was[name], new) then delta(rec, name, was[name], new, queued) end
    local other = not is and OPPOSITE[name]
    if other and was[other] ~= nil then delta(rec, other, was[other], nil, queued) end
  end
  if is then
    for name, value in next, was do
      if own[name] == nil and not M.same(kind, name, value, is[name]) then
        delta(rec, name, value, is[name], queued)
      end
    end
    for name, value in next, is do
      if own[name] == nil and was[name] == nil and not M.same(kind, name, nil, value) then
        delta(rec, name, nil, value, queued)
      end
    end
  end
  if step.method == "PUT" and not is then
    -- all other properties have values that the device chooses
    for name, value in next, was do
      if own[name] == nil then
        delta(rec, name, value, value, queued)
        rec.changed[name].any = true
      end
    end
    if rec.after then rec.after, rec.whole, rec.open = own, false, true end
  elseif rec.after then
    if is then
      rec.after, rec.whole, rec.open = is, true, nil
    else
      for name, value in next, own do
        rec.after[name] = value
        if OPPOSITE[name] then rec.after[OPPOSITE[name]] = nil end
      end
    end
  end
  local given = given_lists(body, subs)
  if step.method == "PUT" then
    for _, sub in ipairs(subs) do given[sub.path] = given[sub.path] or {} end
  end
  for _, sub in ipairs(subs) do
    local items = given[sub.path]
    if items then
      local known = rec.subs[sub.path]
      if not known then
        local made = rec.lists and rec.lists[sub.key] or {} -- with the object
        known = {
          key = sub.key, path = sub.path, before = base_items(rec, sub),
          given = table.move(made, 1, #made, 1, {}),
        }
        rec.subs[sub.path] = known
      end
      table.move(items, 1, #items, #known.given + 1, known.given)
      known.last = items
      self:listed(sub.path)
      if not self.lists[target.key(sub.path)] then
        local keys = {}
        for _, item in ipairs(known.before) do
          keys[target.key(tree.child_path(sub.path, item))] = true
        end
        self.lists[target.key(sub.path)] = keys
      end
    end
  end
end

-- A list of elements was replaced: what is known about single elements says no longer how they are.
function Net:listed(path)
  local prefix = target.key(path) .. "/"
  for _, rec in ipairs(self.list) do
    if rec.key:sub(1, #prefix) == prefix then rec.listed = true end
  end
end

-- A change of an object that the same transaction makes.
function Net:changed_unread(step)
  local rec = self.by_key[target.key(step.object)]
  if not rec or not rec.after then return end
  rec.whole = false
  for key, value in next, step.body or {} do
    local name = compare.camel(key)
    rec.after[name] = value
    if OPPOSITE[name] then rec.after[OPPOSITE[name]] = nil end
    if type(value) == "table" and compare.is_list(value) then rec.lists[name] = as_items(value) end
  end
end

local STEPS <const> = {
  create = Net.created,
  change = function(self, step, before)
    if before then return self:changed(step, before) end
    return self:changed_unread(step)
  end,
  delete = function(self, step, before) return self:removed(step, before, step.object) end,
  publish = function(self, step, before) require("f5.safe.policy").net(self, step, before) end,
  declare = function(self, step, before)
    require("f5.safe.declaration").net(self, step, before)
  end,
}

-- An object that the run deleted, and that the device may have made again by itself.
function Net:made_by_device(rec, step)
  rec.after, rec.whole, rec.open, rec.maybe = {}, false, true, true
  rec.recreated = rec.existed
  if rec.recreated then self:listed(rec.path) end
  rec.position, rec.line, rec.unknown = step.step, step.line, step.state ~= "done"
end

-- What the device makes or removes by itself with a step.
function Net:side(step)
  for path, before in pairs(step.side or {}) do
    local existed = before ~= null
    local rec, new = self:get(path, existed and kinds.of_body(before) or nil, existed, step)
    if new then
      rec.side, rec.base = true, existed and before or nil
    elseif not existed and rec.after == false then
      self:made_by_device(rec, step)
    end
  end
end

local function is_effective(step, commits)
  if step.state == "failed" then return false end
  if step.transaction then
    local commit = commits[step.transaction]
    if not commit or commit.state == "failed" then return false end
    return true, commit.state == "done" and "done" or "unknown"
  end
  return true, step.state == "done" and "done" or "unknown"
end

--- What a record says about one device.
-- @param contents f5.safe.contents
-- @param device integer
-- @return f5.safe.net[], by key: the objects, in the order of their first write
-- @return array of { step, reason }: what cannot be taken back
function M.of(contents, device)
  local net = setmetatable({ list = {}, by_key = {}, lists = {}, children = {} }, Net)
  local commits, lost = {}, {}
  for _, step in ipairs(contents.steps) do
    if step.commits and step.device == device then commits[tostring(step.commits)] = step end
  end
  for _, step in ipairs(contents.steps) do
    local effective, certainty = is_effective(step, commits)
    if step.device == device and effective then
      if step.reason then lost[#lost + 1] = { step = step, reason = step.reason } end
      local apply = STEPS[step.what]
      if apply and step.before ~= nil then
        local one = setmetatable({ state = certainty }, { __index = step })
        net:side(one)
        apply(net, one, step.before ~= null and step.before or nil)
      end
    end
  end
  return net, lost
end

return M
