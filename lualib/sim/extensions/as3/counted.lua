-- Nodes and addresses of /Common that several tenants share. Their metadata `references` says how
-- many; the last tenant takes the object away.
local tables = require "sim.tables"
local values = require "sim.extensions.as3.values"

local M = {}

local function is_counted(wanted)
  local metadata = wanted.properties.metadata
  return wanted.path:find "^/Common/[^/]+$" and type(metadata) == "table" and metadata.references
end

-- How many other tenants have an object, and what it is for one of them.
local function others(deployed, name, place)
  local count, one = 0, nil
  for other, objects in pairs(deployed) do
    if other ~= name and objects[place] then count, one = count + 1, objects[place] end
  end
  return count, one
end

local function with_count(wanted, count)
  local copy = tables.copy(wanted)
  copy.properties.metadata.references = { value = tostring(count) }
  return values.object(copy)
end

--- Sets the counts of the objects that a tenant wants.
-- @param deployed what AS3 has made: tenant -> place in the store -> object
function M.set(objects, name, deployed)
  for i, object in ipairs(objects) do
    local count = is_counted(object.wanted) and others(deployed, name, object.place) or 0
    if count > 0 then objects[i] = with_count(object.wanted, count + 1) end
  end
end

--- What becomes of an object that a tenant does not want any more: the object for those that still
--- need it, or nil if nobody does. The second result says whether somebody does.
function M.without(name, place, deployed)
  local count, one = others(deployed, name, place)
  if count == 0 then return nil, false end
  if not is_counted(one) then return nil, true end
  return with_count({ kind = one.kind, path = one.path, properties = one.properties }, count), true
end

return M
