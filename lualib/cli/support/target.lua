-- The target of a one-line subcommand: PATH and NAME as references.
local terminal = require "f5.terminal"

local M = {}

--- Normalises a path: "tm/ltm/pool", "/ltm/pool" and "mgmt/tm/ltm/pool" become "ltm/pool".
function M.path(text)
  local absolute = text:match "^/*(mgmt/.*)$"
  if absolute then return "/" .. absolute end
  if text:find "://" then return text end
  return (text:gsub("^/+", ""):gsub("^tm/", ""))
end

--- Whether objects below the path have ids in their URIs instead of names.
function M.has_ids(path) return path:gsub("^/mgmt/tm/", ""):find "^asm/" ~= nil end

local ASM_NAMES <const> = { select = { "id", "name", "fullPath" } }
local NAMES <const> = { select = { "name", "fullPath" } }

--- Returns all objects of a collection.
-- @return array of { name = full name, short = name without partition, ref = reference, id = string
--   in ASM }
function M.objects(bip, path)
  local found, ids = {}, M.has_ids(path)
  for object in bip:at(path):each(ids and ASM_NAMES or NAMES) do
    local full = object.fullPath or object.name
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
-- @return reference; nil and the reason if several objects have the name
function M.object(bip, path, name)
  if not M.has_ids(path) then return bip:at(path, name) end
  local named = {}
  for _, object in ipairs(M.objects(bip, path)) do
    if object.id == name then return object.ref end
    if object.name == name or object.short == name then named[#named + 1] = object end
  end
  if #named > 1 then return nil, M.several(named, name) end
  return named[1] and named[1].ref
    or bip:at(path, name) -- the device reports that it does not exist
end

return M
