-- A member of a pool has one name on the device, 10.0.0.1:80. Scripts may write 10.0.0.1:http. A
-- device does not find it by that name, but does not create it either.

local addresses = require "f5.ensure.addresses"
local compare = require "f5.ensure.compare"
local core = require "f5.core"

local M = {}

-- Whether the name is not in the form in which devices name members.
local function has_other_form(name)
  local _, form = addresses.endpoint(name)
  if not form then return false end
  local host, port = form:match "^(.*) (%d+)$"
  local last = name:match "[^/]+$"
  return not last:find("[:.]" .. port .. "$") or last:find "%%0[:.]" ~= nil
    or host:find ":" ~= nil and last:find "%u" ~= nil
end

--- Returns the reference of the object that the device has under another spelling of the name at
-- the end of `ref`; nil if there is none. It asks the device only if the name has other spellings.
function M.find(ref)
  if not tostring(ref):find "^/mgmt/tm/.+/.+[:.]" then return nil end
  local parent, name = core.parent(ref)
  if not has_other_form(name) then return nil end
  local found, list = pcall(function()
    return parent:list { select = { "name", "partition", "fullPath", "address" } }
  end)
  if not found then
    if type(list) == "table" and list.kind == "not_found" then return nil end
    error(list, 0)
  end
  local element = compare.find(compare.index(list) or {}, { name = name })
  return element and parent:at(element.fullPath or element.name) or nil
end

return M
