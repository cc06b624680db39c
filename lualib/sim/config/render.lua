-- Renders an object of the store for a response: its properties with kind, links, references and
-- sub-collections.
local json = require "f5.json"
local catalogue = require "sim.config.catalogue"
local hydrate = require "sim.twin.hydrate"
local kinds = require "sim.kinds"
local lists = require "sim.config.lists"
local names = require "sim.config.names"
local references = require "sim.config.references"
local turns = require "sim.turns"
local uri = require "sim.config.uri"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- The path of the object that a reference links to. A reference to several kinds needs a lookup.
-- Several kinds are divided by "|".
local function target_path(store, template, full)
  if template:find("|", 1, true) then
    return references.locate(store, references.alternatives(template), full)
  end
  local node = catalogue.find(template)
  if node and node.type == "organizing" then
    return references.locate(store, { template .. "/*" }, full)
  end
  return ROOT .. template .. "/" .. names.segment(full)
end

local function link_to(store, template, full, version)
  if type(full) ~= "string" or full == "" or full == "none" then return nil end
  local path = target_path(store, template, full)
  return path and { link = names.link(path, "ver=" .. version) } or nil
end

local function add_references(store, node, shown, version)
  for reference, template in pairs(node.refs or {}) do
    local value = reference == "nameReference" and shown.fullPath
      or shown[reference:sub(1, -10)]
    if type(value) == "string" then
      if value:sub(1, 1) == "/" or not template:find "^ltm" then
        shown[reference] = link_to(store, template, value, version)
      end
    elseif type(value) == "table" and #value > 0 and type(value[1]) == "string" then
      local list = {}
      for i, full in ipairs(value) do list[i] = link_to(store, template, full, version) end
      if #list > 0 then shown[reference] = json.array(list) end
    elseif json.is_array(value) then
      shown[reference] = json.array {}
    end
  end
end

-- The items of a collection inside another body.
local function items_of(store, collection, context)
  local list = {}
  local target = uri.parse(collection)
  for i, segment in ipairs(store:segments(collection)) do
    local path = collection .. "/" .. segment
    list[i] = M.object(
      store,
      { node = target.node, template = target.template, path = path },
      store:get(path),
      context
    )
  end
  return json.array(list)
end

-- An object of a twin as the device gave it: with its own references, see sim/twin/hydrate.lua.
local function add_read(store, target, object, shown, context)
  local node, version = target.node, context.version
  local path = context.shown or target.path
  if object._kind then shown.kind = object._kind end
  for _, entry in ipairs(hydrate.simple_references(node)) do
    local value = object[entry[2]]
    if type(value) == "string" and (value:sub(1, 1) == "/" or not entry[3]:find "^ltm") then
      shown[entry[1]] = link_to(store, entry[3], value, version)
    end
  end
  for reference, sub in pairs(node.subs or {}) do
    shown[reference] =
      { link = names.link(path .. "/" .. sub, "ver=" .. version), isSubcollection = true }
  end
  for reference, value in pairs(object._refs or {}) do shown[reference] = value or nil end
  for reference, sub in pairs(context.expand and node.subs or {}) do
    local collection = target.path .. "/" .. sub
    if shown[reference] and store:count(collection) > 0 then
      shown[reference].items = items_of(store, collection, { version = version, expand = true })
    end
  end
  return shown
end

-- context: version (for links), expand (include sub-collections), shown (the path for links, if it
-- is not that of the store), short (the request used the short name), query (of the link).
function M.object(store, target, object, context)
  turns.pause()
  local node = target.node
  local version = context.version
  local path = context.shown or target.path
  local shown = {}
  for name, value in pairs(object) do
    if name:sub(1, 1) ~= "_" then shown[name] = value end
  end
  shown.kind = node.kind .. "state"
  if node.type == "singleton" then shown.generation = nil end
  shown.selfLink = names.link(path, context.query or "ver=" .. version)
  if context.short then
    shown.fullPath = shown.name
    shown.partition, shown.subPath = nil, nil
  end
  if object._read then return add_read(store, target, object, shown, context) end
  add_references(store, node, shown, version)
  lists.show(store, node, shown, version)
  for reference, sub in pairs(node.subs or {}) do
    local collection = target.path .. "/" .. sub
    local inner =
      { link = names.link(path .. "/" .. sub, "ver=" .. version), isSubcollection = true }
    if context.expand and store:count(collection) > 0 then
      inner.items = items_of(store, collection, { version = version, expand = true })
    end
    shown[reference] = inner
  end
  for reference, value in pairs(object._refs or {}) do -- of a twin: links that f5lua does not know
    if shown[reference] == nil and value then shown[reference] = value end
  end
  local show = kinds.of(target.template).show
  if show then show(store, target.path, object, shown, context) end
  return shown
end

-- Selects properties of a rendered object.
function M.select(shown, wanted)
  local few = {}
  for _, name in ipairs(wanted) do few[name] = shown[name] end
  return few
end

-- "$select=a,b" -> { "a", "b" }; nil if there is none.
function M.wanted(request)
  local text = request.query["$select"]
  if not text or text == "" then return nil end
  local list = {}
  for name in text:gmatch "[^,%s]+" do list[#list + 1] = name end
  return list
end

return M
