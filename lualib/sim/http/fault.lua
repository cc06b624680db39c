-- Planted faults: a spec makes the device fail as real devices do.
--
-- fault.add(device, {
--   match = { method =, path = (a Lua pattern), query = (a Lua pattern) },
--   times = 1, after = 0,  -- how many requests it affects, after how many others
--   kind = | status =, body =, headers =, delay_ms =, reset = true, truncate = bytes, act = true,
-- })
-- A fault replaces the response. With `act` the request is carried out first, and only its response
-- is lost. A fault with nothing but delay_ms, truncate or headers changes the real response.
local json = require "f5.json"
local errors = require "sim.http.errors"

local M = {}

-- Responses of real devices that clients must handle, by name.
local KINDS <const> = {
  mcpd_lost = function()
    return errors.tm(500, "The connection to mcpd has been lost, try again.", 32768001)
  end,
  busy = function()
    return errors.tm(503, "There is an active asynchronous task executing.", 32964609)
  end,
  internal = function() return errors.tm(500, "There was an internal server error", 1337) end,
  validation = function()
    return errors.tm(400, "01070734:3: Configuration error: planted by a test", 3)
  end,
  restarting = function()
    return errors.html(
      503,
      "The Configuration Utility is restarting, please wait.",
      "Configuration Utility restarting..."
    )
  end,
  bad_gateway = function()
    return errors.html(
      502,
      "The proxy server received an invalid response from an upstream server.<br />"
    )
  end,
  gateway_timeout = function()
    return errors.html(
      504,
      "The gateway did not receive a timely response from the upstream server or application."
    )
  end,
  not_registered = errors.not_registered,
  not_public = errors.not_public,
  worker_down = function(request)
    return {
      status = 404,
      body = {
        code = 404,
        message = "",
        referer = request.headers.referer or request.remote,
        errorStack = json.array {},
      },
    }
  end,
  timeout_exception = function(request)
    return errors.rest(
      request,
      400,
      ("remoteSender:%s, method:%s "):format(request.remote, request.method),
      {
        error_stack = {
          ("java.util.concurrent.TimeoutException: remoteSender:%s, method:%s "):format(
            request.remote,
            request.method
          ),
          "at com.f5.rest.common.RestRequestCompletion.timeout(RestRequestCompletion.java)",
        },
      }
    )
  end,
  token_expired = function(request)
    return errors.rest(request, 401, "X-F5-Auth-Token has expired.")
  end,
  token_unknown = function(request)
    return errors.rest(request, 401, "X-F5-Auth-Token does not exist.")
  end,
  authentication_failed = function(request)
    return errors.rest(
      request,
      401,
      "Authentication failed.",
      { request_body = utf8.len(request.body) and request.body or nil }
    )
  end,
  token_limit = function(request)
    return errors.rest(
      request,
      400,
      "user 0a32cb9a-b028-3b85-a0b7-aca5cc21c0c6 has reached maximum active login tokens"
    )
  end,
  task_lost = function(request)
    return errors.tm(
      404,
      ("Task not found - ID: %s user: admin"):format(request.segments[#request.segments]),
      1
    )
  end,
  not_json = function()
    return { status = 200, body = '{"kind": "tm:ltm:pool:poolstate", "name": ' }
  end,
  html_page = function()
    return {
      status = 200,
      headers = { ["Content-Type"] = "text/html" },
      body = "<html><body>BIG-IP&reg; Redirect</body></html>",
    }
  end,
}

local function matches(fault, request)
  local match = fault.match
  if not match then return true end
  if match.method and match.method ~= request.method then return false end
  if match.path and not request.path:find(match.path) then return false end
  if match.query and not request.raw_query:find(match.query) then return false end
  return true
end

-- The response that replaces the real one; nil if the fault only changes the real one.
local function answer_of(fault, request)
  if fault.kind then return KINDS[fault.kind](request) end
  if fault.status then return { status = fault.status, body = fault.body } end
  if fault.reset then return { status = 0, reset = true } end
  if fault.body then return { status = 200, body = fault.body } end
  return nil
end

local function decorate(fault, response)
  response.delay = fault.delay_ms or response.delay
  response.truncate = fault.truncate or response.truncate
  response.reset = fault.reset or response.reset
  if fault.headers then
    response.headers = response.headers or {}
    for name, value in pairs(fault.headers) do response.headers[name] = value end
  end
  return response
end

function M.install(device)
  device.faults = {}
end

local FIELDS <const> = {
  match = true, times = true, after = true, kind = true, status = true, body = true,
  headers = true, delay_ms = true, reset = true, truncate = true, act = true,
}
local MATCHED <const> = { method = true, path = true, query = true }

local function check_names(given, known, what)
  for name in pairs(given) do
    if not known[name] then error(("unknown %s of a fault: '%s'"):format(what, name), 0) end
  end
end

-- Plants a fault, see the top of this file.
function M.add(device, fault)
  check_names(fault, FIELDS, "field")
  check_names(fault.match or {}, MATCHED, "field of 'match'")
  if fault.kind and not KINDS[fault.kind] then
    local names = {}
    for name in pairs(KINDS) do names[#names + 1] = name end
    table.sort(names)
    error(
      ("unknown kind of fault '%s'; valid kinds: %s"):format(fault.kind, table.concat(names, ", ")),
      0
    )
  end
  fault.left = fault.times or 1
  fault.skip = fault.after or 0
  device.faults[#device.faults + 1] = fault
  return #device.faults
end

function M.clear(device)
  device.faults = {}
end

local function next_fault(faults, request)
  for i, fault in ipairs(faults) do
    if matches(fault, request) then
      if fault.skip > 0 then
        fault.skip = fault.skip - 1
      else
        fault.left = fault.left - 1
        if fault.left <= 0 then table.remove(faults, i) end
        return fault
      end
    end
  end
  return nil
end

function M.filter(device, request)
  if #device.faults == 0 then return nil end
  local fault = next_fault(device.faults, request)
  if not fault then return nil end
  local answer = not fault.act and answer_of(fault, request)
  if answer then return decorate(fault, answer) end
  request.fault = fault
  return nil
end

-- Applies faults that change a complete response, and the latency of the device.
function M.observe(device, request, response)
  local fault = request.fault
  if fault then
    local answer = fault.act and answer_of(fault, request)
    if answer then
      response.body, response.headers = nil, nil
      for key, value in pairs(answer) do response[key] = value end
    end
    decorate(fault, response)
  end
  local latency = device.options.latency_ms
  if latency and latency > 0 then response.delay = (response.delay or 0) + latency end
end

return M
