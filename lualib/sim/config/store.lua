-- The store of all objects: one flat table from path to object, in `device.state.objects`.
--
--   "/mgmt/tm/ltm/pool/~Common~web" -> { name = "web", fullPath = "/Common/web", … }
--   "/mgmt/tm/sys/ntp"              -> { generation = 1, timezone = "America/Los_Angeles", … }
--
-- An object in the table is never changed, only replaced. So the undo log is a list of paths with
-- the objects before, and a transaction costs only what it touches. Derived tables (the names of
-- each collection and their order, references) are not part of the state. They are built after a
-- load.
--
local garbage = require "sim.garbage"
local names = require "sim.config.names"
local objects = require "sim.config.objects"
local references = require "sim.config.references"
local turns = require "sim.turns"
local views = require "sim.views"

local NONE <const> = {}
local FOLDERS <const> = "/mgmt/tm/sys/folder/"

local Store = {}
Store.__index = Store

function Store.new(device, template)
  device.state.objects = device.state.objects or { generation = 0, items = {} }
  local self = setmetatable({ device = device, log = nil, watchers = {}, watching = {} }, Store)
  self.owner = views.new_owner()
  if template then self:copy(template) else self:rebuild() end
  return self
end

local function shallow(source)
  local copy = {}
  for key, value in pairs(source) do copy[key] = value end
  return copy
end

-- Starts with the objects of another store, which never changes. Objects are shared, and entries of
-- collections until they change here. So a thousand devices of a fleet fit in memory.
function Store:copy(template)
  self.state = self.device.state.objects
  self.state.generation, self.state.items = template.state.generation, shallow(template.items)
  self.items = self.state.items
  self.collections, self.refers, self.referrers =
    shallow(template.collections), shallow(template.refers), shallow(template.referrers)
  self.shared_referrers = template.referrers
end

-- The entry of a collection, copied if it is still shared.
local function own_entry(self, collection)
  local entry = self.collections[collection]
  if not entry or entry.owner == self.owner then return entry end
  local own = {
    owner = self.owner, set = shallow(entry.set), count = entry.count, new = shallow(entry.new),
    order = entry.order and table.move(entry.order, 1, #entry.order, 1, {}),
    gone = entry.gone and shallow(entry.gone),
  }
  self.collections[collection] = own
  return own
end

-- Builds the derived tables. To be called when device.state.objects was replaced.
function Store:rebuild()
  self.state = self.device.state.objects
  self.items, self.owner, self.contents = self.state.items, views.new_owner(), nil
  -- collection path -> { set = { segment = true }, count = n, order = sorted segments or nil,
  -- new = segments that are not in `order` yet, gone = set of those that are still in it, or nil }
  self.collections = {}
  self.referrers = {}    -- path of an object -> set of the paths that refer to it
  self.shared_referrers = NONE  -- those of the template; see Store:copy
  self.refers = {}       -- path of an object -> the paths it refers to
  for path, object in pairs(self.items) do
    self:index(path)
    self:refer(path, object)
  end
  self:reset_watchers()
end

-- "/mgmt/tm/ltm/pool/" -> "/mgmt/tm/ltm/pool"; nil for what is shorter
local function family_of(path)
  return path:match "^/mgmt/tm/[^/]+/[^/]+"
end

-- Registers `watcher(path, object or nil, old or nil)`, called for every object below a prefix that
-- is put or removed, also by an undo; and `reset(told)`, called when all objects were replaced.
function Store:watch(prefix, watcher, reset)
  local entry = { prefix = prefix, run = watcher, reset = reset }
  self.watchers[#self.watchers + 1] = entry
  local family = family_of(prefix) or ""
  self.watching[family] = self.watching[family] or {}
  table.insert(self.watching[family], entry)
end

local function split(path)
  return path:match "^(.*)/([^/]+)$"
end

function Store:index(path)
  local collection, segment = split(path)
  local entry = own_entry(self, collection)
  if not entry then
    entry = { set = {}, count = 0, order = {}, new = {}, owner = self.owner }
    self.collections[collection] = entry
  end
  if entry.set[segment] then return end
  entry.set[segment] = true
  entry.count = entry.count + 1
  if not entry.order then return end
  if entry.gone and entry.gone[segment] then
    entry.gone[segment] = nil
    return
  end
  local last = entry.order[#entry.order]
  if #entry.new == 0 and (not last or names.before(last, segment)) then
    entry.order[#entry.order + 1] = segment
  else
    entry.new[#entry.new + 1] = segment
  end
end

-- The first position in a sorted list that is not before `segment`.
local function place(order, segment)
  local low, high = 1, #order + 1
  while low < high do
    local middle = (low + high) // 2
    if names.before(order[middle], segment) then low = middle + 1 else high = middle end
  end
  return low
end

function Store:unindex(path)
  local collection, segment = split(path)
  local entry = own_entry(self, collection)
  if not entry or not entry.set[segment] then return end
  entry.set[segment] = nil
  entry.count = entry.count - 1
  if entry.count == 0 then
    self.collections[collection] = nil
  elseif entry.order and #entry.new == 0 then
    entry.gone = entry.gone or {}
    entry.gone[segment] = true
  else
    entry.order, entry.gone = nil, nil
  end
end

-- Sorts new objects in when the order is next read, a few one by one, many by a new sort, and takes
-- out those that are gone.
local MAX_INSERTS <const> = 32

local function settle_order(entry)
  if entry.gone then
    local kept = {}
    for _, segment in ipairs(entry.order) do
      if not entry.gone[segment] then kept[#kept + 1] = segment end
    end
    entry.order, entry.gone = kept, nil
  end
  if not entry.order or #entry.new > MAX_INSERTS then
    entry.order = names.sort(entry.set)
  else
    for _, segment in ipairs(entry.new) do
      table.insert(entry.order, place(entry.order, segment), segment)
    end
  end
  entry.new = {}
end

-- The set of the paths that refer to a path, copied if it is still shared; nil if there is none.
local function own_referrers(self, target)
  local known = self.referrers[target]
  if known and known == self.shared_referrers[target] then
    known = shallow(known)
    self.referrers[target] = known
  end
  return known
end

-- Updates the references of the object at `path`; nil: the object is gone.
function Store:refer(path, object)
  for _, target in ipairs(self.refers[path] or NONE) do
    local known = own_referrers(self, target)
    if known then
      known[path] = nil
      if not next(known) then self.referrers[target] = nil end
    end
  end
  local targets = object and references.targets(self, path, object, self.learning)
  self.refers[path] = targets
  for _, target in ipairs(targets or NONE) do
    local known = own_referrers(self, target)
    if not known then
      known = {}
      self.referrers[target] = known
    end
    known[path] = true
  end
end

local function notify(watchers, path, object, old)
  for _, watcher in ipairs(watchers) do
    -- find makes no new text
    if path:find(watcher.prefix, 1, true) == 1 then watcher.run(path, object, old) end
  end
end

local function place_object(self, path, object)
  if self.reading then turns.put_while_reading(self.reading) end
  if self.owner.holders > 0 then views.leave(self) end
  local old = self.items[path]
  self.items[path] = object
  if not object then
    self:unindex(path)
  elseif not old then
    self:index(path)
  end
  return old
end

--- Puts an object at a path without telling the watchers.
function Store:place(path, object)
  place_object(self, path, object)
  self:refer(path, object)
end

-- Notes in which folders an object is: `contents` is { [folder] = { [path] = true } }. Only
-- deletions of folders need it, so it is made when the first comes. `object`: nil if it is gone.
local function note_content(self, path, object, old)
  local where = (object or old or NONE).fullPath
  if type(where) ~= "string" or path:sub(1, #FOLDERS) == FOLDERS then return end
  local folder = where:match "^(/.*)/"
  while folder do
    local inside = self.contents[folder] or {}
    inside[path] = object and true or nil
    self.contents[folder] = next(inside) and inside or nil
    folder = folder:match "^(/.*)/"
  end
end

-- What is derived from an object.
local function derive(self, path, object, old)
  if not self.is_building then self:refer(path, object) end
  if self.contents then
    if old then note_content(self, path, nil, old) end
    if object then note_content(self, path, object) end
  end
  local family = family_of(path)
  if family and self.watching[family] then notify(self.watching[family], path, object, old) end
  notify(self.watching[""] or NONE, path, object, old)
end

local function set(self, path, object)
  derive(self, path, object, place_object(self, path, object))
end

-- Makes the objects those of a table, path -> object, by putting and removing what differs: for a
-- few changes that is faster than `rebuild`. References are found when all objects are there.
function Store:become(items, generation)
  local changed = {}
  for path, object in pairs(self.items) do
    if items[path] ~= object then changed[path] = object end
  end
  for path in pairs(items) do
    if self.items[path] == nil then changed[path] = false end
  end
  for path in pairs(changed) do place_object(self, path, items[path]) end
  for path, old in pairs(changed) do derive(self, path, items[path], old or nil) end
  self.state.generation = generation
end

-- Tells the watchers that all objects, and the rest of the state, may be others. `told`: they were
-- told of each object.
function Store:reset_watchers(told)
  for _, watcher in ipairs(self.watchers) do
    if watcher.reset then watcher.reset(told) end
  end
end

-- A write of so many objects leaves much garbage at once.
local MANY <const> = 1000

-- Puts an object at a path; nil removes it. The table must not be changed afterwards. A watcher may
-- end the request (see sim/twin/miss.lua), so the undo log comes first.
function Store:put(path, object)
  turns.pause()
  local log = self.log
  if log then
    log[#log + 1] = { path, self.items[path] or false }
    if #log == MANY then
      log.is_rare = true
      garbage.rare()
    end
  end
  set(self, path, object)
end

-- The paths of all objects below the object at a path, sorted.
function Store:below(path)
  local prefix = path .. "/"
  local found = {}
  for other in pairs(self.items) do
    if other:sub(1, #prefix) == prefix then found[#found + 1] = other end
  end
  table.sort(found)
  return found
end

-- Puts `object` at `to`, and copies all objects below `from` there.
function Store:copy_tree(from, to, object)
  local found = self:below(from)
  self:put(to, object)
  for _, path in ipairs(found) do self:put(to .. path:sub(#from + 1), self.items[path]) end
end

-- Removes the object at a path, if there is one, and all below it.
function Store:remove_tree(path)
  for _, other in ipairs(self:below(path)) do self:put(other, nil) end
  if self.items[path] then self:put(path, nil) end
end

-- The next generation number.
function Store:next_generation()
  self.state.generation = self.state.generation + 1
  return self.state.generation
end

-- The object at a path, or nil. It must not be changed.
function Store:get(path)
  return self.items[path]
end

-- Whether there can be objects that this store does not know, and may not ask for now.
function Store.is_unsure() return false end

-- The paths of the objects in a folder and below it, other than folders: { [path] = true }.
local function contents_of(self, full)
  if not self.contents then
    self.contents = {}
    for path, object in pairs(self.items) do note_content(self, path, object) end
  end
  return self.contents[full] or NONE
end

-- The first path, by name, of an object in a folder itself: a folder, or anything else; nil if
-- there is none.
function Store:first_in(full, is_folder)
  local prefix, first = full .. "/", nil
  local function look(path)
    local where = self.items[path].fullPath
    if
      where:sub(1, #prefix) == prefix and not where:find("/", #prefix + 1, true)
      and (not first or path < first)
    then
      first = path
    end
  end
  if is_folder then
    for segment in pairs((self.collections[FOLDERS:sub(1, -2)] or NONE).set or NONE) do
      look(FOLDERS .. segment)
    end
  else
    for path in pairs(contents_of(self, full)) do look(path) end
  end
  return first
end

-- The path of an object in a folder or partition, other than a folder; nil if there is none.
function Store:content(full)
  return (next(contents_of(self, full)))
end

-- The segments of a collection's objects, in the order in which a device lists them (by full name).
-- The table must not be changed.
function Store:segments(collection)
  local entry = self.collections[collection]
  if not entry then return {} end
  if not entry.order or #entry.new > 0 or entry.gone then settle_order(entry) end
  return entry.order
end

function Store:count(collection)
  local entry = self.collections[collection]
  return entry and entry.count or 0
end

-- The objects of a collection, in order.
function Store:list(collection)
  local list = {}
  for i, segment in ipairs(self:segments(collection)) do
    list[i] = self.items[collection .. "/" .. segment]
  end
  return list
end

-- The paths of the objects that the object at a path refers to.
function Store:targets(path)
  return self.refers[path] or NONE
end

-- The paths of the objects that refer to the object at a path, sorted. A twin can restrict them to
-- a kind, the second argument, so that it need not read all others.
function Store:users(path)
  local list = {}
  for user in pairs(self.referrers[path] or {}) do list[#list + 1] = user end
  table.sort(list)
  return list
end

-- The undo log. begin, commit and rollback nest: an inner rollback undoes only what was done since
-- its begin.
function Store:begin()
  self.log = self.log or { marks = {} }
  table.insert(self.log.marks, { at = #self.log, generation = self.state.generation })
end

local function close_log(self, log)
  if #log.marks > 0 then return end
  self.log = nil
  if log.is_rare then garbage.usual() end
end

function Store:commit()
  local log = self.log
  table.remove(log.marks)
  close_log(self, log)
end

function Store:rollback()
  local log = self.log
  local mark = table.remove(log.marks)
  for i = #log, mark.at + 1, -1 do
    set(self, log[i][1], log[i][2] or nil)
    log[i] = nil
  end
  self.state.generation = mark.generation
  close_log(self, log)
end

-- Calls `run(...)`. If it raises an error, all its changes are undone.
function Store:atomically(run, ...)
  self:begin()
  local results = table.pack(pcall(run, ...))
  if results[1] then
    self:commit()
    return table.unpack(results, 2, results.n)
  end
  self:rollback()
  error(results[2], 0)
end

-- Writes with all checks of a device.
Store.create, Store.modify, Store.replace = objects.create, objects.modify, objects.replace
Store.delete, Store.one = objects.delete, objects.one

return Store
