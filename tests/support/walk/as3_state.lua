-- What a device holds, to compare what declarations leave behind: all objects, without what counts
-- or dates changes, and without what AS3 keeps for itself.
local json = require "f5.json"

local M = {}

-- Counters and dates, and secrets, whose ciphertext differs each time.
local VARIES <const> = {
  generation = true, lastModifiedTime = true, creationTime = true, createTime = true,
  lastUpdateTime = true, lastModified = true, revision = true, _own = true, vsIndex = true,
  password = true, passphrase = true, secret = true,
}

local function own(path) return path:find("appsvcs_", 1, true) or path:find("~appsvcs", 1, true) end

local function shown(path, object)
  local copy = {}
  for key, value in pairs(object) do
    -- the description of a partition says when AS3 changed it
    local is_date = key == "description" and path:find "^/mgmt/tm/auth/partition/"
    if not VARIES[key] and not is_date then copy[key] = value end
  end
  return copy
end

--- The objects of a simulated device: path -> properties.
function M.read(device)
  local objects = {}
  for path, object in pairs(device:state().objects.items) do
    if not own(path) or path:find("f5_appsvcs", 1, true) then
      objects[path] = shown(path, object)
    end
  end
  return objects
end

local function text(value)
  if type(value) == "table" then return json.encode(value, { sort = true }) end
  return tostring(value)
end

--- How the objects of a device differ from those that were read before: sorted texts.
function M.differences(before, after)
  local list = {}
  for path, object in pairs(before) do
    if not after[path] then
      list[#list + 1] = "gone: " .. path
    else
      for _, pair in ipairs { { object, after[path] }, { after[path], object } } do
        for key in pairs(pair[1]) do
          local was, is = text(object[key]), text(after[path][key])
          if was ~= is and (pair[1] == object or object[key] == nil) then
            list[#list + 1] = ("%s %s: %s, was %s"):format(path, key, is, was)
          end
        end
      end
    end
  end
  for path in pairs(after) do
    if not before[path] then list[#list + 1] = "new: " .. path end
  end
  table.sort(list)
  return list
end

return M
