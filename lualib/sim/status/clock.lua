-- The clock of the device over HTTP, for clients that have no other way to move it. No real device
-- has this path:
--
--   GET  /f5lua-sim/clock   { now = microseconds }
--   POST /f5lua-sim/clock   { seconds = N }: moves the clock forward; administrators only
local errors = require "sim.http.errors"
local icall = require "sim.icall"

local M = {}

local MAX_SECONDS <const> = 10 * 366 * 86400

local function clock(device, request)
  local seconds = 0
  if request.method == "POST" then
    seconds = type(request.json) == "table" and request.json.seconds
    if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= MAX_SECONDS) then
      return errors.rest(
        request, 400, ("seconds must be a number from 0 to %d"):format(MAX_SECONDS)
      )
    end
    device:advance(seconds)
    icall.settle(device)
  elseif request.method ~= "GET" then
    return errors.rest(request, 405, "Method not allowed: " .. request.method)
  end
  return { status = 200, body = { now = device:now(), seconds = seconds }, wish = true }
end

function M.install(device)
  for _, root in ipairs { "/f5lua-sim", "/mgmt/f5lua-sim" } do
    device:route(root .. "/clock", clock)
  end
end

return M
