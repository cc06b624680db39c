-- Restarts of the daemons and reboots of the device: what clients see until it is ready again.
--
-- state.restart = { refused_until =, page_until =, unregistered_until = }, microseconds on the device's clock.
local errors = require "sim.errors"

local M = {}

-- The device looks at its clock this often while it is away, because specs move it.
local STEP_MS <const> = 50

function M.install(device)
  device.state.restart = device.state.restart or {}
  local cut = false

  -- The web server and restjavad start again: for `seconds` an HTML page, then, for as long again, URIs that are not registered yet.
  function device:restart(options)
    local seconds <const> = options and options.seconds or 10
    local restart <const> = self.state.restart
    restart.page_until = self:now() + math.floor(seconds * 500000)
    restart.unregistered_until = self:now() + math.floor(seconds * 1000000)
  end

  -- The whole device starts again: connections are cut, then refused for half of `seconds`, then as after a restart.
  function device:reboot(options)
    local seconds <const> = options and options.seconds or 60
    local restart <const> = self.state.restart
    restart.refused_until = self:now() + math.floor(seconds * 500000)
    restart.page_until = self:now() + math.floor(seconds * 750000)
    restart.unregistered_until = self:now() + math.floor(seconds * 1000000)
    cut = true
  end

  -- Whether everything is up.
  function device:is_ready()
    return not self.state.restart.unregistered_until
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
    local ready_at <const> = restart.unregistered_until
    if not ready_at then return nil end
    local now <const> = self:now()
    if now >= ready_at then
      restart.refused_until, restart.page_until, restart.unregistered_until = nil, nil, nil
      return nil
    end
    if restart.page_until and now < restart.page_until then
      return errors.html(503, "The Configuration Utility is restarting, please wait.", "Configuration Utility restarting...")
    end
    if request.segments[1] == "mgmt" and request.segments[2] == "tm" then return errors.not_public(request) end
    return errors.not_registered(request)
  end)
end

return M
