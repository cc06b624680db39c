-- What would come from outside: the results of monitors and the connections of clients. Nothing passes through a simulated device, so its
-- owner says what is there, through a seed or through f5.sim.
--
-- state.traffic = { [path of a member] = { connections =, ending =, since = } }: `ending` of the connections end a second once the member takes no
-- new ones; since = when that began, as far as anybody looked.
local M = {}

local HEALTH <const> = { up = true, down = true }

-- What a monitor found: { path = of a node or a pool member, state = "up" | "down" }.
local function set_health(device, path, state)
  local object <const> = device.store:get(path)
  if not object then error("no such object: " .. path, 0) end
  if not HEALTH[state] then error("a monitor finds up or down, not " .. tostring(state), 0) end
  if object.state == "user-down" then return end
  local copy <const> = {}
  for key, value in pairs(object) do copy[key] = value end
  copy.state = state
  device.store:put(path, copy)
end

-- Takes { path =, health = "up" | "down", connections = 120, ending = 4 }; what is not given stays as it is.
function M.set(device, given)
  if given.health then set_health(device, given.path, given.health) end
  if given.connections then
    device.state.traffic[given.path] = { connections = given.connections, ending = given.ending or 1 }
  end
end

-- How many connections a member has now.
function M.connections(device, path, member)
  local traffic <const> = device.state.traffic[path]
  if not traffic then return 0 end
  if member.session ~= "user-disabled" and member.state ~= "user-down" then
    traffic.since = nil
    return traffic.connections
  end
  traffic.since = traffic.since or device:now()
  local ended <const> = (device:now() - traffic.since) * traffic.ending // 1000000
  return math.tointeger(math.max(0, traffic.connections - ended))
end

function M.install(device)
  device.state.traffic = device.state.traffic or {}
  device:on_plant(function(self, seed)
    for _, given in ipairs(seed.traffic or {}) do M.set(self, given) end
  end)
end

return M
