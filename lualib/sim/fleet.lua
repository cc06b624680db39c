-- Many simulated devices behind one port: 127.0.0.1 is the first, 127.0.0.2 the second, 127.0.1.0
-- the 256th …
--
-- Each device has its own state, name and users. It is made at its first request, as a copy of a
-- device in factory state. A share of them can misbehave: failing ones have lost mcpd, slow ones
-- take seconds to answer, restarting ones are away for a while after their first request.
local Device = require "sim.device"
local faults = require "sim.http.fault"
local restart = require "sim.http.restart"

local Fleet = {}
Fleet.__index = Fleet

local SLOW_MS <const>, RESTART_SECONDS <const> = 2000, 20

-- options: those of Device.new; fleet (how many), failing, slow, restarting (shares, 0 to 1).
function Fleet.new(options)
  local plain = {}
  for key, value in pairs(options) do plain[key] = value end
  plain.users, plain.hostname, plain.log = nil, "template.example.net", nil
  return setmetatable({
    options = options, template = not options.twins and Device.new(plain) or nil, devices = {},
  }, Fleet)
end

-- How device n misbehaves, or nil. These devices are spread evenly and are the same in every run.
local function fate(options, n)
  -- multiples of the golden ratio are even in every prefix of the fleet
  local place = (n * 0.6180339887498949) % 1
  for _, kind in ipairs { "failing", "slow", "restarting" } do
    local share = options[kind] or 0
    if place < share then return kind end
    place = place - share
  end
  return nil
end

local function make(self, n, address)
  local options = {}
  for key, value in pairs(self.options) do options[key] = value end
  options.template, options.address = self.template, address
  options.twin = options.twins and options.twins[n]
  options.hostname = ("bigip%d.example.net"):format(n)
  local kind = fate(self.options, n)
  if kind == "slow" then options.latency_ms = SLOW_MS end
  local device = Device.new(options)
  if kind == "failing" then
    faults.add(
      device,
      { match = { path = "^/mgmt/tm/" }, times = math.maxinteger, kind = "mcpd_lost" }
    )
  elseif kind == "restarting" then
    restart.restart(device, { seconds = RESTART_SECONDS })
  end
  return device
end

-- The device at a local address, or nil if the fleet is smaller.
function Fleet:at(address)
  local device = self.devices[address]
  if device then return device end
  local b, c, d = address:match "^127%.(%d+)%.(%d+)%.(%d+)$"
  local n = b and (tonumber(b) << 16 | tonumber(c) << 8 | tonumber(d)) or 0
  if n < 1 or n > self.options.fleet then return nil end
  device = make(self, n, address)
  self.devices[address] = device
  return device
end

--- Adds the twin of one more device, see sim/twin/init.lua.
function Fleet:add_twin(twin)
  table.insert(self.options.twins, twin)
  self.options.fleet = #self.options.twins
end

-- What the server must do: it asks again when something of a device is due. All devices share its
-- socket, so it always listens.
function Fleet:wish(wish)
  local soonest = 0
  for _, device in pairs(self.devices) do
    local ms = device.twin and 0 or tonumber(wish(device):match "%d+$")
    if ms > 0 and (soonest == 0 or ms < soonest) then soonest = ms end
  end
  return "1 0 " .. soonest
end

function Fleet:close()
  for _, device in pairs(self.devices) do device:close() end
  if self.template then self.template:close() end
end

return Fleet
