-- Restarts of the daemons and reboots of the device, as clients see them.
--
-- state.restart = { refused_until =, page_until =, unregistered_until =, ready_at = }, microseconds
-- on the device's clock.
local errors = require "sim.http.errors"
local extensions = require("sim.lazy") "sim.extensions"
local tasks = require "sim.tasks.task"

local M = {}

-- While the device is away, it checks its clock this often, because specs can move the clock.
local STEP_MS <const> = 50

function M.install(device)
  device.state.restart = device.state.restart or {}
  device.state.booted = device.state.booted or device:now() - 86400 * 1000000
  device.cut_connections = false
end

-- Restarts the web server and restjavad. For half of `seconds` clients get an HTML page, then URIs
-- are not registered yet.
function M.restart(device, options)
  local seconds = options and options.seconds or 10
  local restart = device.state.restart
  restart.page_until = device:now() + math.floor(seconds * 500000)
  restart.unregistered_until = device:now() + math.floor(seconds * 1000000)
  restart.ready_at = restart.unregistered_until
  extensions.restarted(device)
end

-- Reboots the device. Connections are cut and refused for half of `seconds`. Then follows what a
-- restart shows. At the end the device answers, but is still loading its configuration.
function M.reboot(device, options)
  local seconds = options and options.seconds or 60
  local restart = device.state.restart
  restart.refused_until = device:now() + math.floor(seconds * 500000)
  restart.page_until = device:now() + math.floor(seconds * 700000)
  restart.unregistered_until = device:now() + math.floor(seconds * 850000)
  restart.ready_at = device:now() + math.floor(seconds * 1000000)
  restart.boot_until = restart.ready_at
  device.state.booted = restart.refused_until
  tasks.forget(device)
  extensions.restarted(device)
  device.cut_connections = true
end

-- Whether the device is up and its configuration is loaded.
function M.is_ready(device)
  local ready_at = device.state.restart.ready_at
  return not ready_at or device:now() >= ready_at
end

-- Whether the device is in a reboot, so that no other device can reach it either.
function M.is_booting(device)
  local boot_until = device.state.restart.boot_until
  return boot_until ~= nil and device:now() < boot_until
end

-- What the server must do, see sim_wish in runtime/sim/device.h. `wait_ms`: when it must ask again
-- for another reason; 0: never.
function M.wish(device, wait_ms)
  local refused = device.state.restart.refused_until
  local away = refused ~= nil and refused > device:now()
  local text = ("%d %d %d"):format(
    away and 0 or 1, device.cut_connections and 1 or 0, away and STEP_MS or wait_ms
  )
  device.cut_connections = false
  return text
end

-- Answers while the device is away.
function M.filter(device, request)
  local restart = device.state.restart
  local routed_at = restart.unregistered_until
  if not routed_at then return nil end
  local now = device:now()
  if device.twin then
    local segments = request.segments
    if segments[1] == "f5lua-sim" or segments[2] == "f5lua-sim" then return nil end -- its report
    if restart.refused_until and now < restart.refused_until then
      return { status = 0, reset = true }
    end
  end
  if now >= routed_at then
    restart.refused_until, restart.page_until, restart.unregistered_until = nil, nil, nil
    return nil
  end
  if restart.page_until and now < restart.page_until then
    return errors.html(
      503,
      "The Configuration Utility is restarting, please wait.",
      "Configuration Utility restarting..."
    )
  end
  if request.segments[1] == "mgmt" and request.segments[2] == "tm" then
    return errors.not_public(request)
  end
  return errors.not_registered(request)
end

-- Makes the server ask for `wish` right after a command that restarts the device.
function M.observe(_, request, response)
  if request.wish then response.wish = true end
end

return M
