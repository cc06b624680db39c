-- `f5lua run --report` without an inventory: the report has one entry, for the whole playbook. It
-- is named after the device, or after the playbook if that connects to several devices or to none.

local exits = require "f5.safe.exits"
local opened = require "f5.safe.opened"
local Report = require "f5.fleet.report"
local core = require "f5.core"
local formats = require "f5.reports.formats"
local terminal = require "f5.terminal"

local M = {}

--- Adds --report to a subcommand that changes devices.
function M.add_option(parser)
  parser
    :option("--report", "write a report to FILE.html, FILE.xml (JUnit), FILE.json or FILE.csv")
    :argname "FILE"
end

--- Runs a subcommand, and reports it if --report asks for that. Returns its exit status.
-- @param run function -> exit status
function M.run(options, program, run)
  if not options.report then return run() end
  require("cli.support.fleet").check_report(options, program)
  return M.wrapped(options, program, run, function(status)
    if (status or 0) ~= 0 then return ("it ended with status %d"):format(status) end
  end)()
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
  if exits.status(code) == 0 then return nil end
  return "the playbook called os.exit(" .. tostring(code) .. ")"
end

--- Returns a function that calls fn and writes a report of that.
-- @param problem function(results of fn) -> text|nil: why the call failed although it raised no
--   error; nil: it did not
-- @param options table: report (the name of the file)
-- @param name string: the playbook's file
function M.wrapped(options, name, fn, problem)
  return function(...)
    local report = Report.new { { name = name } }
    local entry <const>, sessions, began = report.devices[1], {}, core.now()
    report.playbook, report.single = name, true
    entry.state = "running"
    local watch <const> = formats.watch(options.report)
    local no_more <const> = opened.each(function(session) table.insert(sessions, session) end)
    local ended, failure, exits_as_before = false, nil, nil
    local function finish(err)
      if err == nil then err = failure end
      if ended then return end
      ended = true
      no_more()
      if watch then watch:stop() end
      report.watch = watch
      exits_as_before()
      fill(entry, sessions)
      entry.state, entry.error = err == nil and "done" or "failed", err
      entry.duration = core.now() - began
      report.duration, report.ok = entry.duration, err == nil
      if type(err) == "table" and err.kind == "cancelled" then report.stopped = "interrupted" end
      local ok, why = pcall(report.write, report, options.report)
      if ok then return end
      if err == nil or err == failure then error(why, 0) end
      terminal.err("f5lua: ", tostring(why), "\n") -- the error of the run goes on
    end
    exits_as_before = exits.before(function(code) finish(exit_problem(code)) end)
    -- not pcall: the trace of an error ends where it is raised
    local _ <close> = setmetatable({}, { __close = function(_, err) finish(err) end })
    local results <const> = table.pack(fn(...))
    failure = problem and problem(table.unpack(results, 1, results.n))
    return table.unpack(results, 1, results.n)
  end
end

return M
