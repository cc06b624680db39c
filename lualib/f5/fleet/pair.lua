--- Changes on the active unit of a pair: find it, change it, synchronise, and check that the group
-- is in sync.

local core = require "f5.core"

local Pair = {}

--- Returns the device group to synchronise: the only sync-failover group of the device.
local function device_group(bip)
  local found = {}
  for group in bip:at("cm/device-group"):each() do
    if group.type == "sync-failover" then found[#found + 1] = group.name end
  end
  if #found > 1 then
    table.sort(found)
    error(
      core.error_new {
        kind = "invalid",
        device = tostring(bip),
        message = "more than one sync-failover device group ("
          .. table.concat(found, ", ") .. "): synchronise by hand and use sync = false",
      },
      0
    )
  end
  return found[1]
end

local function sync_status(bip)
  local entry = core.flat(bip:at("cm/sync-status"):load())[1] or {}
  return entry.status or "unknown", entry.summary
end

--- Synchronises the device's group and waits until it is in sync.
-- @param timeout number|nil: seconds, default 60
-- @return string: the status ("In Sync"); nil if the device is in no sync-failover group
function Pair.synchronise(bip, timeout)
  local group = device_group(bip)
  if not group then return nil end
  bip:at("cm"):run("run", { utilCmdArgs = "config-sync to-group " .. group })
  local deadline = core.now() + (timeout or 60)
  while true do
    local status, summary = sync_status(bip)
    if status == "In Sync" then return status end
    if core.now() >= deadline then
      error(
        core.error_new {
          kind = "timeout",
          device = tostring(bip),
          message = ("the device group %s is not in sync after %d s: %s (%s)"):format(
            group, timeout or 60, status, summary or "no summary"
          ),
        },
        0
      )
    end
    core.sleep(1)
  end
end

--- Runs fn if this unit is the active one, then synchronises.
-- @return table: result, or skipped with the reason
function Pair.on_active(bip, device, fn, sync)
  local state = bip:failover_state()
  if state ~= "active" then return { skipped = "the unit is " .. tostring(state) } end
  local before = bip:usage().writes
  local result = fn(bip, device)
  if sync and bip:usage().writes > before then Pair.synchronise(bip) end
  return { result = result }
end

return Pair
