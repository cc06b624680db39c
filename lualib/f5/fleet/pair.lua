--- Changes on the active unit of a pair: find it, change it, synchronise, and check that the group
-- is in sync.

local ha = require "f5.jobs.ha"

local Pair = {}

--- Runs fn if this unit is the active one, then synchronises.
-- @return table: result, or skipped with the reason
function Pair.on_active(bip, device, fn, sync)
  local state = bip:failover_state()
  if state ~= "active" then return { skipped = "the unit is " .. tostring(state) } end
  local before = bip:usage().writes
  local result = fn(bip, device)
  if sync and bip:usage().writes > before then ha.synchronise(bip) end
  return { result = result }
end

return Pair
