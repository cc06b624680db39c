-- The files below /var/log, with the lines that requests and commands cause.
--
-- They are files of the device's disk. Each keeps its newest bytes only.
local M = {}

local MAX_BYTES <const> = 1 << 20
local KEPT_BYTES <const> = 1 << 19
local MONTHS <const> =
  { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

local FILES <const> = {
  ltm = "/var/log/ltm", audit = "/var/log/audit", icrd = "/var/log/icrd",
  user = "/var/log/user.log", restjavad = "/var/log/restjavad.0.log",
  rest_audit = "/var/log/restjavad-audit.0.log",
}
M.files = FILES

--- Appends text to a log.
function M.append(device, log, text)
  local disk, path = device.disk, FILES[log]
  local entry = disk.find(path) or disk.create(path)
  if entry.size + #text > MAX_BYTES then
    local kept = disk.read_at(entry, entry.size - KEPT_BYTES, KEPT_BYTES):gsub("^[^\n]*\n", "")
    disk.write(path, kept)
    entry = disk.find(path)
  end
  disk.write_at(entry, entry.size, text)
end

--- "29 Mar 2013 16:04:06 UTC", as restjavad writes it.
function M.rest_stamp(micros)
  local date = os.date("!*t", micros // 1000000)
  return ("%02d %s %04d %02d:%02d:%02d UTC"):format(
    date.day, MONTHS[date.month], date.year, date.hour, date.min, date.sec
  )
end

--- Appends a line in the form of syslog: "Jan  5 01:14:08 bigip1 notice mcpd[5555]: TEXT".
function M.write(device, log, level, program, text)
  local date = os.date("!*t", device:now() // 1000000)
  text = text:gsub("[%c]", " ")
  M.append(device, log, ("%s %2d %02d:%02d:%02d %s %s %s: %s\n"):format(
    MONTHS[date.month], date.day, date.hour, date.min, date.sec,
    device.hostname:match "^[^.]+" or device.hostname, level, program, text
  ))
end

return M
