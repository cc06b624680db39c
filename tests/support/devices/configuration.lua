-- What is configured on a simulated device, to compare it with what was there before.
local json = require "f5.json"

local M = {}

-- A device sets these by itself.
local CHANGING <const> = {
  generation = true, lastModifiedTime = true, creationTime = true, _own = true, vsIndex = true,
  lastModified = true,
}

--- All objects but those of iCall: path -> JSON text.
function M.objects(device)
  local kept = {}
  for path, object in pairs(device:state().objects.items) do
    if not path:find "/sys/icall/" then
      local copy = {}
      for key, value in pairs(object) do
        if not CHANGING[key] then copy[key] = value end
      end
      kept[path] = json.encode(copy, { sort = true })
    end
  end
  return kept
end

--- The lines "path: before -> now" of what differs from `before`, a result of `objects`.
function M.differences(device, before)
  local now, lines = M.objects(device), {}
  for path, text in pairs(before) do
    if now[path] ~= text then
      lines[#lines + 1] = ("%s: %s -> %s"):format(path, text, now[path])
    end
  end
  for path, text in pairs(now) do
    if not before[path] then lines[#lines + 1] = ("%s: -> %s"):format(path, text) end
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

return M
