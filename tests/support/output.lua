-- What a run of specs prints: a line for each file, every failure in full, one line of counts.
local checks = require "checks"

-- The line of the spec, also if a helper of it (tests/support/lab.lua) failed.
local function place_in_spec(trace)
  local place <const> = trace.short_src and ("%s:%d"):format(
    trace.short_src, trace.currentline
  ) or ""
  if place:find "_spec%.lua:" then return place end
  return (trace.traceback or ""):match "[^%s]+_spec%.lua:%d+" or place
end

return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local in_file = { passed = 0, failed = 0, skipped = 0 }
  local total = { passed = 0, failed = 0, skipped = 0 }
  local file_start = busted.monotime()

  local function describe(kind, item)
    local where <const> = place_in_spec(item.trace or {})
    io.write(("\n%s: %s\n  %s\n"):format(kind, item.name, where))
    local message = item.message
    if type(message) ~= "string" then
      message = message == nil and "no reason given" or require "pl.pretty".write(message)
    end
    io.write("  ", (message:gsub("\n", "\n  ")), "\n")
    if item.isError and item.trace and item.trace.traceback then
      io.write((item.trace.traceback:gsub("\n", "\n  ")), "\n")
    end
  end

  local function count(what)
    in_file[what] = in_file[what] + 1
    total[what] = total[what] + 1
  end

  -- Base handlers run first and leave the formatted item at the end of their lists.
  local function failed(list)
    return function()
      count "failed"
      describe(list == "errors" and "ERROR" or "FAILED", handler[list][#handler[list]])
      io.flush()
      return nil, true
    end
  end

  local why_skipped
  local function skip(_, _, message)
    why_skipped = tostring(message):gsub("^[^\n]-:%d+: ", "")
    return nil, true
  end

  local function test_start()
    checks.take()
    return nil, true
  end

  local function test_end(_, _, status)
    if status == "success" then
      if checks.take() == 0 then error("this test checks nothing", 0) end
      count "passed"
    end
    if status == "pending" then
      count "skipped"
      local item <const> = handler.pendings[#handler.pendings]
      -- pending "…" outside of a test has only a name, which is the reason
      io.write(("skipped: %s%s\n"):format(item.name, why_skipped and ": " .. why_skipped or ""))
      why_skipped = nil
    end
    return nil, true
  end

  local counts_file <const> = os.getenv "F5LUA_TEST_COUNTS"

  -- After each file, so that the counts of a program that dies later are not lost. `ending`: " end"
  -- once all specs have run.
  local function write_counts(ending)
    if not counts_file then return end
    local file <close> = assert(io.open(counts_file, "w"))
    file:write(("%d %d %d%s\n"):format(total.passed, total.failed, total.skipped, ending))
  end

  local function file_begin()
    in_file = { passed = 0, failed = 0, skipped = 0 }
    file_start = busted.monotime()
    return nil, true
  end

  local function file_end(file)
    io.write(
      ("%-44s %4d passed %3d failed %3d skipped  %6.2f s\n"):format(
        file.name:match "[^/]+/[^/]+$", in_file.passed, in_file.failed, in_file.skipped,
        busted.monotime() - file_start
      )
    )
    io.flush()
    write_counts ""
    local missed <const> = checks.whole_files and in_file.failed + in_file.skipped == 0
        and checks.missed(file.name)
      or {}
    if missed[1] then
      error("no test reaches the assertion in line " .. table.concat(missed, ", "), 0)
    end
    return nil, true
  end

  local function suite_end()
    write_counts " end"
    io.write(("%d passed, %d failed%s\n"):format(total.passed, total.failed,
      total.skipped > 0 and ", " .. total.skipped .. " skipped" or ""))
    io.flush()
    return nil, true
  end

  busted.subscribe({ "file", "start" }, file_begin)
  busted.subscribe({ "file", "end" }, file_end)
  busted.subscribe({ "test", "start" }, test_start)
  busted.subscribe({ "test", "end" }, test_end, { predicate = handler.cancelOnPending })
  busted.subscribe({ "pending" }, skip)
  busted.subscribe({ "failure", "it" }, failed "failures")
  busted.subscribe({ "error", "it" }, failed "errors")
  busted.subscribe({ "failure" }, function(element)
    if element.descriptor ~= "it" then failed "errors"() end
    return nil, true
  end)
  busted.subscribe({ "error" }, function(element)
    if element.descriptor ~= "it" then failed "errors"() end
    return nil, true
  end)
  busted.subscribe({ "suite", "end" }, suite_end)

  checks.watch()
  handler:subscribe(options)
  return handler
end
