-- The objects of a new device, from the `factory` of all kinds (sim/kinds), and those that a seed
-- adds.
local json = require "f5.json"
local catalogue = require "sim.config.catalogue"
local kinds = require "sim.kinds"
local references = require "sim.config.references"
local relations = require "sim.config.relations"
local names = require "sim.config.names"
local values = require "sim.config.values"
local seeds = require "sim.seed"
local tables = require "sim.tables"
local uri = require "sim.config.uri"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- All kinds with a `factory`: list of { template =, node =, given = }, sorted by template.
local function factories()
  local list = {}
  for _, module in ipairs(kinds.modules()) do
    for template, kind in pairs((kinds.described(module))) do
      if kind.factory then
        local node = assert(catalogue.find(template), template)
        list[#list + 1] = { template = template, node = node, given = kind.factory }
      end
    end
  end
  table.sort(list, function(a, b) return a.template < b.template end)
  return list
end

-- The bodies of one kind, those of every device and those of this device. The second result:
-- whether a function made them for this call.
local function bodies_of(entry, device)
  local given = entry.given
  if given.device_objects then return given.device_objects(device), true end
  if type(given.objects) == "function" then return given.objects(), true end
  return given.objects, false
end

-- Writes a body into an object. Groups of properties are merged.
local function lay(object, body)
  for name, value in pairs(body) do
    if type(value) == "table" and #value > 0 then
      object[name] = json.array(value)
    elseif
      type(value) == "table" and not json.is_array(value) and type(object[name]) == "table"
    then
      local group = values.shallow(object[name])
      for key, item in pairs(value) do group[key] = item end
      object[name] = group
    else
      object[name] = value
    end
  end
end

-- The object of a body, with the defaults of its kind.
local function object_of(node, body, is_fresh)
  if not is_fresh then
    local object = values.defaults(node)
    lay(object, body)
    return object
  end
  for name, spec in pairs(node.props) do
    if spec.d ~= nil and body[name] == nil then body[name] = spec.d end
  end
  return body
end

-- Path and object for a body.
local function complete(entry, body, is_fresh)
  local node = entry.node
  local owner = body.owner
  local object = object_of(node, body, is_fresh)
  object.owner, object.generation = nil, 1
  if node.type == "singleton" then return ROOT .. entry.template, object end
  if not object.fullPath then
    if not node.flat then object.partition = object.partition or "Common" end
    object.fullPath = node.flat and object.name
      or names.full(object.partition, object.subPath, object.name)
  end
  local collection = owner and entry.template:gsub("%*", names.segment(owner))
    or entry.template
  return ROOT .. collection .. "/" .. names.segment(object.fullPath), object
end

local function put_plain(store, device, entry)
  local bodies, are_fresh = bodies_of(entry, device)
  for _, body in ipairs(bodies) do store:put(complete(entry, body, are_fresh)) end
end

local function write(store, device, entry)
  local ctx = { factory = true, now = device:now() }
  for _, body in ipairs((bodies_of(entry, device))) do
    store:create(ROOT .. entry.template, body, ctx)
  end
end

-- An object that cannot be deleted, and can have a parent (`defaultsFrom`).
local function put_protected(store, entry, body)
  local object = values.defaults(entry.node)
  object.defaultsFrom = entry.node.keeps_none and not entry.given.no_parent and "none" or nil
  local parent = body.defaultsFrom
  if parent then
    local path = ROOT .. entry.template .. "/" .. names.segment(parent)
    for name, value in pairs(store:get(path) or {}) do
      if name ~= "name" and name ~= "fullPath" and name:sub(1, 1) ~= "_" then
        object[name] = value
      end
    end
    object._own = {}
    for name in pairs(body) do object._own[name] = name ~= "name" or nil end
  end
  lay(object, body)
  object.partition, object.fullPath, object.generation = "Common", "/Common/" .. body.name, 1
  object._factory = true
  store:put(ROOT .. entry.template .. "/~Common~" .. body.name, object)
end

-- Sorts parents before their children.
local function put_family(store, device, entry)
  local waiting = {}  -- full path of the parent -> bodies
  for _, body in ipairs((bodies_of(entry, device))) do
    local parent = body.defaultsFrom or ""
    waiting[parent] = waiting[parent] or {}
    table.insert(waiting[parent], body)
  end
  local function put_below(parent)
    for _, body in ipairs(waiting[parent] or {}) do
      put_protected(store, entry, body)
      put_below("/Common/" .. body.name)
    end
  end
  put_below ""
end

-- Makes the objects of a new device.
function M.build(device)
  local store = device.store
  local list = factories()
  store.is_building = true
  for _, entry in ipairs(list) do
    local given = entry.given
    if not given.protected and not given.written then put_plain(store, device, entry) end
  end
  for _, entry in ipairs(list) do
    if entry.given.written then write(store, device, entry) end
  end
  for _, entry in ipairs(list) do
    if entry.given.protected then put_family(store, device, entry) end
  end
  -- now all objects exist that others can refer to
  store.is_building = nil
  for collection in pairs(store.collections) do
    local own = collection:sub(#ROOT + 1)
    local node = catalogue.find(own)
    local is_plain = node and node.type == "collection"
    for _, segment in
      ipairs(is_plain and #relations.of(own) == 0 and {} or store:segments(collection))
    do
      local path = collection .. "/" .. segment
      if is_plain or #relations.of(references.template(path)) > 0 then
        store:refer(path, store:get(path))
      end
    end
  end
end

-- Gives a copy of another new device its own name and address.
function M.rename(device, template)
  local store = device.store
  for module, level in pairs(template.state.provision) do device.state.provision[module] = level end
  for _, entry in ipairs(factories()) do
    if entry.given.device_objects then
      local fresh = {}
      for _, body in ipairs(entry.given.device_objects(device)) do
        local path, object = complete(entry, body, true)
        fresh[path] = true
        if not tables.same(store:get(path), object) then store:put(path, object) end
      end
      for _, body in ipairs(entry.given.device_objects(template)) do
        local path = complete(entry, body, true)
        if not fresh[path] then store:put(path, nil) end
      end
    end
  end
end

-- The order of the collections of a seed.
local FIRST <const> = {
  "/mgmt/tm/sys/provision",
  "/mgmt/tm/auth/partition",
  "/mgmt/tm/sys/folder",
  "/mgmt/tm/sys/file",
  "/mgmt/tm/net/vlan",
  "/mgmt/tm/net/route-domain",
  "/mgmt/tm/net",
  "/mgmt/tm/ltm/monitor",
  "/mgmt/tm/ltm/profile",
  "/mgmt/tm/ltm/node",
  "/mgmt/tm/ltm/pool",
  "/mgmt/tm/ltm/rule",
}
local function order_of(path)
  for i, prefix in ipairs(FIRST) do
    if path:sub(1, #prefix) == prefix then return i end
  end
  return #FIRST + 1
end

-- The text of a refusal.
local function text_of(problem)
  return type(problem) == "table" and problem.body and problem.body.message or tostring(problem)
end

-- Adds objects: path of a collection -> array of bodies, or path of a singleton or a resource ->
-- body. Existing objects are changed. Without `refused(item, reason)`, which takes what is refused
-- ({ path =, target =, body = }), a refusal is an error.
function M.plant(device, seed, refused)
  local store = device.store
  local paths = {}
  for path in pairs(seed) do paths[#paths + 1] = path end
  -- objects that others refer to come first; those that fail are tried again after the others
  table.sort(paths, function(a, b)
    local x, y = order_of(a), order_of(b)
    if x ~= y then return x < y end
    return a < b
  end)
  local waiting = {}
  for _, path in ipairs(paths) do
    local target = uri.parse(path)
    if not target then error(("seed: unknown URI '%s'"):format(path), 0) end
    seeds.check_bodies(path, target.what, seed[path])
    local list = target.what == "collection" and seed[path] or { seed[path] }
    for _, body in ipairs(list) do
      waiting[#waiting + 1] = { path = path, target = target, body = body }
    end
  end
  local ctx = { seed = true, now = device:now() }
  while #waiting > 0 do
    local again = {}
    for _, item in ipairs(waiting) do
      local what = item.target.what
      local ok, problem = pcall(function()
        if what ~= "collection" then
          store:modify(item.path, item.body, ctx)
          return
        end
        store:create(item.path, item.body, ctx)
      end)
      if not ok then
        again[#again + 1] = item
        item.problem = problem
      end
    end
    if #again == #waiting and not refused then
      local item = again[#again]
      error(("seed: %s: %s"):format(item.path, text_of(item.problem)), 0)
    elseif #again == #waiting then
      for _, item in ipairs(again) do refused(item, text_of(item.problem)) end
      return
    end
    waiting = again
  end
end

return M
