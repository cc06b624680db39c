-- The files below /var/log, with the lines that requests and commands cause.
--
-- They are files of the device's disk. A line is written when somebody looks at its file, so that
-- requests cost next to nothing. Each file keeps its newest bytes only. The lines about calls come
-- from the log of calls (sim/http/log.lua).
local M = {}

local MAX_BYTES <const> = 1 << 20
local KEPT_BYTES <const> = 1 << 19
local MAX_WAITING <const> = 500  -- lines of one file that are not written yet
local MONTHS <const> =
  { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

local FILES <const> = {
  ltm = "/var/log/ltm", audit = "/var/log/audit", icrd = "/var/log/icrd",
  mail = "/var/log/maillog", user = "/var/log/user.log", restjavad = "/var/log/restjavad.0.log",
  rest_audit = "/var/log/restjavad-audit.0.log",
}
M.files = FILES
local DIRECTORY <const> = "/var/log"

-- Appends text to a file.
local function append(device, path, text)
  local disk = device.disk
  local entry = disk.find(path) or disk.create(path)
  if entry.size + #text > MAX_BYTES then
    local kept = disk.read_at(entry, math.max(entry.size - KEPT_BYTES, 0), KEPT_BYTES)
    disk.write(path, (kept:gsub("^[^\n]*\n", "")))
    entry = disk.find(path)
  end
  disk.write_at(entry, entry.size, text:sub(-KEPT_BYTES))
end

--- "29 Mar 2013 16:04:06 UTC", as restjavad writes it; independent of the locale.
function M.rest_stamp(micros)
  local date = os.date("!*t", micros // 1000000)
  return ("%02d %s %04d %02d:%02d:%02d UTC"):format(
    date.day, MONTHS[date.month], date.year, date.hour, date.min, date.sec
  )
end

-- "Jan  5 01:14:08 bigip1"
local function system_stamp(device, micros)
  local date = os.date("!*t", micros // 1000000)
  return ("%s %2d %02d:%02d:%02d %s"):format(
    MONTHS[date.month], date.day, date.hour, date.min, date.sec,
    device.hostname:match "^[^.]+" or device.hostname
  )
end

-- Keeps a line for its file: make(device, ...) returns it when somebody reads the file.
local function keep(device, log, make, ...)
  if #device.waiting_lines[log] >= MAX_WAITING then device.disk.refresh(FILES[log]) end
  local lines = device.waiting_lines[log]
  lines[#lines + 1] = table.pack(make, ...)
end

local function system_line(device, micros, level, program, text)
  return ("%s %s %s: %s\n"):format(
    system_stamp(device, micros), level, program, (text:gsub("%c", " "))
  )
end

--- Adds a line in the form of syslog to a log: "Jan  5 01:14:08 bigip1 notice mcpd[5555]: TEXT".
function M.write(device, log, level, program, text)
  keep(device, log, system_line, device:now(), level, program, text)
end

-- -- what requests cause --

local VERBS <const> = { POST = "create", PATCH = "modify", PUT = "modify", DELETE = "delete" }

-- A change by REST, in the form of tmsh.
local function change_line(device, micros, user, verb, segments, name, status)
  local words = table.concat(segments, " ", 3)
  if name then words = words .. " " .. tostring(name) end
  return system_line(device, micros, "notice", "icrd_child[18826]", (
    "01420002:5: AUDIT - pid=18826 user=%s folder=/Common module=(tmos)# status=[%s] cmd_data=%s %s"
  ):format(
    user, status < 400 and "Command OK" or "Command failed", verb, words:gsub("~", "/"):sub(1, 500)
  ))
end

local function worker_line(_, micros, operation, path, text)
  return ("[WARNING][%d][%s][8100%s ForwarderPassThroughWorker] %s\n"):format(
    operation, M.rest_stamp(micros), path, (text:gsub("%c", " "))
  )
end

--- A request for an interface that is switched off.
function M.unavailable(device, request)
  local text = "[api-status-warning] The deprecate API %s/ is not available as per the API status "
    .. "settings."
  keep(device, "restjavad", worker_line, device:now(), request.operation,
    "/mgmt/shared/resolver/groups", text:format(request.path))
  request.is_logged = true
end

--- A request for an interface with a status: `what` says which ("ltm/profile/x: deprecated").
function M.api_status(device, what)
  M.write(device, "icrd", "notice", "icrd_child[18826]",
    "18826,18853, iControl REST Child Daemon,WARNING,[api-status-warning]: " .. what)
end

--- Called for each response.
function M.observe(device, request, response)
  local status, verb = response.status or 0, VERBS[request.method]
  if status < 400 and not verb then return end
  local body = response.body
  local message = status >= 400 and type(body) == "table" and body.message
  local now = device:now()
  if message and not request.is_logged then
    keep(device, "restjavad", worker_line, now, request.operation, request.path,
      ("Status code:%d Message:%s"):format(status, tostring(message):sub(1, 1000)))
  end
  if request.segments[2] ~= "tm" then return end
  if message and tostring(message):find "^%x%x%x%x%x%x%x%x:%d:" then
    keep(device, "ltm", system_line, now, "err", "mcpd[5555]", tostring(message):sub(1, 1000))
  end
  if verb and request.user then
    local sent = type(request.json) == "table" and request.json or {}
    keep(
      device, "audit", change_line, now, request.user.name,
      type(sent.command) == "string" and sent.command or verb, request.segments,
      type(sent.name) == "string" and sent.name or nil, status
    )
  end
end

-- -- reading --

-- The text of the lines of a log that are not in its file yet.
local function waiting_text(device, log)
  local parts = {}
  local lines = device.waiting_lines[log]
  device.waiting_lines[log] = {}
  for i, line in ipairs(lines) do parts[i] = line[1](device, table.unpack(line, 2, line.n)) end
  if log == "rest_audit" then
    local calls = require "sim.http.log"
    calls.each_after(device, device.calls_written, function(number, call)
      parts[#parts + 1] = calls.line(call)
      device.calls_written = number
    end)
  end
  return table.concat(parts)
end

-- Brings the files up to date: one, or all below a directory.
local function refresh(device, path)
  if device.is_refreshing or path:sub(1, #DIRECTORY) ~= DIRECTORY and #path >= #DIRECTORY then
    return
  end
  device.is_refreshing = true
  for log, file in pairs(FILES) do
    if #path <= #DIRECTORY + 1 or path == file then
      local text = waiting_text(device, log)
      if text ~= "" or not device.disk.find(file) then append(device, file, text) end
    end
  end
  device.is_refreshing = false
end

function M.install(device)
  device.waiting_lines, device.calls_written = {}, 0
  for log in pairs(FILES) do device.waiting_lines[log] = {} end
  function device.disk.refresh(path) refresh(device, path) end
end

return M
