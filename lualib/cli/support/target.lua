-- The target of a one-line subcommand: PATH and NAME as references.
local terminal = require "f5.terminal"

local M = {}

--- Normalises a path: "tm/ltm/pool" and "/ltm/pool" become "ltm/pool". A link, or a path that
--- begins with "mgmt", becomes one that begins with "/mgmt". It can have a query.
function M.path(text)
  local absolute = text:match "^https?://[^/]+/+(mgmt/.*)$" or text:match "^/*(mgmt/.*)$"
  if absolute then return "/" .. absolute end
  if text:find "://" then return text end
  return (text:gsub("^/+", ""):gsub("^tm/", ""))
end

--- Returns the path of a sub-collection of the object with this name below a path.
-- @param object reference: the object
function M.below(path, name, object, collection)
  local is_absolute = path:sub(1, 1) == "/"
  if not is_absolute and not M.has_ids(path) then
    return path .. "/" .. name:gsub("/", "~") .. "/" .. collection
  end
  local version = is_absolute and path:match "%?.*ver=([^&#]*)"
  return tostring(object:at(collection)) .. (version and "?ver=" .. version or "")
end

--- Whether objects below the path have ids in their URIs instead of names.
function M.has_ids(path) return path:gsub("^/mgmt/tm/", ""):find "^asm/" ~= nil end

local ASM_NAMES <const> = { select = { "id", "name", "fullPath" } }
local NAMES <const> = { select = { "name", "fullPath" } }

--- Returns all objects of a collection.
-- @return array of { name = full name, short = name without partition, ref = reference, id = string
--   in ASM }; nil and the reason if there are no objects with names
function M.objects(bip, path)
  local found, ids = {}, M.has_ids(path)
  for object in bip:at(path):each(ids and ASM_NAMES or NAMES) do
    local full = object.fullPath or object.name
    if not full then return nil, path .. " is no collection of objects with names" end
    found[#found + 1] = {
      name = full,
      short = object.name or full,
      id = ids and object.id or nil,
      ref = bip:at(path, ids and object.id or full),
    }
  end
  return found
end

--- The message for a name that several objects have.
function M.several(objects, name)
  local lines = {}
  for i = 1, math.min(#objects, 10) do
    lines[i] = "\n  " .. terminal.line(objects[i].id or objects[i].name)
  end
  if #objects > 10 then lines[11] = ("\n  … and %d more"):format(#objects - 10) end
  return ("%d objects have the name '%s'; give the %s of one of them:%s"):format(
    #objects,
    name,
    objects[1].id and "id" or "full name",
    table.concat(lines)
  )
end

--- Returns a reference to the object with this name. Where URIs have ids, it asks the device.
-- @return reference, whether there is certainly no such object; nil and the reason if several
--   objects have the name
function M.object(bip, path, name)
  if not M.has_ids(path) then return bip:at(path, name) end
  local objects, why = M.objects(bip, path)
  if not objects then return nil, why end
  local named = {}
  for _, object in ipairs(objects) do
    if object.id == name then return object.ref end
    if object.name == name or object.short == name then named[#named + 1] = object end
  end
  if #named > 1 then return nil, M.several(named, name) end
  if named[1] then return named[1].ref end
  return bip:at(path, name), true -- the device reports that it does not exist
end

return M
