-- What a path below /mgmt/tm means: an organizing collection, a collection, a resource, a
-- singleton, or the statistics or the example of one of them.
local catalogue = require "sim.config.catalogue"

local M = {}

local ROOT <const> = "/mgmt/tm"

-- Ends of a path that are no name.
local SUFFIXES <const> = { stats = true, example = true }

-- A name in a path -> the segment that the store has: short names are looked for in Common.
local function canonical(node, segment)
  if node.flat then
    if node.full_names and segment:sub(1, 1) ~= "~" then return "~Common~" .. segment, true end
    return segment, false
  end
  if segment:sub(1, 1) == "~" then return segment, false end
  return "~Common~" .. segment, true
end

-- segments: { "mgmt", "tm", "ltm", "pool", "~Common~web", "stats" }, names with `~`.
-- Answer: nil if there is no such URI, else a table with
--   what        "organizing", "collection", "resource", "singleton", "show", or "public" (a sub-collection without its owner)
--   suffix      "stats", "example" or nil
--   node, template
--   path        the path as the store has it, shown: the path as it was asked for
--   collection  of a resource: the path of its collection
--   parent      of a sub-collection and its resources: the path of the resource that has it
--   id          of a resource: the last segment as the store has it; short: whether it was asked for without a partition
function M.resolve(segments)
  if #segments < 3 then return nil end
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
    local below = target.what == "resource" and target.template .. "/*/" .. segment
      or target.template .. "/" .. segment
    local child = catalogue.find(below)
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
      local inner = catalogue.find(target.template .. "/*/" .. segment)
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

-- The same for a path as the store has it.
function M.parse(path)
  local segments = {}
  for segment in path:gmatch "[^/]+" do segments[#segments + 1] = segment end
  return M.resolve(segments)
end

return M
