-- Traffic through the device. There is none in reality: the device's owner sets the numbers, by a
-- seed or by f5.sim.
--
-- state.traffic = { [path of an object] = { connections =, ending =, since =, counters = { [name] =
-- value } } }. `ending`: so many connections of a member end each second when it takes no new ones;
-- `since`: when that began. `counters`: values of /stats instead of 0.
local monitoring = require "sim.status.monitoring"

local M = {}

local function takes_none(member)
  return member.session == "user-disabled" or member.state == "user-down"
end

-- Sets traffic: { path =, health = "up" | "down", connections = 120, ending = 4, counters = {
-- ["serverside.totConns"] = 9 } }. Fields that are not given keep their values.
function M.set(device, given)
  if not device.store:get(given.path) then
    error(("traffic: unknown object '%s'"):format(tostring(given.path)), 0)
  end
  if given.health then monitoring.set(device, { [given.path] = given.health }) end
  local known = device.state.traffic[given.path] or {}
  local fresh = {
    connections = known.connections, ending = known.ending, since = known.since,
    counters = known.counters,
  }
  if given.connections then
    fresh.connections, fresh.ending = given.connections, given.ending or 1
    fresh.since = takes_none(device.store:get(given.path)) and device:now() or nil
  end
  if given.counters then
    fresh.counters = {}
    for name, value in pairs(known.counters or {}) do fresh.counters[name] = value end
    for name, value in pairs(given.counters) do fresh.counters[name] = value end
  end
  if next(fresh) then device.state.traffic[given.path] = fresh end
end

-- The counters of the object at a path that are not 0.
function M.counters(device, path)
  local known = device.state.traffic[path]
  return known and known.counters or {}
end

-- reset-stats: sets the counters at a path and below it to 0. Gauges (current connections,
-- sessions) keep their values.
function M.reset(device, path)
  for other, known in pairs(device.state.traffic) do
    if known.counters and (other == path or other:sub(1, #path + 1) == path .. "/") then
      local left = {}
      for name, value in pairs(known.counters) do
        if name:find "[cC]urConns$" or name == "curSessions" then left[name] = value end
      end
      known.counters = left
    end
  end
end

-- The current number of connections of a member.
function M.connections(device, path)
  local known = device.state.traffic[path]
  if not (known and known.connections) then return 0 end
  if not known.since then return known.connections end
  local ended = (device:now() - known.since) * known.ending // 1000000
  return math.tointeger(math.max(0, known.connections - ended))
end

function M.install(device)
  device.state.traffic = device.state.traffic or {}
  device.store:watch("/mgmt/tm/ltm/pool/", function(path, member)
    local known = device.state.traffic[path]
    if known and known.connections then
      known.since = member and takes_none(member) and (known.since or device:now()) or nil
    end
  end)
  device:on_plant(function(self, seed)
    for _, given in ipairs(seed.traffic or {}) do M.set(self, given) end
  end)
end

return M
