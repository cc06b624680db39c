-- Calls from this device to others, over HTTPS, and the timer. A call never waits: `done` runs when
-- the answer is there, between two requests.
--
-- One Lua state serves all devices of a fleet, so numbers of calls and the list of devices with a
-- timer are kept here, not in a device.
local json = require "f5.json"
local turns = require "sim.turns"

local M = {}

-- Only the Lua state of a device has it; specs load the kinds in others.
local function outgoing() return require "sim.outgoing" end

M.PREFIX = "f5lua-sim"  -- first segment of the paths that devices use among themselves

local TICK_MS <const> = 1000
local waiting = {}  -- number of a call -> { device =, done = }
local awake = {}  -- device -> function to call at each tick

local function is_ipv4(host)
  local parts = { host:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 then return false end
  end
  return #parts == 4
end

--- Whether a device can call this address.
function M.is_address(host)
  return is_ipv4(host) or host:find "^[%x:]+%.?[%d.]*$" ~= nil and host:find ":.*:" ~= nil
end

--- Sends a message to another device. `done(answer, reason)` gets the answer, a table, or nil and
--- why there is none: "unreachable", or the refusal { status =, message = }.
-- @param endpoint { host =, port = }
-- @param verb what the message is about, such as "hello"
function M.send(device, endpoint, verb, message, headers, milliseconds, done)
  local path = ("/%s/%s"):format(M.PREFIX, verb)
  return M.post(device, endpoint, path, message, headers, milliseconds, done)
end

--- The same for any path of another device.
function M.post(device, endpoint, path, message, headers, milliseconds, done)
  local ok, number = pcall(
    outgoing().post, endpoint.host, endpoint.port, path, headers, json.encode(message), milliseconds
  )
  if not ok then return done(nil, "unreachable") end
  waiting[number] = { device = device, done = done }
end

-- Returns what `done` returns.
local function take_answer(call, status, body)
  if status == 0 then return call.done(nil, "unreachable") end
  local ok, answer = pcall(json.decode, body)
  if not ok or type(answer) ~= "table" then return call.done(nil, "unreachable") end
  if status ~= 200 then return call.done(nil, { status = status, message = answer.message }) end
  return call.done(answer)
end

--- Calls tick(device) about once a second from now on; nil ends it.
function M.keep_awake(device, tick)
  awake[device] = tick
  if tick then outgoing().wake(0) end
end

--- The port of the server that this device runs in.
function M.port() return outgoing().port end

--- Lets the next tick of all devices come soon.
function M.soon()
  outgoing().wake(20)
end

--- Handles the answer of a call: see sim/boot.lua. Returns the ticket and the response of the
--- request that this completes, if there is one.
function M.answered(number, status, body)
  local call = waiting[number]
  waiting[number] = nil
  if not call then return nil end
  if not call.device.changing then return take_answer(call, status, body) end
  turns.queue(call.device, function() return take_answer(call, status, body) end)
end

--- Handles the timer: see sim/boot.lua.
function M.woken()
  if not next(awake) then return end
  outgoing().wake(TICK_MS)
  local list = {}
  for device, tick in pairs(awake) do list[#list + 1] = { device, tick } end
  for _, entry in ipairs(list) do
    local device, tick = entry[1], entry[2]
    if device.changing then
      turns.queue(device, function() tick(device) end)
    else
      tick(device)
    end
  end
end

return M
