-- --inventory: works on many devices. `f5lua run --inventory` runs one playbook on them; other
-- subcommands, such as `f5lua upload`, call M.visit.
--
-- A playbook can return a function of one session, which is called for each device. Or it uses the
-- global `bip` (and `device`: name, vars, groups) and runs once for each device. To find out which,
-- the playbook is started once; when it first uses `bip`, it waits until the first device is
-- connected.

local cells = require "f5.table.value"
local contents = require "cli.support.contents"
local host = require "f5.host"
local owner = require "f5.fleet.owner"
local number = require "cli.support.number"
local output = require "cli.support.output"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"
local values = require "f5.table"

local M = {}

local PROGRAM <const> = "f5lua run"

--- Adds the options that choose devices.
function M.add_choice(parser)
  parser
    :option(
      "--inventory",
      "work on every device of this inventory: FILE.lua, FILE.json or a program"
    )
    :argname "FILE"
  parser
    :option(
      "--limit",
      "only these devices: names with * and ?, group:NAME, !TERM excludes; separated by commas"
    )
    :argname "PATTERN"
end

--- Adds the options that say in which order, and when to stop.
function M.add_waves(parser)
  parser
    :option("--canary", "N devices first; all of them must succeed")
    :argname "N"
    :convert(number.whole("--canary"))
  parser
    :option("--batch", "devices in a batch; a batch starts when the one before has ended")
    :argname "N"
    :convert(number.whole("--batch"))
  parser
    :option("--max-failures", "stop after more failed devices: a number or a share")
    :argname "N|P%"
end

--- Adds the options for the rules of a run.
function M.add_rules(parser)
  M.add_waves(parser)
  parser
    :option("--per-device", "calls to one device at the same time (default 4)")
    :argname "N"
    :convert(number.whole("--per-device"))
  parser
    :option("--on", "active: only on the active unit; then synchronise its group")
    :choices { "active" }
end

--- @param without_journal boolean|nil: leaves out --journal and its --force
-- @param own_force boolean|nil: leaves out --force, which the subcommand has itself
function M.add_options(parser, without_journal, own_force)
  M.add_choice(parser)
  parser
    :option("--workers", "devices at the same time (default 50)")
    :argname "N"
    :convert(number.whole("--workers"))
  M.add_rules(parser)
  if not without_journal then
    parser
      :option("--journal", "remember finished devices in this file; run again to do the rest")
      :argname "FILE"
    if not own_force then parser:flag("--force", "accept the journal of another run") end
  end
  parser
    :option("--report", "write a report to FILE.html, FILE.xml (JUnit), FILE.json or FILE.csv")
    :argname "FILE"
end

local OF_FLEET <const> = {
  "limit", "workers", "canary", "batch", "max_failures", "per_device", "on", "journal", "force",
}

--- Options of a fleet without an inventory are wrong usage.
-- @param program string|nil
-- @param own string|nil: an option that the subcommand also has by itself
function M.refuse_without_inventory(options, program, own)
  for _, name in ipairs(OF_FLEET) do
    if options[name] and name ~= own then
      usage(("--%s needs --inventory"):format((name:gsub("_", "-"))), program or PROGRAM)
    end
  end
end

-- The message for a playbook that does nothing on a device.
local NEITHER <const> =
  "the playbook neither uses `bip` nor returns a function: there is nothing to run on a device"

-- Lines that were printed before it is clear whether they are about a device.
local pending

-- Each line begins with the name of its device.
local function write_line(device, text)
  local name = device and terminal.line(device.name) .. ": " or ""
  M.write(name .. text:gsub("\n(.)", function(first) return "\n" .. name .. first end) .. "\n")
end

-- `print` of playbooks and their modules.
local function print_line(...)
  local text, device = values.line(...), owner.current()
  if pending and not device then
    pending[#pending + 1] = text
  else
    write_line(device, text)
  end
end

local function write_pending(device)
  local lines = pending or {}
  pending = nil
  for _, text in ipairs(lines) do write_line(device, text) end
end

-- A function that waits for the first device, while the playbook has not used it.
local need_device = function() end

-- Lines that fibers and coroutines of a worker print are about its device, too. Fibers of a
-- playbook may use the device.
local function follow_all(f5)
  owner.follow_all(f5, function() need_device() end)
  rawset(_G, "print", print_line)
end

local function environment(bip, device, lazy)
  local env = { bip = bip, device = device, arg = arg, f5 = require "f5", print = print_line }
  return setmetatable(env, {
    __index = function(self, key)
      if lazy and (key == "bip" or key == "device") then lazy() end
      local own = rawget(self, key)
      if own ~= nil then return own end
      return _G[key]
    end,
  })
end

-- Runs one chunk after the other. The last one may wait, and returns the result.
local function in_order(chunks)
  if #chunks == 1 then return chunks[1] end
  return function(...)
    for i = 1, #chunks - 1 do chunks[i]() end
    return chunks[#chunks](...)
  end
end

-- Returns a function that compiles the pieces of -e and the file for an environment; their text;
-- and the text of the file.
local function load_playbook(pieces, file)
  local parts, texts, source = {}, {}, nil
  for i, text in ipairs(pieces) do parts[i] = { text = text, name = "=(command line)" } end
  if file then
    local why
    source, why = contents(file, file == "-" and io.stdin or nil)
    if not source then usage("cannot read " .. why, PROGRAM) end
    source = source:gsub("^#[^\n]*", "")
    parts[#parts + 1] = { text = source, name = file == "-" and "=stdin" or "@" .. file }
  end
  for i, part in ipairs(parts) do texts[i] = part.text end
  return function(env)
    local chunks = {}
    for i, part in ipairs(parts) do
      local chunk, message = load(part.text, part.name, "t", env)
      if not chunk then error(message, 0) end
      chunks[i] = chunk
    end
    return in_order(chunks)
  end,
    table.concat(texts, "\n"),
    source
end

-- Wraps the function of a playbook, so that `print` knows the device.
local function named(fn)
  return function(bip, device)
    owner.set(device)
    local results = table.pack(pcall(fn, bip, device))
    owner.set(nil)
    if not results[1] then error(results[2], 0) end
    return table.unpack(results, 2, results.n)
  end
end

--- Returns the function that does the playbook's work on one device.
local function work(new_chunk, words)
  local asks = {}
  local first_env, first
  local function ask()
    if first_env.ready then return end
    if coroutine.running() ~= first then
      error("use `bip` outside of coroutines first: the playbook does not have its device yet", 0)
    end
    coroutine.yield(asks)
  end
  first_env = environment(nil, nil, ask)
  first = coroutine.create(new_chunk(first_env))
  function need_device()
    if coroutine.running() == first then ask() end
  end
  local function go_on(...)
    local ok, result = coroutine.resume(first, ...)
    if not ok then
      write_pending()
      error(result, 0)
    end
    return result
  end
  pending = {}
  local result = go_on(table.unpack(words))
  if result ~= asks then
    write_pending()
    if type(result) ~= "function" then error(NEITHER, 0) end
    return named(result)
  end
  local begun = false
  return named(function(bip, device)
    local answer
    if not begun then
      begun, first_env.ready, first_env.bip, first_env.device = true, true, bip, device
      owner.set(device, first)
      write_pending(device)
      answer = go_on()
    else
      answer = new_chunk(environment(bip, device))(table.unpack(words))
    end
    if type(answer) == "function" then return answer(bip, device) end
    return answer
  end)
end

local REDRAW <const> = 0.5 -- s

-- The progress line on a terminal. A check changes no device.
local function live_line(report, seconds, is_check)
  local counts = report:counts()
  if is_check then
    return ("%d of %d checked, %d running, %d failed, %d s"):format(
      counts.done + counts.skipped, counts.total, counts.running, counts.failed, seconds
    )
  end
  return ("%d of %d done, %d running, %d changed, %d failed, %d s"):format(
    counts.done + counts.skipped + counts.earlier, counts.total, counts.running, counts.changed,
    counts.failed, seconds
  )
end

-- An interrupted run ends with an error. Before that, the report is printed and written.
local function tell_interrupted(report, report_file)
  if not report.cut_off then return end
  terminal.err(report:summary(), "\n")
  if not report_file then return end
  local ok, message = pcall(report.write, report, report_file)
  if not ok then terminal.err("f5lua: ", tostring(message), "\n") end
end

local function progress_for_terminal(report_file, is_check)
  local core = require "f5.core"
  local shown, last, began, ticker = false, -1, core.now(), nil
  local function clear()
    if shown then terminal.clear() end
    shown = false
  end
  M.clear_line = clear
  M.write = function(text)
    clear()
    io.stdout:write(text)
    io.stdout:flush()
  end
  local function draw(report)
    last = core.now()
    terminal.redraw(live_line(report, math.floor(last - began), is_check))
    shown = true
  end
  return function(event, entry, report)
    if event == "begin" then
      ticker = core.spawn(function() -- also while no device ends
        while true do
          draw(report)
          core.real_sleep(REDRAW)
        end
      end)
    end
    if event == "finish" and entry.state == "failed" then
      clear()
      terminal.err(terminal.line(entry.name), ": failed: ", report.outcome(entry), "\n")
    end
    if event == "end" then
      ticker:cancel()
      clear()
      return tell_interrupted(report, report_file)
    end
    -- a terminal needs no more than 20 lines a second
    if core.now() - last >= 0.05 then draw(report) end
  end
end

local function progress_for_log(report_file, is_check, only_failures)
  return function(event, entry, report)
    if event == "end" then return tell_interrupted(report, report_file) end
    if event ~= "finish" or only_failures and entry.state == "done" then return end
    local text = report.outcome(entry)
    terminal.err(
      ("%s: %s%s%s, %.2f s\n"):format(
        terminal.line(entry.name), is_check and entry.state == "done" and "checked" or entry.state,
        entry.changed and not is_check and " (changed)" or "",
        text ~= "" and ": " .. text or "", entry.duration
      )
    )
  end
end

--- Prints the report. For a large fleet it contains only the devices that need attention.
-- On a terminal a line is a line: what a playbook returns may be long.
local function print_table(report)
  local columns <const> = host.is_terminal(1) and host.columns() or math.huge
  for line in (tostring(report) .. "\n"):gmatch "(.-)\n" do
    output(cells.clip(line, columns), "\n")
  end
end

local function print_report(report)
  if #report.devices <= 50 then return print_table(report) end
  for _, entry in ipairs(report.devices) do
    if entry.state == "failed" or entry.state == "unreached" then
      output(terminal.line(entry.name), ": ", entry.state, ": ", report.outcome(entry), "\n")
    end
  end
  output(report:summary(), "\n")
end

-- After a check the report of the check follows. It does not say which devices failed.
local function print_failures(report, options)
  options.unchecked = {}
  for _, entry in ipairs(report.devices) do
    if entry.state ~= "done" then
      options.unchecked[entry.name] = report.outcome(entry)
      terminal.err(terminal.line(entry.name), ": ", entry.state, ": ",
        terminal.line(report.outcome(entry)), "\n")
    end
  end
end

function M.write(text) io.stdout:write(text) end

--- Clears the progress line, before something is printed.
function M.clear_line() end

--- Ends with wrong usage if --report names a file that cannot be written.
function M.check_report(options, program)
  local path = options.report
  if not path then return end
  local writer, why = require("f5.reports.formats").writer(path)
  why = not writer and why or require("f5.fleet.report").refusal(path)
  if why then usage(why, program or PROGRAM) end
end

--- Reads the inventory; ends with wrong usage if there is nothing to do.
function M.devices(options, program)
  local devices
  local ok, chosen = pcall(function()
    devices = require("f5.inventory").read(options.inventory)
    return devices:limit(options.limit)
  end)
  if not ok then usage(tostring(chosen), program) end
  if #chosen == 0 then
    usage("the inventory has no devices" .. (options.limit and " within the limit" or ""), program)
  end
  return devices
end

-- What f5.each would refuse in words of a playbook.
local function check_numbers(options, program)
  for _, name in ipairs { "workers", "batch", "per_device" } do
    if options[name] == 0 then
      usage(("--%s must be at least 1"):format((name:gsub("_", "-"))), program)
    end
  end
  local budget <const> = options.max_failures
  local share <const> = budget and tonumber(budget:match "^(%d+%.?%d*)%%$")
  if budget and not (budget:find "^%d+$" or share and share <= 100) then
    usage(
      ("--max-failures must be a number of devices, or a share such as 10%%, not '%s'"):format(
        budget
      ),
      program
    )
  end
end

--- Ends with wrong usage if options contradict each other, or if a file cannot be written.
-- @param has_force boolean|nil: --force is an option of the subcommand itself
function M.check_options(options, program, has_force)
  if options.report and options.report == options.journal then
    usage("--report and --journal name the same file", program)
  end
  M.check_report(options, program)
  check_numbers(options, program)
  if options.force and not options.journal and not has_force then
    usage("--force needs --journal", program)
  end
end

--- Calls a function on each device.
-- @param options table: of the command line
-- @param subject table: devices, program, name (in the report: of the playbook or subcommand), run
--   (identity for the journal), only_failures (progress names no device that is done), force
-- @param make function: returns the function of one session and its device
-- @return report
function M.visit(options, subject, make)
  local only_failures <const> = subject.only_failures
  local progress = (host.is_terminal(2) and progress_for_terminal or progress_for_log)(
    options.report, options.is_check, only_failures
  )
  local watch <close> = require("f5.reports.formats").watch(options.report)
  require("f5.work.transfer").shows_progress = false -- many would share one line
  return require("f5.each")(subject.devices, {
    limit = options.limit,
    run = subject.run,
    force = options.journal and options.force or nil,
    workers = options.workers,
    canary = options.canary,
    batch = options.batch,
    max_failures = options.max_failures,
    per_device = options.per_device,
    on = options.on,
    journal = options.journal,
    progress = function(event, entry, report)
      report.playbook, report.watch = subject.name, watch
      return progress(event, entry, report)
    end,
  }, make())
end

--- Runs the playbook on the inventory's devices.
-- @param file string|nil: nil: only the pieces of options.e
-- @return exit status: 0 if every device is done or was skipped, otherwise 1
function M.run(options, file, words)
  M.check_options(options, PROGRAM)
  local devices <const> = M.devices(options, PROGRAM)
  local pieces <const> = options.e or {}
  local new_chunk, source, text = load_playbook(pieces, file)
  if file then
    require("cli.support.lint.before").playbook(text, file == "-" and "stdin" or file, {
      no_lint = options.no_lint, warnings = options.is_check, open = #pieces > 0,
    })
  end
  local name <const> = file or "(command line)"
  local report = M.visit(options, {
    devices = devices, program = PROGRAM, name = name,
    run = require("f5.fleet.journal").run(name, source, words),
  }, function()
    follow_all(require "f5")
    return work(new_chunk, words)
  end)
  if options.is_check then print_failures(report, options) else print_report(report) end
  if options.report then report:write(options.report) end
  return report.ok and 0 or 1
end

--- After a run of a subcommand: the summary, and the file of the report.
function M.conclude(options, report)
  M.clear_line()
  if options.is_check then
    print_failures(report, options)
  else
    terminal.err(report:summary(), "\n")
  end
  if options.report then report:write(options.report) end
  return report.ok and 0 or 1
end

return M
