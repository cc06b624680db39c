-- Where a one-line subcommand goes: the PATH and NAME of a command line as references.
local M = {}

--- A path as people copy it, as bip:at takes it: "tm/ltm/pool", "/ltm/pool" and "mgmt/tm/ltm/pool" are what "ltm/pool" is.
function M.path(text)
  local absolute <const> = text:match "^/*(mgmt/.*)$"
  if absolute then return "/" .. absolute end
  if text:find "://" then return text end
  return (text:gsub("^/+", ""):gsub("^tm/", ""))
end

--- Whether objects below the path have hash ids in their URIs, and not their names.
function M.has_ids(path) return path:gsub("^/mgmt/tm/", ""):find "^asm/" ~= nil end

local ASM_NAMES <const> = { select = { "id", "name", "fullPath" } }

--- The object of a collection with this name, as a reference; where URIs have ids the device is asked for it.
function M.object(bip, path, name)
  if not M.has_ids(path) then return bip:at(path, name) end
  for object in bip:at(path):each(ASM_NAMES) do
    if object.fullPath == name or object.name == name then return bip:at(path, object.id) end
  end
  return bip:at(path, name) -- an id, or what the device itself says is not there
end

--- All objects of a collection that a predicate on their names takes.
-- @param takes function(name, full name) -> boolean
-- @return array of { name = full name, ref = reference }
function M.objects(bip, path, takes)
  local found, ids = {}, M.has_ids(path)
  for object in bip:at(path):each(ids and ASM_NAMES or { select = { "fullPath", "name" } }) do
    local full <const> = object.fullPath or object.name
    if takes(object.name or full, full) then
      found[#found + 1] = { name = full, ref = bip:at(path, ids and object.id or full) }
    end
  end
  return found
end

return M
