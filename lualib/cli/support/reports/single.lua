-- `f5lua run --report` without an inventory: the report has one entry, for the whole playbook. It
-- is named after the device, or after the playbook if that connects to several devices or to none.

local Report = require "f5.fleet.report"
local core = require "f5.core"
local formats = require "f5.reports.formats"
local terminal = require "f5.terminal"

local M = {}

-- Sessions that are opened from now on are added to the list.
-- @return function that ends it
local function collect(sessions)
  local f5 = require "f5"
  local connect <const>, of_core <const> = f5.connect, core.connect
  local function collected(...)
    local session = of_core(...)
    sessions[#sessions + 1] = session
    return session
  end
  core.connect, f5.connect = collected, collected
  return function() core.connect, f5.connect = of_core, connect end
end

local function fill(entry, sessions)
  local names, count = {}, 0
  for _, session in ipairs(sessions) do
    local usage, label = session:usage(), session:label()
    entry.calls = entry.calls + usage.calls
    entry.bytes = entry.bytes + usage.bytes_sent + usage.bytes_received
    entry.changed = entry.changed or usage.writes > 0
    if not names[label] then names[label], count = true, count + 1 end
  end
  if count == 1 then entry.name = next(names) end
end

-- Why os.exit ends the run; nil: it is a success.
local function exit_problem(code)
  if code == nil or code == true or code == 0 then return nil end
  return "the playbook called os.exit(" .. tostring(code) .. ")"
end

--- Returns a function that calls fn and writes a report of that.
-- @param options table: report (the name of the file)
-- @param name string: the playbook's file
function M.wrapped(options, name, fn)
  return function(...)
    local report = Report.new { { name = name } }
    local entry <const>, sessions, began = report.devices[1], {}, core.now()
    report.playbook, report.single = name, true
    entry.state = "running"
    local watch <const> = formats.watch(options.report)
    local restore <const>, exit <const> = collect(sessions), os.exit
    local ended = false
    local function finish(err)
      if ended then return end
      ended = true
      restore()
      if watch then watch:stop() end
      report.watch = watch
      rawset(os, "exit", exit)
      fill(entry, sessions)
      entry.state, entry.error = err == nil and "done" or "failed", err
      entry.duration = core.now() - began
      report.duration, report.ok = entry.duration, err == nil
      if type(err) == "table" and err.kind == "cancelled" then report.stopped = "interrupted" end
      local ok, why = pcall(report.write, report, options.report)
      if ok then return end
      if err == nil then error(why, 0) end
      terminal.err("f5lua: ", tostring(why), "\n") -- the error of the run goes on
    end
    rawset(os, "exit", function(code, ...)
      finish(exit_problem(code))
      return exit(code, ...)
    end)
    -- not pcall: the trace of an error ends where it is raised
    local _ <close> = setmetatable({}, { __close = function(_, err) finish(err) end })
    return fn(...)
  end
end

return M
