-- The log of calls: in memory for specs, and in a file with one line for each call, in the form of
-- restjavad-audit.
local json = require "f5.json"
local logs = require "sim.status.logs"

local M = {}

local KEPT <const> = 20000
local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return (c == '"' or c == "\\") and "\\" .. c or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

function M.install(device)
  device.log = { calls = {}, first = 1, last = 0, connections = {}, connection_count = 0 }
  if device.options.log then
    device.log.file = assert(io.open(device.options.log, "a"))
    device.log.file:setvbuf "line"
  end
end

-- All calls so far, oldest first: { number, micros, method, path, query, status, user, connection,
-- milliseconds }.
function M.calls(device)
  local log, copy = device.log, json.array {}
  for i = log.first, log.last do copy[#copy + 1] = log.calls[i] end
  return copy
end

function M.clear(device)
  local log = device.log
  log.calls, log.first, log.last = {}, 1, 0
  device.calls_written = 0
end

-- How many connections sent at least one request.
function M.connection_count(device)
  return device.log.connection_count
end

--- The line about a call in the form of restjavad-audit.
function M.line(call)
  local target = call.path .. (call.query and "?" .. call.query or "")
  return (
    '[I][%d][%s][ForwarderPassThroughWorker] [run] '
      .. '{"user":%s,"method":%s,"uri":%s,"status":%d,"from":%s}\n'
  ):format(
    call.number, logs.rest_stamp(call.micros),
    quote(call.user and "local/" .. call.user or "local/null"), quote(call.method),
    quote("http://localhost:8100" .. target), call.status, quote(call.remote or "")
  )
end

--- Calls use(place, call) for the calls after a place, oldest first.
function M.each_after(device, place, use)
  local log = device.log
  for i = math.max(log.first, place + 1), log.last do use(i, log.calls[i]) end
end

local function write(device, call)
  local log = device.log
  local ok, message = log.file:write(M.line(call))
  if not ok and not log.failed then
    log.failed = true
    io.stderr:write(("sim: cannot write %s: %s\n"):format(device.options.log, message))
  end
end

function M.observe(device, request, response)
  local log = device.log
  local user = request.user and request.user.name or nil
  if request.connection and not log.connections[request.connection] then
    log.connections[request.connection] = true
    log.connection_count = log.connection_count + 1
  end
  log.last = log.last + 1
  log.calls[log.last] = {
    number = request.operation,
    micros = request.started,
    method = request.method,
    path = request.path,
    query = request.raw_query ~= "" and request.raw_query or nil,
    status = response.reset and 0 or response.status,
    user = user,
    connection = request.connection,
    remote = request.remote,
    coordination = request.headers["x-f5-rest-coordination-id"],
  }
  if log.last - log.first >= KEPT then
    log.calls[log.first] = nil
    log.first = log.first + 1
  end
  logs.observe(device, request, response)
  if log.file then write(device, log.calls[log.last]) end
end

return M
