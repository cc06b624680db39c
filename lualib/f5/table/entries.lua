-- Nested entries, as of sys/version and sys/hardware, as rows of a table.

local stats = require "f5.stats"

-- What may be beside the entries without being lost: it says only where the answer comes from.
local PLACE <const> = { entries = true, kind = true, selfLink = true, generation = true }

---@param body table an answer of a device
---@return table[]|nil rows nil if the answer has other properties, too, or no entries
return function(body)
  if type(body.entries) ~= "table" then return nil end
  for key in pairs(body) do
    if not PLACE[key] then return nil end
  end
  return stats.named(body)
end
