-- The steps of every request: filters, the handler, observers. Both lists are in the order in which
-- they run.
--
-- A filter is a function(device, request). If it returns or raises a response, neither the next
-- filters nor the handler run. An observer is a function(device, request, response) that may change
-- the response; all observers run.
local errors = require "sim.http.errors"
local miss = require "sim.twin.miss"

local M = {}

local function part(module, name)
  return { name = name or module:match "[^.]+$", module = module }
end

-- From "roles" on, `request.user` is known and `request.json` is decoded.
M.filters = {
  part "sim.http.limits",  -- what the web server in front refuses
  part "sim.http.allow",  -- who may reach it
  part "sim.http.request",  -- a URI that is not UTF-8
  part "sim.http.restart",  -- the device is away, or comes back
  part "sim.http.fault",  -- a planted fault answers
  part "sim.http.cors",  -- preflight requests
  part "sim.auth.login",  -- who is asking
  part "sim.http.body",  -- JSON bodies
  part "sim.auth.roles",  -- what the user may do
  part "sim.status.ready",  -- /available
  part "sim.http.lists",  -- `ver`, $top and $skip
  part "sim.http.life_cycle",  -- interfaces that are switched off
  part "sim.contrary",  -- what clients do not expect
  part "sim.tasks.transaction",  -- commands of a transaction are queued
}

M.observers = {
  part "sim.contrary",
  part "sim.http.lists",
  part "sim.http.log",
  part "sim.http.fault",
  part "sim.http.headers",
  part "sim.http.cors",
  part "sim.http.life_cycle",
  part "sim.http.restart",
}

for list, method in pairs { filters = "filter", observers = "observe" } do
  for _, entry in ipairs(M[list]) do
    entry.run = assert(require(entry.module)[method], entry.module)
  end
end

local function internal_error(device, problem)
  if device.twin and device.twin.missing then return miss end
  device:complain(tostring(problem))
  return errors.tm(500, "There was an internal server error", 1337)
end

local function run_filters(device, request)
  for _, filter in ipairs(M.filters) do
    local answer = filter.run(device, request)
    if answer then return answer end
  end
  return nil
end

-- The response of the first filter that has one, or nil.
local function filtered(device, request)
  local ok, answer = pcall(run_filters, device, request)
  if not ok and not (type(answer) == "table" and answer.status) then
    return internal_error(device, answer)
  end
  return answer
end

-- Runs one request: filters, its handler, observers.
function M.handle(device, request)
  local response = filtered(device, request) or device:dispatch(request)
  if not response.later then M.observe(device, request, response) end
  return response
end

-- Runs the observers of a complete response.
function M.observe(device, request, response)
  for _, observer in ipairs(M.observers) do observer.run(device, request, response) end
end

return M
