-- Resolves paths below /mgmt/tm: an organizing collection, a collection, a resource, a singleton,
-- or the statistics or the example of one of them.
local catalogue = require "sim.config.catalogue"

local M = {}

local ROOT <const> = "/mgmt/tm"
local TILDE <const> = ("~"):byte()

-- Last segments that are not names.
local SUFFIXES <const> = { stats = true, example = true }

-- The segment in the store for a name in a path: names without a partition are in Common.
local function canonical(node, segment)
  if node.flat then
    if node.full_names and segment:sub(1, 1) ~= "~" then return "~Common~" .. segment, true end
    return segment, false
  end
  if segment:sub(1, 1) == "~" then return segment, false end
  return "~Common~" .. segment, true
end

-- segments: { "mgmt", "tm", "ltm", "pool", "~Common~web", "stats" }, names with `~`.
-- Returns nil for an unknown URI, else a table with
--   what        "organizing", "collection", "resource", "singleton" or "show"
--   suffix      "stats", "example" or nil
--   node, template   of the kind, see sim/config/catalogue.lua
--   path        the path in the store
--   shown       the path in the request
--   collection  of a resource: the path of its collection
--   parent      of a sub-collection and its resources: the path of the owner
--   id          of a resource: the last segment in the store
--   short       of a resource: whether the request names it without a partition
--   public      a sub-collection without the name of its owner, if the path can also mean that
function M.resolve(segments)
  if #segments < 3 then return nil end
  for _, segment in ipairs(segments) do
    if segment:find("/", 1, true) then return nil end  -- it was %2F, which no name has
  end
  local template = segments[3]
  local node = catalogue.find(template)
  if not node then return nil end
  local target = {
    what = node.type, node = node, template = template, path = ROOT .. "/" .. template,
    shown = ROOT .. "/" .. template,
  }
  for i = 4, #segments do
    local segment = segments[i]
    local last = i == #segments
    local is_name = segment == "*" or segment:byte() == TILDE -- no part of a template
    local below = not is_name and (target.what == "resource" and target.template .. "/*/" .. segment
      or target.template .. "/" .. segment)
    local child = below and catalogue.find(below)
    if last and SUFFIXES[segment] and not child then
      target.suffix = segment
      return target
    end
    if child and not (target.what == "collection" and child.type == "show" and child.hidden) then
      target = {
        what = child.type,
        node = child,
        template = below,
        path = target.path .. "/" .. segment,
        shown = target.shown .. "/" .. segment,
        parent = target.what == "resource" and target.path or nil,
      }
    elseif target.what == "collection" then
      local inner = not is_name and catalogue.find(target.template .. "/*/" .. segment)
      local id, short = canonical(target.node, segment)
      target = {
        what = "resource",
        node = target.node,
        template = target.template,
        path = target.path .. "/" .. id,
        shown = target.shown .. "/" .. segment,
        collection = target.path,
        parent = target.parent,
        id = id,
        short = short,
        public = inner and {
          node = inner, template = target.template .. "/*/" .. segment, collection = target.path,
          sub = segment,
        } or nil,
      }
    else
      return nil
    end
  end
  return target
end

-- Resolves a path of the store.
function M.parse(path)
  local segments = {}
  for segment in path:gmatch "[^/]+" do segments[#segments + 1] = segment end
  return M.resolve(segments)
end

local last_above, last_target  -- of M.like

--- What the path of an object means, like M.parse, but its names can be those of another object of
--- the collection: objects of one collection often come in a row.
function M.like(path)
  local above, name = path:match "^(.*)/([^/]+)$"
  if above == last_above and name:byte() == TILDE then return last_target end
  local target = M.parse(path)
  if target and target.what == "resource" and not target.suffix then
    last_above, last_target = above, target
  end
  return target
end

return M
