-- Plants a snapshot of a device: a seed with the part `snapshot`. It says all that the collections
-- in it contain, so what a new device has beyond that goes. Everything that it holds is accepted:
-- what the simulator would refuse, or does not know, is kept as it is, and reported by `remarks`.
local json = require "f5.json"
local catalogue = require "sim.config.catalogue"
local factory = require "sim.factory"
local names = require "sim.config.names"
local uri = require "sim.config.uri"
local values = require "sim.config.values"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- Kinds whose objects belong to this device, or to those who started it.
local OWN <const> = {
  ["auth/user"] = true, ["cm/device"] = true, ["cm/device-group"] = true,
  ["cm/traffic-group"] = true, ["cm/trust-domain"] = true, ["cm/cert"] = true, ["cm/key"] = true,
}

local function remark(device, format, ...)
  device.remarks[#device.remarks + 1] = format:format(...)
end

-- -- kinds that are not simulated -----------------------------------------------------------------

-- The template of a path: segments that begin with "~" are names.
local function template_of(path)
  local parts = {}
  for part in path:sub(#ROOT + 1):gmatch "[^/]+" do
    parts[#parts + 1] = part:sub(1, 1) == "~" and "*" or part
  end
  return table.concat(parts, "/")
end

local function is_flat(bodies)
  for _, body in ipairs(bodies) do
    if type(body) == "table" and body.partition ~= nil then return false end
  end
  return true
end

local function learn(device, template, node)
  if catalogue.find(template) then return end
  device.state.learned = device.state.learned or {}
  device.state.learned[template] = node
  catalogue.relearn { [template] = node }
end

-- Makes the simulator know the kind of a path. Objects of this kind are kept as they are.
local function learn_kind(device, path, value)
  local template = template_of(path)
  local is_list = json.is_array(value)
  if is_list and #value == 0 or template == "" or template:find "^%*" then return false end
  local above
  for part in template:gmatch "[^/]+" do
    above = above and above .. "/" .. part or part
    if above ~= template and part ~= "*" then learn(device, above, { type = "organizing" }) end
  end
  learn(device, template, {
    type = is_list and "collection" or "singleton", open = true, free_names = true,
    flat = is_list and is_flat(value) or nil,
  })
  return true
end

-- -- objects --------------------------------------------------------------------------------------

local function full_name(node, body)
  if body.fullPath then return body.fullPath end
  if node.flat and not node.full_names or not body.partition then return body.name end
  return names.full(body.partition, body.subPath, body.name)
end

-- Keeps an object as it is, without the checks of its kind.
local function keep(device, item, reason)
  local body, target = values.shallow(item.body), item.target
  local path = target.path
  if target.what == "collection" then
    local full = full_name(target.node, body)
    if type(full) ~= "string" then
      return remark(device, "%s: not loaded: an object without a name", item.path)
    end
    body.fullPath = full
    path = path .. "/" .. names.segment(full)
  end
  for reference, sub in pairs(target.node.subs or {}) do
    body[reference:gsub("Reference$", "")], body[sub] = nil, nil
  end
  body.generation = device.store:next_generation()
  device.store:put(path, body)
  remark(device, "%s: kept as it is: %s", path, reason)
end

local USERS <const> = "/mgmt/tm/auth/user/"

-- The names of the properties of an object that the snapshot leaves out. The users of this device
-- keep their passwords and their roles.
local function left_out(seed, path)
  local secrets = type(seed.left_out) == "table" and seed.left_out.secrets
  local list, set = type(secrets) == "table" and secrets[path] or nil, {}
  if path:sub(1, #USERS) == USERS then
    set.encryptedPassword, set.partitionAccess = true, true
  end
  for _, property in ipairs(type(list) == "table" and list or {}) do
    set[tostring(property):match "^[^.%[]+"] = true
  end
  return set
end

-- What names an element of an object.
local NAMING <const> = { name = true, partition = true, subPath = true, fullPath = true }

-- A value without what the snapshot does not have in its groups and elements.
local function trim_value(value, body)
  if type(value) ~= "table" or type(body) ~= "table" then return value end
  if json.is_array(value) and #value ~= #body then return value end
  local fresh
  for key, item in pairs(value) do
    local new = trim_value(item, body[key])
    if type(key) == "string" and body[key] == nil and not NAMING[key] then new = nil end
    if new ~= item then
      fresh = fresh or values.shallow(value)
      fresh[key] = new
    end
  end
  return fresh or value
end

-- Takes away what the defaults of the kind added to an object. What the device computes stays.
local function trim(device, seed, path, node, body)
  local object = device.store:get(path)
  if not object then return end
  local left, fresh = left_out(seed, path), nil
  for name, spec in pairs(node.props) do
    local extra = object[name] ~= nil and body[name] == nil and not spec.r
    if extra and not left[name] and name ~= "ephemeral" and not values.IDENTITY[name] then
      fresh = fresh or values.shallow(object)
      fresh[name] = nil
    elseif object[name] ~= nil and not left[name] and not spec.r then
      local new = trim_value(object[name], body[name])
      if new ~= object[name] then
        fresh = fresh or values.shallow(object)
        fresh[name] = new
      end
    end
  end
  if fresh then device.store:put(path, fresh) end
end

-- Whether the snapshot has all objects of a collection.
local function is_whole(seed, path)
  if type(seed.snapshot.asked) == "table" and seed.snapshot.asked.partition then return false end
  local left = type(seed.left_out) == "table" and seed.left_out or {}
  for _, one in ipairs(type(left.unread) == "table" and left.unread or {}) do
    local at = type(one) == "table" and one.path
    if type(at) == "string" and (at == path or at:sub(1, #path + 1) == path .. "/") then
      return false
    end
  end
  for _, at in ipairs(type(left.unsteady) == "table" and left.unsteady or {}) do
    if at == path then return false end
  end
  return true
end

-- Removes the objects of a new device that the snapshot does not have, with all inside of them.
local function remove_others(device, gone)
  if not next(gone) then return end
  local store = device.store
  local doomed = {}
  for path in pairs(store.items) do
    local at = path
    while at do
      if gone[at] then
        doomed[#doomed + 1] = path
        break
      end
      at = at:match "^(.*)/[^/]+$"
      if at and #at < #ROOT then at = nil end
    end
  end
  for _, path in ipairs(doomed) do store:put(path, nil) end
end

-- Which objects of a collection the snapshot does not have: { [path] = true }
local function others(device, target, bodies, gone)
  local node = target.node
  if node.no_create or node.no_delete or OWN[target.template] then return end
  local there = {}
  for _, body in ipairs(bodies) do
    local full = type(body) == "table" and full_name(node, body)
    if full then there[names.segment(full)] = true end
  end
  for _, segment in ipairs(device.store:segments(target.path)) do
    if not there[segment] then gone[target.path .. "/" .. segment] = true end
  end
end

local function trim_all(device, seed, path, target, value)
  if target.what ~= "collection" then return trim(device, seed, target.path, target.node, value) end
  for _, body in ipairs(value) do
    local full = full_name(target.node, body)
    if full then
      trim(device, seed, target.path .. "/" .. names.segment(full), target.node, body)
    end
  end
  return path
end

-- The paths of a snapshot, sorted; unknown kinds are learned.
local function known_paths(device, objects)
  local paths = {}
  for path, value in pairs(objects) do
    if type(value) ~= "table" then
      error(("seed: %s: expected an object or an array"):format(path), 0)
    end
    local target = uri.parse(path)
    if not target and path:sub(1, #ROOT) == ROOT and learn_kind(device, path, value) then
      target = uri.parse(path)
      remark(device, "%s: this kind is not simulated; its objects are kept as they are", path)
    end
    if target then
      paths[#paths + 1] = path
    elseif not json.is_array(value) or #value > 0 then
      remark(device, "%s: not loaded: unknown path", path)
    end
  end
  table.sort(paths)
  return paths
end

--- Adds the objects of a snapshot.
function M.plant(device, seed)
  device.remarks = device.remarks or {}
  local planted, gone, targets = {}, {}, {}
  for _, path in ipairs(known_paths(device, seed.objects)) do
    local value, target = seed.objects[path], uri.parse(path)
    local is_list = json.is_array(value)
    local fits = target.what == "collection" and is_list
      or target.what ~= "collection" and not is_list
    if target.what == "collection" and is_list and is_whole(seed, path) then
      others(device, target, value, gone)
    end
    if fits and (target.what == "organizing" or target.suffix) then fits = false end
    if fits and not (is_list and #value == 0) then
      planted[path], targets[path] = value, target
    elseif not (is_list and #value == 0) then
      remark(device, "%s: not loaded: this is %s", path, target.suffix or target.what)
    end
  end
  remove_others(device, gone)
  factory.plant(device, planted, function(item, reason) keep(device, item, reason) end)
  for path, target in pairs(targets) do trim_all(device, seed, path, target, planted[path]) end
end

return M
