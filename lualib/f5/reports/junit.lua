-- A report as JUnit XML, for CI systems: one test suite for the run, one test case for each device.
--
-- A device that failed is a failure. One that was not reached is an error: nobody knows whether the
-- playbook works there, so the run must not look successful.

local core = require "f5.core"
local terminal = require "f5.terminal"

local ENTITIES <const> = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&apos;",
  ["\u{FFFE}"] = "\u{FFFD}", ["\u{FFFF}"] = "\u{FFFD}", -- not allowed in XML
}

local function escape(text)
  return (text:gsub("[&<>\"']", ENTITIES):gsub("\u{FFFE}", ENTITIES):gsub("\u{FFFF}", ENTITIES))
end

-- A value of an attribute: one line.
local function attribute(text) return escape(terminal.line(core.mask(text))) end

local function content(text) return escape(terminal.text(core.mask(text))) end

local function is_error(entry) return entry.state == "unreached" or entry.state == "running" end

local function put_problem(out, report, entry)
  local err = entry.error
  if entry.state == "failed" then
    local kind = type(err) == "table" and type(err.kind) == "string" and err.kind or "error"
    out('      <failure message="', attribute(report.outcome(entry)), '" type="', attribute(kind))
    out('">', content(tostring(err)))
    if entry.changed then out "\nThe device was changed before that, or may have been." end
    out "</failure>\n"
  elseif is_error(entry) then
    local why = report.stopped and ": the run stopped: " .. report.stopped or ""
    out('      <error type="', entry.state, '" message="', attribute("not reached" .. why), '"/>\n')
  elseif entry.state == "skipped" then
    out('      <skipped message="', attribute(tostring(entry.reason)), '"/>\n')
  elseif entry.state == "earlier" then
    out '      <skipped message="done by an earlier run"/>\n'
  end
end

local function put_case(out, report, entry, class)
  out('    <testcase name="', attribute(entry.name), '" classname="', class)
  out('" time="', ("%.3f"):format(entry.duration), '">\n')
  put_problem(out, report, entry)
  if entry.state == "done" then
    local result = report.outcome(entry)
    out("      <system-out>", ("changed: %s, calls: %d\n"):format(
      entry.changed and "yes" or "no", entry.calls))
    if result ~= "" then out(content(result), "\n") end
    out "</system-out>\n"
  end
  out "    </testcase>\n"
end

--- Returns the report as text.
-- @param report see f5.fleet.report
return function(report)
  local counts, name = report:counts(), attribute(report.playbook or "f5lua")
  local parts = { '<?xml version="1.0" encoding="UTF-8"?>\n' }
  local function out(...)
    for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) end
  end
  local numbers = ('tests="%d" failures="%d" errors="%d" skipped="%d" time="%.3f"'):format(
    counts.total, counts.failed, counts.unreached + counts.running,
    counts.skipped + counts.earlier, report.duration
  )
  out('<testsuites name="f5lua" ', numbers, ">\n")
  out('  <testsuite name="', name, '" ', numbers)
  out(' timestamp="', os.date("!%Y-%m-%dT%H:%M:%S", report.began) --[[@as string]], '">\n')
  for _, entry in ipairs(report.devices) do put_case(out, report, entry, name) end
  out "  </testsuite>\n</testsuites>\n"
  return table.concat(parts)
end
