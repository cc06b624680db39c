-- The entities of ASM: a tree of records. A context is a record together with its spec.
--
-- The record of an entity is { data = {…}, children = { urls = record of a collection, … } }, that
-- of a collection { items = { id = record }, order = { id, … } }. `data` has neither kind, selfLink
-- nor links to children: the response gets them. Properties with a leading "_" are internal and not
-- sent.
local array = require("f5.json").array
local entity = require "sim.asm.entity"
local schema = require "sim.asm.schema"
local tables = require "sim.tables"

local M = {}

--- A copy of a value in which links below `prefix` are relative. Members whose name is left out
-- (a function) are not copied.
function M.relative(value, prefix, is_left_out)
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for name, member in pairs(value) do
    if name == "link" and type(member) == "string" and member:sub(1, #prefix) == prefix then
      copy[name] = member:sub(#prefix + 1)
    elseif not (is_left_out and is_left_out(name)) then
      copy[name] = M.relative(member, prefix, is_left_out)
    end
  end
  return copy
end

--- The root of the tree, in device.state.asm.
function M.root(device)
  local asm = device.state.asm
  return asm.tree
end

local function child_spec(spec, name)
  if not spec.by_path then
    spec.by_path = {}
    for _, child in ipairs(spec.children or {}) do spec.by_path[child.path] = child end
  end
  return spec.by_path[name]
end

local function new_record(spec, device)
  if spec.type == "collection" then return { items = {}, order = array {} } end
  local data = spec.type == "singleton" and tables.copy(spec.defaults) or {}
  if spec.type == "singleton" and spec.initial then spec.initial(device, data) end
  return { data = data, children = {} }
end

-- A child of a record. It is made at the first use.
local function child_record(device, record, spec)
  local child = record.children[spec.path]
  if not child then
    child = new_record(spec, device)
    record.children[spec.path] = child
  end
  return child
end

local Context <const> = {}
Context.__index = Context

local function kind_prefix(context)
  return context and context.prefix or "tm:asm"
end

local function enter(device, parent, spec, record)
  return setmetatable({
    device = device,
    parent = parent,
    spec = spec,
    record = record,
    element = spec.type ~= "collection",
    path = (parent.path == "" and "" or parent.path .. "/") .. spec.path,
    prefix = kind_prefix(parent) .. ":" .. spec.path,
    policy = parent.policy,
  }, Context)
end

function M.top(device)
  return setmetatable({
    device = device,
    spec = schema.root,
    record = M.root(device),
    element = true,
    path = "",
    prefix = "tm:asm",
  }, Context)
end

--- The child with this name: a collection, a singleton or an organizer.
function Context:child(name)
  local spec = child_spec(self.spec, name)
  return spec and enter(self.device, self, spec, child_record(self.device, self.record, spec))
    or nil
end

--- The entity of a collection with this id.
function Context:item(id)
  local record = self.record.items[id]
  if not record then return nil end
  local context = setmetatable({
    device = self.device,
    parent = self,
    spec = self.spec,
    record = record,
    element = true,
    id = id,
    path = self.path .. "/" .. id,
    prefix = self.prefix,
    policy = self.policy,
  }, Context)
  if self.spec.is_policy then context.policy = context end
  return context
end

--- All entities of a collection, in order.
function Context:items()
  local list = {}
  for position, id in ipairs(self.record.order) do list[position] = self:item(id) end
  return list
end

--- The first entity whose property has this value.
function Context:find(name, value)
  for _, id in ipairs(self.record.order) do
    if self.record.items[id].data[name] == value then return self:item(id) end
  end
end

--- Adds a new entity to a collection. `salt` makes the id differ for entities with the same name.
function Context:insert(object, salt)
  local key = entity.natural_key(self.spec, object)
  object.id = entity.hash(salt and key .. "#" .. salt or key)
  if self.record.items[object.id] then return nil, object.id end
  local micros = self.spec.task and entity.task_micros or entity.micros
  object.lastUpdateMicros = micros(self.device:now())
  self.record.items[object.id] = { data = object, children = {} }
  self.record.order[#self.record.order + 1] = object.id
  return self:item(object.id)
end

--- Removes an entity and all below it.
function Context:remove()
  local collection = self.parent.record
  collection.items[self.id] = nil
  for position, id in ipairs(collection.order) do
    if id == self.id then table.remove(collection.order, position) break end
  end
end

function Context:link() return "/mgmt/tm/asm/" .. self.path end

--- "tm:asm:policies:urls:urlstate", "tm:asm:policies:urls:urlcollectionstate"
function Context:kind(collection)
  local spec = self.spec
  if spec == schema.root then return "tm:asm:asmcollectionstate" end
  return ("%s:%s%s"):format(
    self.prefix,
    spec.kind,
    (collection or spec.type == "organizer") and "collectionstate" or "state"
  )
end

--- The context at the segments after /mgmt/tm/asm; nil if there is none. `missing`: only the id is
--- unknown.
function M.resolve(device, segments, from)
  local context = M.top(device)
  for position = from, #segments do
    local segment = segments[position]
    local next_context
    if context.element then
      next_context = context:child(segment)
      if not next_context then return nil end
    else
      next_context = context:item(segment)
      if not next_context then return nil, context, segment end
    end
    context = next_context
  end
  return context
end

--- The context that a link points to; nil if there is none.
function M.follow(device, link)
  if type(link) == "table" then link = link.link end
  if type(link) ~= "string" then return nil end
  local rest = entity.bare_link(link):match("^/mgmt/tm/asm/(.+)$")
  if not rest then return nil end
  local segments = {}
  for segment in rest:gmatch("[^/]+") do segments[#segments + 1] = segment end
  return (M.resolve(device, segments, 1))
end

return M
