-- The entry for runtime/sim/device.c. Makes the device of a server, or a fleet of devices, and
-- returns the functions that the server calls.
local json = require "f5.json"
local Device = require "sim.device"
local Fleet = require "sim.fleet"
local calls = require "sim.cluster.calls"
local control = require "sim.control"
local request_maker = require "sim.http.request"
local turns = require "sim.turns"

local M = {}

local READS <const> = { GET = true, HEAD = true, OPTIONS = true }

-- Logins and tokens are no objects, and must not wait for those who change objects.
local SESSIONS <const> = { "^/mgmt/shared/authn/login/?$", "^/mgmt/shared/authz/tokens/" }

local function may_change(request)
  local may = not READS[request.method]
  for _, pattern in ipairs(SESSIONS) do may = may and not request.path:find(pattern) end
  return may
end

-- Runs what is due on the device's clock. It is no part of a request, so it may go on later.
local function run_due(device)
  local due = device.state.clock.events[1]
  if not due or device.changing or due.due > device:now() then return end
  turns.run(device, true, nil, function() device:run_due() end)
end

-- options: JSON text, see Device.new; with `fleet` see Fleet.new. Returns the functions `handle`,
-- `call`, `answered` and `woken` (see sim/cluster/calls.lua), `found` (see sim/twin/init.lua).
function M.start(options)
  options = json.decode(options)
  local fleet = options.fleet and Fleet.new(options)
  local only = not fleet and Device.new(options)

  -- address: the local address of the connection. minor: the x of HTTP/1.x. ticket: the number of
  -- the request, for an answer that comes later (`later` in the response).
  local function handle(method, target, headers, body, remote, connection, address, minor, ticket)
    local device = only or fleet:at(address)
    if not device then return { status = 0, reset = true } end
    local function make()
      return request_maker.complete {
        method = method,
        target = target,
        headers = headers,
        body = body,
        remote = remote,
        connection = connection,
        minor = minor,
        ticket = ticket,
      }
    end
    if device.twin then return device.twin:receive(make, ticket) end
    local request = make()
    run_due(device)
    return turns.run(device, may_change(request), ticket, function()
      local response = device:handle(request)
      return response.later and response or device:finish(request, response)
    end)
  end

  -- Calls a function of sim/control.lua by its name, with JSON text as argument and result. For a
  -- fleet the name begins with the address of the device: "127.0.0.7/state".
  local function call(name, text)
    local address, rest = name:match "^([%d.]+)/(.*)$"
    local device = only or fleet:at(address or "")
    if name == "wish" then
      if fleet then return fleet:wish(control.wish) end
      -- a twin can always be asked for its report
      return only.twin and "1 0 0" or control.wish(only)
    end
    if fleet and name == "close" then return fleet:close() end
    if fleet and name == "add_twin" then
      fleet:add_twin(json.decode(text))
      return "null"
    end
    if not device then
      error("expected ADDRESS/NAME of a device of the fleet, got " .. name, 0)
    end
    if device.twin then require("sim.twin.wants").catch_up() end
    if name ~= "close" then turns.finish(device) end
    local control_function = control[rest or name]
      or error(("unknown control function '%s'"):format(name), 0)
    local argument
    if text ~= "" then argument = json.decode(text) end
    local result = control_function(device, argument)
    return result ~= nil and json.encode(result) or "null"
  end

  -- Without a number there is nothing new: what waits goes on.
  local function found(number, ...)
    if number == 0 and turns.are_waiting() then return turns.go_on() end
    return require("sim.twin").found(number, ...)
  end

  return handle, call, calls.answered, calls.woken, found
end

return M
