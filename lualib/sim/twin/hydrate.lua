-- Objects of the device become objects of the store. They keep every property as the device gave
-- it.
--
-- An object that was read and not changed since has `_read = true`: it is shown as it came. `_refs`
-- has what the device said about references (links to other objects and to sub-collections) where
-- that is not what render.lua would say: { [name] = the value, or false if there was none }.
local json = require "f5.json"
local catalogue = require "sim.config.catalogue"
local names = require "sim.config.names"
local kinds = require "sim.twin.kinds"
local unescape = require("sim.http.request").unescape
local uri = require "sim.config.uri"
local IDENTITY <const> = require("sim.config.values").IDENTITY

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- References of a kind to one other kind: their links follow from a name. { { reference, property,
-- template } }.
local simple <const> = setmetatable({}, { __mode = "k" })

--- The references of a node that need no look-up.
function M.simple_references(node)
  local list = simple[node]
  if list then return list end
  list = {}
  for reference, template in pairs(node.refs or {}) do
    local one = not template:find("|", 1, true) and not (node.subs and node.subs[reference])
    local other = one and catalogue.find(template)
    if one and not (other and other.type == "organizing") then
      list[#list + 1] = {
        reference, reference == "nameReference" and "fullPath" or reference:sub(1, -10), template,
      }
    end
  end
  simple[node] = list
  return list
end

local function link_of(template, full, version)
  if type(full) ~= "string" or full == "" or full == "none" then return nil end
  return names.link(ROOT .. template .. "/" .. names.segment(full), "ver=" .. version)
end

-- The link that render.lua would show for a reference to one kind; nil for none. The second result:
-- whether it is certain.
local function expected(entry, object, version)
  local template, value = entry[3], object[entry[2]]
  if value == nil then return nil, true end
  if type(value) ~= "string" then return nil, false end
  if value:sub(1, 1) ~= "/" and template:find "^ltm" then return nil, true end
  return link_of(template, value, version), true
end

-- The references that are not what follows from the rest of the object; nil if there are none.
local function special(node, path, object, given, version)
  local special_ones
  local function keep(name, value)
    special_ones = special_ones or {}
    special_ones[name] = value
  end
  for _, entry in ipairs(M.simple_references(node)) do
    local reference = entry[1]
    local link, certain = expected(entry, object, version)
    local own = given[reference]
    if not certain or link ~= (own and own.link) then keep(reference, own or false) end
    given[reference] = nil
  end
  for reference, sub in pairs(node.subs or {}) do
    local own = given[reference]
    if not own then
      keep(reference, false)
    elseif own.link ~= names.link(path .. "/" .. sub, "ver=" .. version) then
      keep(reference, { link = own.link, isSubcollection = true })
    end
    given[reference] = nil
  end
  for reference, value in pairs(given) do keep(reference, value) end
  return special_ones
end

-- Makes the body itself the object.
local function object_of(twin, target, body)
  local node, given = target.node, {}
  local props, kind = node.known and node.props, body.kind
  body.kind, body.selfLink = nil, nil
  for name, value in next, body do
    if type(value) == "table" and name:sub(-9) == "Reference" then
      given[name] = value
      body[name] = nil
    elseif props and not props[name] and not IDENTITY[name] then
      kinds.learn_property(twin, node, name)
    end
  end
  if kind ~= nil and kind ~= node.kind .. "state" then body._kind = kind end
  body._factory = kinds.is_factory(target.template, body) or nil
  body._refs = special(node, target.path, body, given, twin.device.version.version)
  body._read = true
  return body
end

-- The segment of the store for an item: the last one of its link; else its full name.
local function segment_of(node, item)
  local link = item.selfLink
  if type(link) == "string" then
    local segment = link:match "^[^?]*/([^/?]+)"
    if segment then return unescape(segment) end
  end
  local name = item.fullPath or item.name
  if type(name) ~= "string" then return nil end
  if not node.flat and name:sub(1, 1) ~= "/" then
    name = names.full(item.partition or "Common", item.subPath, name)
  end
  return names.segment(name)
end

-- Puts an object that the device has, unless the twin has its own.
local function put(twin, target, body)
  local store, state = twin.device.store, twin:state()
  local path = target.path
  state.absent[path] = nil
  if store.items[path] or state.before[path] ~= nil then return end
  local object = object_of(twin, target, body)
  local generation = math.tointeger(object.generation)
  if generation and generation > store.state.generation then store.state.generation = generation end
  store.hydrating = true
  store:learn(path, object, target.template)
  store.hydrating = false
end

local inner_targets <const> = {}  -- template .. " " .. name of a sub-collection -> its target

local function inner_target(template, sub)
  local key = template .. " " .. sub
  local known = inner_targets[key]
  if not known then
    local inner = template .. "/*/" .. sub
    local node = catalogue.find(inner)
    known = node and { node = node, template = inner } or false
    inner_targets[key] = known
  end
  return known or nil
end

-- The sub-collections inside of a body that was asked for with them.
local function put_inside(twin, target, body)
  local state = twin:state()
  local before = state.before[target.path]
  if before == false or before and not twin.device.store.items[target.path] then return end
  for reference, sub in pairs(target.node.subs or {}) do
    local inner = body[reference]
    local collection = target.path .. "/" .. sub
    if type(inner) == "table" and not state.whole[collection] then
      M.items(twin, collection, inner.items, true, inner_target(target.template, sub))
      state.whole[collection] = true
    end
  end
end

--- One object of the device. Its body becomes the object.
function M.object(twin, path, body, expanded, target)
  target = target or uri.parse(path)
  if not target then return end
  if expanded then put_inside(twin, target, body) end
  put(twin, target, body)
end

--- The items of a collection of the device; nil for an empty one. They become the objects.
--- `target`: what the collection is, if it is known.
function M.items(twin, collection, items, expanded, target)
  target = target or uri.parse(collection)
  if not target or type(items) ~= "table" then return end
  local node, template = target.node, target.template
  for _, item in ipairs(items) do
    local segment = type(item) == "table" and item ~= json.null and segment_of(node, item)
    if segment and not segment:find("/", 1, true) then
      local one = { node = node, template = template, path = collection .. "/" .. segment }
      if expanded and node.subs then put_inside(twin, one, item) end
      put(twin, one, item)
    end
  end
end

return M
