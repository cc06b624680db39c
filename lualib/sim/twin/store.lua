-- The store of a twin: what is unknown is read from the device first (see sim/twin/init.lua).
local Store = require "sim.config.store"
local catalogue = require "sim.config.catalogue"
local kinds = require "sim.twin.kinds"
local names = require "sim.config.names"
local references = require "sim.config.references"
local uri = require "sim.config.uri"

local TwinStore = setmetatable({}, { __index = Store })
TwinStore.__index = TwinStore

local M = {}

local ROOT <const> = "/mgmt/tm/"
-- So many objects of one collection are read one by one for a request, then all of them.
local FEW <const> = 8
-- So many lists of names are read at once.
local AT_ONCE <const> = 4

--- Makes a store that of a twin.
function M.adopt(store, twin)
  store.twin, store.created = twin, {}
  return setmetatable(store, TwinStore)
end

local function split(path)
  return path:match "^(.*)/([^/]+)$"
end

-- Whether the object at a path exists here only: what is inside of it is known.
local function is_own(self, path)
  local twin = self.twin
  return twin.created[path] or twin:state().before[path] == false
end

-- Whether the device can have something at or below the object at a path.
local function may_have(self, path)
  local state = self.twin:state()
  if self.items[path] then return not is_own(self, path) end
  if state.absent[path] or state.before[path] ~= nil then return false end
  local collection, segment = split(path)
  if state.whole[collection] then return false end
  local known = state.names[collection]
  return not known or known[segment] == true
end

-- Notes that one more object of a collection is read for the request. Returns whether it is better
-- to read all of them.
local function are_many(self, collection)
  local job = self.twin.job
  if not job then return false end
  job.singles = job.singles or {}
  job.singles[collection] = (job.singles[collection] or 0) + 1
  return job.singles[collection] > FEW
end

local function lookup(self, path)
  local twin = self.twin
  if not twin.online or not may_have(self, path) then return nil end
  local meant = twin.request and twin.request.meant
  local target = meant and meant.path == path and meant or uri.parse(path)
  if not target or target.what ~= "resource" and target.what ~= "singleton" then return nil end
  if target.parent and not may_have(self, target.parent) then return nil end
  local lenient = path:find "^/mgmt/tm/auth/user/" ~= nil
  if target.collection and not lenient and are_many(self, target.collection) then
    self:fetch_all(target.collection)
  end
  twin:miss { {
    kind = "object", path = path, lenient = lenient, expand = twin:expands(path), place = target,
  } }
end

function TwinStore:is_unsure() return not self.twin.online end

function TwinStore:get(path)
  if self.twin.touched then self.twin:touch("object", path) end
  return self.items[path] or lookup(self, path)
end

--- Puts an object of a kind that the device has.
function TwinStore:learn(path, object, template)
  self.learning = template
  Store.put(self, path, object)
  self.learning = nil
end

function TwinStore:put(path, object)
  local old = self:get(path) -- what the device has there must be known
  if object and object ~= old then object._read = nil end
  if object and not old then self.twin.created[path] = true end
  Store.put(self, path, object)
end

-- -- collections --

-- "…/ltm/pool/~Common~web/members" -> "…/ltm/pool"
local function outer_collection(path)
  return path:match "^(.*)/[^/]+/[^/]+$"
end

-- What to ask for if a collection inside of an object is unknown: itself, or, for many, all of the
-- collection that the object is in, with what is inside.
local function inner_want(self, collection)
  local outer = outer_collection(collection)
  if outer and are_many(self, outer .. "/*/" .. collection:match "[^/]+$") then
    return { kind = "collection", path = outer, expand = true }
  end
  return { kind = "collection", path = collection }
end

--- Makes sure that all objects of a collection are known.
function TwinStore:fetch_all(collection)
  local twin = self.twin
  if not twin.online or twin:state().whole[collection] then return end
  local target = uri.parse(collection)
  if not target or target.what ~= "collection" then return end
  if target.parent then
    if not may_have(self, target.parent) then return end
    twin:miss { inner_want(self, collection) }
  end
  twin:miss { { kind = "collection", path = collection, expand = twin:expands(collection) } }
end

--- The same, for something that depends on all of them.
function TwinStore:need(collection)
  if self.twin.touched then self.twin:touch("list", collection) end
  self:fetch_all(collection)
end

--- Makes sure that collections are known with all that is inside of their objects. `templates`:
--- kinds, such as "ltm/virtual" or "ltm/policy/*/rules".
function TwinStore:need_kinds(templates)
  local twin, list, asked = self.twin, {}, {}
  if not twin.online then return end
  local state, discovery = twin:state(), require "sim.config.discovery"
  for _, template in ipairs(templates) do
    local outer, inner = template:match "^(.-)/%*/(.+)$"
    local collection = ROOT .. (outer or template)
    local known = inner and state.expanded[collection] or not inner and state.whole[collection]
    if not known and not asked[collection] and discovery.present(twin.device, template) then
      local target = uri.parse(collection)
      asked[collection] = true
      if target and target.what == "singleton" then
        if may_have(self, collection) and not self.items[collection] then
          list[#list + 1] = { kind = "object", path = collection, expand = inner ~= nil }
        end
      elseif target and target.what == "collection" then
        list[#list + 1] = { kind = "collection", path = collection, expand = inner ~= nil }
      end
    end
  end
  if #list > 0 then twin:miss(list) end
end

function TwinStore:segments(collection)
  self:need(collection)
  return Store.segments(self, collection)
end

function TwinStore:count(collection)
  self:need(collection)
  return Store.count(self, collection)
end

function TwinStore:list(collection)
  self:need(collection)
  return Store.list(self, collection)
end

-- What is inside of the object at a path.
local function need_inside(self, path)
  local target = uri.parse(path)
  for _, sub in pairs(target and target.node.subs or {}) do
    local collection = path .. "/" .. sub
    for _, segment in ipairs(self:segments(collection)) do
      need_inside(self, collection .. "/" .. segment)
    end
  end
end

function TwinStore:below(path)
  if self:get(path) then need_inside(self, path) end
  return Store.below(self, path)
end

-- The kinds whose objects are in partitions, other than folders.
local function partitioned(twin)
  local list, discovery = {}, require "sim.config.discovery"
  for _, module in ipairs(catalogue.modules()) do
    for _, template in ipairs(catalogue.templates(module)) do
      local node = catalogue.find(template)
      if
        node.type == "collection" and not node.flat and not template:find("*", 1, true)
        and template ~= "sys/folder" and discovery.present(twin.device, template)
        and twin:is_read(template)
      then
        list[#list + 1] = template
      end
    end
  end
  return list
end

--- Something in a folder, see Store:first_in. That there is nothing is known from the names of all
--- objects of the device.
function TwinStore:first_in(full, is_folder)
  if is_folder then
    self:fetch_all(ROOT .. "sys/folder")
    self.twin:touch("about", ROOT .. "sys/folder", full)
  end
  local found = Store.first_in(self, full, is_folder)
  if found or is_folder or not self.twin.online then return found end
  local state, wants = self.twin:state(), {}
  local pattern = "^" .. names.segment(full):gsub("%p", "%%%0") .. "~[^~]+$"
  for _, template in ipairs(partitioned(self.twin)) do
    local collection = ROOT .. template
    local known = state.names[collection]
    self.twin:touch("about_names", collection, full)
    for segment in pairs(known or {}) do
      local path = collection .. "/" .. segment
      if segment:find(pattern) and may_have(self, path) and self:get(path) then return path end
    end
    if not known and not state.whole[collection] then
      wants[#wants + 1] = { kind = "names", path = collection }
    end
  end
  if #wants > 0 then self.twin:miss(wants) end
  return nil
end

--- The indexes of sim/config/indexes.lua need all objects of their collection.
function TwinStore:guarded(prefix, index)
  local collection = prefix:sub(1, -2)
  return setmetatable({}, { __index = function(_, key)
    self:fetch_all(collection)
    self.twin:touch("about", collection, key)
    return index[key]
  end })
end

-- -- references --

local prefixes <const> = {}  -- the text of a list of kinds -> how their places begin

-- Where the objects of these kinds with this full name are noted that refer to it, as long as it is
-- not known which kind it is.
local function place_of(id, full)
  local prefix = prefixes[id]
  if not prefix then
    prefix = "?" .. id:gsub("/", ":") .. " "
    prefixes[id] = prefix
  end
  return prefix .. names.segment(full)
end

--- Where it is noted that an object refers to the one with this full name in one of these kinds.
function TwinStore:target_of(templates, full)
  local list, id = kinds.expand(templates)
  if #list == 1 then return ROOT .. list[1] .. "/" .. names.segment(full) end
  local place = place_of(id, full)
  self.places = self.places or {}
  self.places[place] = self.places[place] or { templates = templates, full = full }
  return place
end

--- The paths of the objects that the object at a path refers to.
function TwinStore:targets(path)
  local list = {}
  for _, target in ipairs(self.refers[path] or {}) do
    local place = self.places and self.places[target]
    if place then target = self:locate(place.templates, place.full) end
    if target then list[#list + 1] = target end
  end
  return list
end

--- Notes that there is no object with this full name in any of these kinds, which is why something
--- is refused.
function TwinStore:touch_missing(templates, full)
  for _, template in ipairs((kinds.expand(templates))) do
    self.twin:touch("exists", ROOT .. template .. "/" .. names.segment(full))
  end
end

--- The path of the object with this full name in one of these kinds; nil if there is none.
function TwinStore:locate(templates, full)
  local twin = self.twin
  local touched = twin.touched
  twin.touched = nil
  local path = self:find(templates, full)
  twin.touched = touched
  if path then twin:touch("exists", path) end
  return path
end

function TwinStore:find(templates, full)
  local list = kinds.expand(templates)
  local segment, open = names.segment(full), {}
  local state = self.twin:state()
  for _, template in ipairs(list) do
    local collection = ROOT .. template
    local path = collection .. "/" .. segment
    local known = state.names[collection]
    if self.items[path] or known and known[segment] and may_have(self, path) then return path end
    if may_have(self, path) then open[#open + 1] = template end
  end
  if #open == 0 or not self.twin.online then return nil end
  if #list == 1 then
    local path = ROOT .. open[1] .. "/" .. segment
    return self:get(path) and path
  end
  local wants = {}
  for i, template in ipairs(kinds.sort(open, full)) do
    if i > AT_ONCE then break end
    wants[i] = { kind = "names", path = ROOT .. template }
  end
  self.twin:miss(wants)
end

-- Whether the name in an object of one of these kinds means the object at a path. Two kinds of a
-- list can have objects of the same name; the first one is meant, see references.locate.
local function is_meant(self, list, path)
  local segment, wants = path:match "[^/]+$", {}
  for _, template in ipairs(list) do
    local other = ROOT .. template .. "/" .. segment
    if other == path then break end
    if self.items[other] then return false end
    local known = self.twin:state().names[ROOT .. template]
    if not known and may_have(self, other) then
      wants[#wants + 1] = { kind = "names", path = ROOT .. template }
    elseif may_have(self, other) then
      return false
    end
  end
  -- names of profiles and of monitors are unique among all their kinds
  if #wants > 0 and #list <= AT_ONCE and self.twin.online then self.twin:miss(wants) end
  return true
end

-- What names in an iRule mean depends on what exists, which may be better known now.
local function names_it(self, user, path)
  local object = self.items[user]
  if not object or references.template(user) ~= "ltm/rule" then return object ~= nil end
  for _, target in ipairs(references.targets(self, user, object) or {}) do
    if target == path then return true end
    local place = self.places and self.places[target]
    if place and names.segment(place.full) == path:match "[^/]+$" then return true end
  end
  return false
end

-- Notes that it counts who mentions an object. iRules may name it without its partition.
local function touch_users(self, templates, object)
  local full = object and object.fullPath
  if not self.twin.touched or type(full) ~= "string" then return end
  for _, template in ipairs(templates) do
    local outer = template:match "^(.-)/%*/"
    local kind = outer and "about_inside" or "about"
    self.twin:touch(kind, ROOT .. (outer or template), full)
    if template == "ltm/rule" then
      self.twin:touch(kind, ROOT .. template, full:match "[^/]+$" or full)
    end
  end
end

--- The paths of the objects that refer to the object at a path, sorted. `from`: only those of this
--- kind, a template.
function TwinStore:users(path, from)
  local template = references.template(path)
  local object = self.items[path]
  if template then
    local templates = from and { from } or kinds.referring(template)
    self:need_kinds(templates)
    touch_users(self, templates, object)
  end
  local set, list = {}, {}
  local function take(known)
    for user in pairs(known or {}) do
      local wanted = not set[user] and (not from or references.template(user) == from)
      if wanted and names_it(self, user, path) then
        set[user] = true
        list[#list + 1] = user
      end
    end
  end
  take(self.referrers[path])
  local full = object and object.fullPath
  for _, id in ipairs(full and template and kinds.groups_of(template) or {}) do
    local known = self.referrers[place_of(id, full)]
    if known and is_meant(self, kinds.group(id), path) then take(known) end
  end
  table.sort(list)
  return list
end

M.split = split

return M
