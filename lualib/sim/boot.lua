-- Where runtime/sim/device.c enters: makes the device of a server and says how it is called.
local json = require "f5.json"
local Device = require "sim.device"
local control = require "sim.control"
local request_maker = require "sim.request"

local M = {}

-- options: JSON text, see Device.new. Returns the functions `handle` and `call`.
function M.start(options)
  local device <const> = Device.new(json.decode(options))

  local function handle(method, target, headers, body, remote, connection)
    local request <const> = request_maker.complete {
      method = method, target = target, headers = headers, body = body, remote = remote, connection = connection,
    }
    return device:finish(request, device:handle(request))
  end

  -- One of sim/control.lua's functions by name: JSON text in, JSON text out.
  local function call(name, text)
    if name == "wish" then return control.wish(device) end
    local control_function <const> = control[name] or error("no such control: " .. name, 0)
    local argument
    if text ~= "" then argument = json.decode(text) end
    local result <const> = control_function(device, argument)
    return result ~= nil and json.encode(result) or "null"
  end

  return handle, call
end

return M
