--- What a fleet run did: one entry for each device, in the order of the inventory.
--
-- An entry has name, state ("done", "failed", "skipped", "unreached", "earlier"), changed, result,
-- error, reason, duration (seconds), calls and bytes. `report.ok` is true if every device is done
-- or was skipped. `report.playbook` is the file of the playbook, if there is one.
-- `print(report)` prints a table for people.

local core = require "f5.core"
local formats = require "f5.reports.formats"
local receiver = require "f5.receiver"
local json = require "f5.json"
local own_file = require "f5.work.own_file"
local terminal = require "f5.terminal"

local Report = {}
Report.__index = Report

local COLUMNS <const> = { "device", "state", "changed", "calls", "kB", "seconds", "result" }

--- @param devices list of inventory devices
function Report.new(devices)
  local self = setmetatable({
    devices = {}, by_name = {}, ok = true, duration = 0, began = os.time(),
  }, Report)
  for i, device in ipairs(devices) do
    local entry = {
      name = device.name, state = "unreached", changed = false, calls = 0, bytes = 0, duration = 0,
      label = device.connect and device.connect.label,
    }
    self.devices[i], self.by_name[device.name] = entry, entry
  end
  return self
end

--- Counts the devices in each state. `changed` counts the done devices that were changed, `half`
-- the failed ones.
function Report:counts()
  local counts = {
    total = #self.devices, done = 0, failed = 0, skipped = 0, unreached = 0, earlier = 0,
    running = 0, changed = 0, half = 0,
  }
  for _, entry in ipairs(self.devices) do
    counts[entry.state] = counts[entry.state] + 1
    if entry.changed and entry.state == "done" then counts.changed = counts.changed + 1 end
    if entry.changed and entry.state == "failed" then counts.half = counts.half + 1 end
  end
  return counts
end

local function words(value)
  if value == nil then return "" end
  if type(value) == "table" and not (getmetatable(value) or {}).__tostring then
    local ok, text = pcall(json.encode, value, { sort = true })
    if ok then return text end
  end
  return tostring(value)
end

--- Returns in one line how a device ended: the message of its error, why it was skipped, or the
-- result.
function Report.outcome(entry)
  if type(entry) ~= "table" then
    core.usage_error(("outcome: expected an entry of a report, got a %s"):format(type(entry)))
  end
  local problem = entry.error
  if type(problem) == "table" and problem.message then problem = problem.message end
  return terminal.line(core.mask(words(problem or entry.reason or entry.result)):match "^[^\n]*")
end
local outcome = Report.outcome

local function row(entry)
  return {
    terminal.line(entry.name),
    entry.state,
    entry.changed and "yes" or "no",
    tostring(entry.calls),
    ("%.1f"):format(entry.bytes / 1024),
    ("%.2f"):format(entry.duration),
    outcome(entry),
  }
end

--- One line: "200 devices: 198 done (12 changed), 1 failed, 1 not reached, in 3.2 s".
function Report:summary()
  local counts, parts = self:counts(), {}
  parts[1] = counts.changed > 0 and ("%d done (%d changed)"):format(counts.done, counts.changed)
    or ("%d done"):format(counts.done)
  if counts.failed > 0 then
    parts[#parts + 1] = counts.failed
      .. " failed" .. (counts.half > 0 and (" (%d after a change)"):format(counts.half) or "")
  end
  if counts.skipped > 0 then parts[#parts + 1] = counts.skipped .. " skipped" end
  if counts.earlier > 0 then parts[#parts + 1] = counts.earlier .. " done by an earlier run" end
  if counts.unreached > 0 then parts[#parts + 1] = counts.unreached .. " not reached" end
  local why = self.stopped and (" (stopped: " .. terminal.line(self.stopped) .. ")") or ""
  local what = counts.total == 1 and "device" or "devices"
  return ("%d %s: %s, in %.1f s%s"):format(
    counts.total, what, table.concat(parts, ", "), self.duration, why
  )
end

local function width(text) return utf8.len(text) or #text end

function Report:__tostring()
  local rows, widths = { COLUMNS }, {}
  for _, entry in ipairs(self.devices) do rows[#rows + 1] = row(entry) end
  for _, cells in ipairs(rows) do
    for i, cell in ipairs(cells) do widths[i] = math.max(widths[i] or 0, width(cell)) end
  end
  local lines = {}
  for _, cells in ipairs(rows) do
    local out = {}
    for i, cell in ipairs(cells) do
      local pad = (" "):rep(widths[i] - width(cell))
      out[i] = (i >= 4 and i <= 6) and pad .. cell or cell .. pad
    end
    lines[#lines + 1] = (table.concat(out, "  "):gsub("%s+$", ""))
  end
  lines[#lines + 1] = self:summary()
  return table.concat(lines, "\n")
end

--- Returns the report as plain tables, ready for JSON. Errors are texts with their kind.
function Report:plain()
  local out = {
    ok = self.ok, stopped = self.stopped, duration = self.duration, counts = self:counts(),
    devices = json.array {},
  }
  for i, entry in ipairs(self.devices) do
    local result = entry.result
    if type(result) == "table" and not pcall(json.encode, result) then result = tostring(result) end
    if type(result) == "function" or type(result) == "userdata" or type(result) == "thread" then
      result = tostring(result)
    end
    out.devices[i] = {
      name = entry.name,
      state = entry.state,
      changed = entry.changed,
      calls = entry.calls,
      bytes = entry.bytes,
      duration = entry.duration,
      result = result,
      reason = entry.reason,
      error = entry.error and {
        message = core.mask(tostring(entry.error)),
        kind = type(entry.error) == "table" and entry.error.kind or nil,
      } or nil,
    }
  end
  return out
end

--- Returns why a file of this name may or can not be written: it is there and no report of an
-- earlier run, which may be replaced; or there is no such directory. nil: it can.
function Report.refusal(path)
  core.check_path(path, "report")
  local why <const> = own_file.refusal(path, "report of a run", formats.is_report)
  return why and "cannot write the report: " .. why or nil
end

--- Writes the report, with the mode 0600. It replaces the report of an earlier run, at once and
-- completely; a link is replaced, not followed. Raises a message if the name has another ending,
-- another file has it, or the file cannot be written.
-- @param path string: FILE.html, FILE.xml (JUnit), FILE.json or FILE.csv
function Report:write(path)
  core.check_path(path, "report:write")
  local writer, unknown = formats.writer(path)
  if not writer then core.usage_error(unknown) end
  local text = writer(self)
  local refused = Report.refusal(path)
  if refused then core.usage_error(refused) end
  local written, why = core.write_file(path, text)
  if not written then error("cannot write the report: " .. why, 2) end
end

receiver.guard(Report, "a report", { new = true, outcome = true, refusal = true })

return Report
