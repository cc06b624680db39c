-- Restarts of the daemons and reboots of the device: what clients see until it is ready again.
--
-- state.restart = { refused_until =, page_until =, unregistered_until =, ready_at = }, microseconds
-- on the device's clock.
local errors = require "sim.http.errors"

local M = {}

-- The device looks at its clock this often while it is away, because specs move it.
local STEP_MS <const> = 50

function M.install(device)
  device.state.restart = device.state.restart or {}
  device.state.booted = device.state.booted or device:now() - 86400 * 1000000
  local cut = false

  -- The web server and restjavad start again: for `seconds` an HTML page, then, for as long again,
  -- URIs that are not registered yet.
  function device:restart(options)
    local seconds <const> = options and options.seconds or 10
    local restart <const> = self.state.restart
    restart.page_until = self:now() + math.floor(seconds * 500000)
    restart.unregistered_until = self:now() + math.floor(seconds * 1000000)
    restart.ready_at = restart.unregistered_until
  end

  -- The whole device starts again: connections are cut, then refused for half of `seconds`, then as
  -- after a restart, and at the end it answers but is still loading its configuration.
  function device:reboot(options)
    local seconds <const> = options and options.seconds or 60
    local restart <const> = self.state.restart
    restart.refused_until = self:now() + math.floor(seconds * 500000)
    restart.page_until = self:now() + math.floor(seconds * 700000)
    restart.unregistered_until = self:now() + math.floor(seconds * 850000)
    restart.ready_at = self:now() + math.floor(seconds * 1000000)
    self.state.booted = restart.refused_until
    self:forget_tasks()
    cut = true
  end

  -- Whether everything is up, the configuration loaded.
  function device:is_ready()
    local ready_at <const> = self.state.restart.ready_at
    return not ready_at or self:now() >= ready_at
  end

  function device:wish()
    local refused <const> = self.state.restart.refused_until
    local away <const> = refused ~= nil and refused > self:now()
    local text <const> = ("%d %d %d"):format(away and 0 or 1, cut and 1 or 0, away and STEP_MS or 0)
    cut = false
    return text
  end

  device:filter(10, function(self, request)
    local restart <const> = self.state.restart
    local routed_at <const> = restart.unregistered_until
    if not routed_at then return nil end
    local now <const> = self:now()
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
  end)
end

return M
