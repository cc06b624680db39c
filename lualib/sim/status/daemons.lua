-- The daemons of a device. Without tmm the device is offline. A restart of the REST daemons takes a
-- while.
--
-- state.services = { [name] = "run" | "down" }.
local restart = require "sim.http.restart"

local M = {}

-- A restart of these interrupts REST.
local REST_SERVICES <const> = { httpd = true, restjavad = true, icrd = true, all = true }
local REST_RESTART_SECONDS <const> = 20
local TMM_SECONDS <const> = 10

local STATE <const> = "/mgmt/tm/sys/db/failover.state"

-- Sets the failover state, also in its database variable and in the object of this device in
-- cm/device.
function M.set_failover(device, state)
  device.state.failover = state
  local variable = {}
  for key, value in pairs(device.store:get(STATE)) do variable[key] = value end
  variable.value = state:gsub("-", "_")
  device.store:put(STATE, variable)
  for _, object in ipairs(device.store:list "/mgmt/tm/cm/device") do
    if object.selfDevice == "true" then
      local copy = {}
      for key, value in pairs(object) do copy[key] = value end
      copy.failoverState = state
      device.store:put("/mgmt/tm/cm/device/" .. object.fullPath:gsub("/", "~"), copy)
    end
  end
end

-- Starts, stops or restarts a service.
function M.service(device, name, action)
  device.state.services[name] = action == "stop" and "down" or "run"
  if name == "tmm" then
    local before = device.state.failover
    if action == "start" then
      if before == "offline" then
        M.set_failover(device, device.state.trust.active and "standby" or "active")
      end
    elseif before ~= "offline" then
      M.set_failover(device, "offline")
      if action == "restart" then
        device:schedule(device:now() + TMM_SECONDS * 1000000, "tmm_started", before)
      end
    end
  end
  if action == "restart" and REST_SERVICES[name] then
    restart.restart(device, { seconds = REST_RESTART_SECONDS })
  end
end

function M.install(device)
  device.state.services = device.state.services or {}
  device:on("tmm_started", function(self, before)
    if self.state.failover == "offline" then M.set_failover(self, before) end
  end)
end

return M
