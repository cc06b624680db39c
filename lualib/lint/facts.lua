-- What is known about paths and properties. It comes from the catalogue of kinds, which holds facts
-- about devices and no behaviour of the simulated one. Its parts are loaded when they are needed.
--
-- A place is where a path leads: { what, template, node }; `what` is "root", "organizing",
-- "collection", "object" (of a collection), "singleton", or "property" (a list of an object).
local catalogue = require "sim.config.catalogue"

local M = {}

M.ROOT = { what = "root", template = "" }

-- Below /mgmt/tm, but without kinds in the catalogue.
local WITHOUT_KINDS <const> =
  { "apiprotection", "asm", "cloud", "live-update", "shared", "task", "transaction", "util" }

local SUFFIXES <const> = { stats = true, example = true }

-- Properties that every object may have.
local EVERYWHERE <const> = {
  "name", "partition", "fullPath", "subPath", "kind", "selfLink", "generation", "description",
  "appService", "metadata", "tmPartition",
}

local function place_of(template, node)
  return { what = node.type, template = template, node = node }
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- The names that can follow an object: its sub-collections, and its properties, which may be lists.
local function below_object(node)
  local names = { stats = true }
  for _, sub in pairs(node.subs or {}) do names[sub] = true end
  for name in pairs(node.props) do names[name] = true end
  for name in pairs(node.refs or {}) do names[name:gsub("Reference$", "")] = true end
  return names
end

local function step_from_root(segment)
  for _, name in ipairs(WITHOUT_KINDS) do
    if name == segment then return nil end
  end
  local node = catalogue.find(segment)
  if node then return place_of(segment, node) end
  local names = catalogue.modules()
  table.move(WITHOUT_KINDS, 1, #WITHOUT_KINDS, #names + 1, names)
  return nil, names, "module"
end

local function step_from_object(place, segment)
  local node = place.node
  local below = (place.what == "object" and place.template .. "/*/" or place.template .. "/")
    .. segment
  local child = catalogue.find(below)
  if child then return place_of(below, child) end
  local names = below_object(node)
  if names[segment] then return { what = "property", template = below } end
  return nil, sorted(names), "object"
end

--- Follows one segment, which has no slashes.
-- @return the place; or nil and, if the segment is not there, the names that are, and where: in a
--   "module", "collection" or "object"
function M.step(place, segment)
  if place.what == "root" then return step_from_root(segment) end
  if not place.node then return nil end
  if place.what == "object" or place.what == "singleton" then
    return step_from_object(place, segment)
  end
  local template = place.template .. "/" .. segment
  local child = catalogue.find(template)
  if child then return place_of(template, child) end
  if SUFFIXES[segment] then return nil end
  if place.what == "collection" then return M.object(place) end
  if place.what ~= "organizing" then return nil end
  local names = catalogue.children(place.template)
  if #names == 0 then return nil end
  return nil, names, "organizing"
end

--- The place of an object of a collection; nil for other places.
function M.object(place)
  if place.what ~= "collection" then return nil end
  return { what = "object", template = place.template, node = place.node }
end

-- Spellings of tmsh are allowed: load-balancing-mode.
local function camel(name) return (name:gsub("%-(%w)", string.upper)) end

--- What is known about a property of the objects at a place.
-- @return "known" and its facts; "list" and the place of its elements; "unknown" and the names that
--   are known; nil if nothing is known about the place
function M.property(place, name)
  local node = place.node
  if not node or place.what == "organizing" or not next(node.props) then return nil end
  name = camel(name)
  for _, sub in pairs(node.subs or {}) do
    if camel(sub) == name then
      local template = place.template
        .. (place.what == "singleton" and "/" or "/*/") .. sub
      local child = catalogue.find(template)
      if child then return "list", place_of(template, child) end
      return "known", {}
    end
  end
  if node.props[name] then return "known", node.props[name] end
  local names = below_object(node)
  for _, other in ipairs(EVERYWHERE) do names[other] = true end
  names.stats = nil
  if names[name] then return "known", {} end
  return "unknown", sorted(names)
end

--- The words that a property allows, sorted; nil if they are not known.
function M.choices(facts)
  return type(facts.c) == "string" and facts.t == "s" and sorted(facts.choices) or nil
end

return M
