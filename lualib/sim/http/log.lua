-- The log of calls: in memory for specs, and one line a call as restjavad-audit writes it.
local M = {}

local KEPT <const> = 20000
local MONTHS <const> =
  { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

-- "29 Mar 2013 16:04:06 UTC"; the month's name does not depend on a locale.
local function stamp(micros)
  local date <const> = os.date("!*t", micros // 1000000)
  return ("%02d %s %04d %02d:%02d:%02d UTC"):format(
    date.day, MONTHS[date.month], date.year, date.hour, date.min, date.sec
  )
end

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return (c == '"' or c == "\\") and "\\" .. c or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

function M.install(device)
  local calls = {}
  local first, last = 1, 0
  local connections, highest = {}, 0
  local file, failed
  if device.options.log then
    file = assert(io.open(device.options.log, "a"))
    file:setvbuf "line"
  end

  -- The calls seen, oldest first: { number, micros, method, path, query, status, user, connection,
  -- milliseconds }.
  function device.calls()
    local copy <const> = {}
    for i = first, last do copy[#copy + 1] = calls[i] end
    return require "f5.json".array(copy)
  end

  function device.clear_calls()
    calls, first, last = {}, 1, 0
  end

  -- How many connections brought a request.
  function device.connection_count()
    return highest
  end

  device:observe(function(_, request, response)
    local user <const> = request.user and request.user.name or nil
    if request.connection and not connections[request.connection] then
      connections[request.connection] = true
      highest = highest + 1
    end
    last = last + 1
    calls[last] = {
      number = request.operation,
      micros = request.started,
      method = request.method,
      path = request.path,
      query = request.raw_query ~= "" and request.raw_query or nil,
      status = response.reset and 0 or response.status,
      user = user,
      connection = request.connection,
      coordination = request.headers["x-f5-rest-coordination-id"],
    }
    if last - first >= KEPT then
      calls[first] = nil
      first = first + 1
    end
    if file then
      local ok <const>, message <const> = file:write(
        ('[I][%d][%s][ForwarderPassThroughWorker] [run] {"user":%s,"method":%s,"uri":%s,"status":%d,"from":%s}\n'):format(
          request.operation, stamp(request.started),
          quote(user and "local/" .. user or "local/null"), quote(request.method),
          quote("http://localhost:8100" .. request.target), response.status,
          quote(request.remote or "")
        )
      )
      if not ok and not failed then
        failed = true
        io.stderr:write(("sim: cannot write %s: %s\n"):format(device.options.log, message))
      end
    end
  end)
end

return M
