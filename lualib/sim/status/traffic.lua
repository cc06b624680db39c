-- Traffic through the device. There is none in reality: the device's owner sets the numbers, by a
-- seed or by f5.sim.
--
-- state.traffic = { [path of an object] = { connections =, ending =, since =, counters = { [name] =
-- value }, rate = { } } }. `ending`: so many connections of a member end each second when it takes
-- no new ones; `since`: when that began; `most`: the largest number of connections. `counters`:
-- values of /stats instead of 0. `rate`: traffic each second. See sim/status/flow.lua.
local flow = require "sim.status.flow"
local monitoring = require "sim.status.monitoring"
local names = require "sim.config.names"

local M = {}

local POOLS <const> = "/mgmt/tm/ltm/pool/"

local function takes_none(member)
  return member.session == "user-disabled" or member.state == "user-down"
end

-- Sets traffic: { path =, health = "up" | "down", connections = 120, ending = 4, counters = {
-- ["serverside.totConns"] = 9 }, rate = { connections = 5 } }. Fields that are not given keep their
-- values.
function M.set(device, given)
  if not device.store:get(given.path) then
    error(("traffic: unknown object '%s'"):format(tostring(given.path)), 0)
  end
  if given.health then monitoring.set(device, { [given.path] = given.health }) end
  if given.connections then
    for _, name in ipairs { "connections", "ending" } do
      if given[name] and (math.type(given[name]) ~= "integer" or given[name] < 0) then
        error(("traffic: expected a whole number for %s"):format(name), 0)
      end
    end
    local known = device.state.traffic[given.path] or {}
    device.state.traffic[given.path] = known
    known.connections, known.ending = given.connections, given.ending or 1
    known.most = math.max(known.most or 0, given.connections)
    known.since = takes_none(device.store:get(given.path)) and device:now() or nil
  end
  if given.counters then flow.set_counters(device, given.path, given.counters) end
  if given.rate then flow.set_rate(device, given.path, given.rate) end
end

--- Counts what came until now; before statistics are read.
M.count = flow.advance

-- The counters of the object at a path that are not 0.
function M.counters(device, path)
  local known = device.state.traffic[path]
  return known and known.counters or {}
end

-- reset-stats: sets the counters at a path and below it to 0. Gauges (current connections,
-- sessions) keep their values.
function M.reset(device, path)
  flow.advance(device)
  for other, known in pairs(device.state.traffic) do
    if known.counters and (other == path or other:sub(1, #path + 1) == path .. "/") then
      local left = {}
      for name, value in pairs(known.counters) do
        if name:find "[cC]urConns$" or name == "curSessions" then left[name] = value end
      end
      known.counters, known.fixed, known.most = left, nil, nil
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

--- The largest number of connections that a member had.
function M.most(device, path)
  local known = device.state.traffic[path]
  return known and known.most or 0
end

-- The current and the largest number of connections of members.
local function sum(device, paths)
  local current, most = 0, 0
  for _, path in ipairs(paths) do
    current, most = current + M.connections(device, path), most + M.most(device, path)
  end
  return current, most
end

--- The current and the largest number of connections of the members of a pool.
function M.of_pool(device, path)
  if not next(device.state.traffic) then return 0, 0 end
  local paths = {}
  for n, segment in ipairs(device.store:segments(path .. "/members")) do
    paths[n] = path .. "/members/" .. segment
  end
  return sum(device, paths)
end

--- The same of the members of a node.
function M.of_node(device, path)
  if not next(device.state.traffic) then return 0, 0 end
  local paths = {}
  for _, user in ipairs(device.store:users(path)) do
    if flow.is_member(user) then paths[#paths + 1] = user end
  end
  return sum(device, paths)
end

--- The same of a virtual server: those of its pool, if its traffic comes through this one.
function M.of_virtual(device, path, virtual)
  if not next(device.state.traffic) or not virtual.pool then return 0, 0 end
  local pool = POOLS .. names.segment(virtual.pool)
  if flow.virtual_of(device.store, pool) ~= path then return 0, 0 end
  return M.of_pool(device, pool)
end

--- The same of the whole device, and of all its virtual servers.
function M.of_device(device)
  local current, front = 0, 0
  for path, known in pairs(device.state.traffic) do
    if known.connections and flow.is_member(path) and device.store:get(path) then
      local connections = M.connections(device, path)
      current = current + connections
      if flow.virtual_of(device.store, path:match "^(.*)/members/") then
        front = front + connections
      end
    end
  end
  return current, front
end

--- The traffic of the device each second; see flow.rates.
M.rates = flow.rates

--- The device's own counters.
function M.totals(device) return M.counters(device, flow.DEVICE) end

function M.install(device)
  device.state.traffic = device.state.traffic or {}
  flow.install(device)
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
