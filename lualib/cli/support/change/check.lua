-- run --check: runs a playbook with twins instead of devices, and prints what it would do.
local environment = require "cli.support.change.environment"
local before = require("cli.support.verbs.groups").before
local host = require "f5.host"
local simulated = require "cli.support.simulated"
local output = require "cli.support.output"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

M.CHANGES = 4 -- exit status with --exit-code: there is something to do

function M.add_options(parser)
  parser:flag("--check", "write nothing: show what the playbook would do")
  parser:flag("--no-validate", "with --check: do not ask the device whether it accepts the changes")
    :target "no_validate"
  parser:flag(
    "--keep-going",
    "with --check: go on after a step that is not simulated; what follows is uncertain"
  ):target "keep_going"
  parser
    :option(
      "--against",
      "with --check: no device, but what is in FILE: a snapshot or a saved configuration"
    )
    :argname "FILE"
  parser:flag("--exit-code", "with --check: exit with 4 if there are changes")
    :target "exit_code"
  parser
    :option("--output", "with --check: text or json")
    :argname "FORMAT"
    :choices { "text", "json" }
end

--- Whether F5LUA_CHECK=1 asks for a check.
function M.is_wanted() return environment.value_of "F5LUA_CHECK" ~= nil end

function M.refuse_without_check(options, program)
  if options.check then return end
  for _, name in ipairs { "no_validate", "keep_going", "exit_code", "output", "against" } do
    if options[name] then usage(("--%s needs --check"):format((name:gsub("_", "-"))), program) end
  end
end

local line <const> = output.line

local function title(text, colour) return colour and "\27[1m" .. text .. "\27[0m" or text end

-- At most `limit` lines of a list; the same text only once.
local function put_list(put, heading, list, describe, colour)
  if #list == 0 then return end
  put(title(heading, colour), "\n")
  local counts, order = {}, {}
  for _, one in ipairs(list) do
    local text = describe(one)
    if not counts[text] then order[#order + 1] = text end
    counts[text] = (counts[text] or 0) + 1
  end
  for i, text in ipairs(order) do
    if i > 20 then
      put(("  … and %d more\n"):format(#order - 20))
      break
    end
    local times = counts[text] > 1 and (" (%d times)"):format(counts[text]) or ""
    put("  ", terminal.line(text), times, "\n")
  end
end

local function described_assumption(one)
  return ("%s%s: %s"):format(
    one.path or "",
    one.property and "." .. one.property or "",
    one.reason or ""
  )
end

-- The steps that were refused by the twin: the playbook may have handled that.
local function refused_steps(device)
  local list = {}
  for _, step in ipairs(device.steps) do
    local gap = tostring(step.message):find("not simulated by the twin: ", 1, true)
    if not step.ok and not gap then list[#list + 1] = step end -- gaps have a list of their own
  end
  return list
end

-- Steps that changed no object, but would be sent: save, tasks, uploads.
local function other_steps(device, report)
  local shown = {}
  for _, entry in ipairs(report.differences) do
    for _, step in ipairs(entry.steps) do shown[step] = true end
  end
  local classes = require "f5.plan.steps"
  local list = {}
  for _, step in ipairs(device.steps) do
    local plain = classes.class_of(step.path) == "rest" and not classes.is_command(step)
    local ends = classes.class_of(step.path) == "transaction"
    if step.ok and not step.harmless and not shown[step] and not plain and not ends then
      list[#list + 1] = step
    end
  end
  return list
end

-- Everything that was found on a device, without its name.
local function put_findings(device, report, options)
  local colour, put = options.colour, options.out
  require("f5.state.show").write(report, "text", put, {
    colour = colour, verbs = require("f5.plan.findings").VERBS,
  })
  put_list(put, "also sent", other_steps(device, report), function(step)
    return ("%s  %s %s%s"):format(
      step.line, step.method, step.path,
      step.validation and step.validation.message and ": " .. step.validation.message or ""
    )
  end, colour)
  put_list(put, "refused", refused_steps(device), function(step)
    return ("%s  %s %s: %s"):format(step.line, step.method, step.path, step.message or step.status)
  end, colour)
  put_list(put, "ran on the device", device.commands, function(one)
    return ("%s  %s"):format(one.line, one.command)
  end, colour)
  put_list(put, "not simulated", device.not_simulated, function(one)
    return ("%s  %s %s: %s"):format(one.line, one.method, one.path, one.reason)
  end, colour)
  local left_out <const> =
    require("cli.support.change.plan").left_out_texts(device.left_out or {})
  put_list(put, "left out", left_out, function(text) return text end, colour)
  put_list(put, "assumed", device.report.assumed or {}, described_assumption, colour)
end

local function put_device(device, report, options)
  local reads = device.report.reads or {}
  line(title(("%s: nothing was written"):format(terminal.line(device.label)), options.colour),
    reads.count and (" (%d reads)"):format(reads.count) or "")
  options.out = output
  put_findings(device, report, options)
end

--- What a check found on one device, as text.
-- @param report table: of f5.plan.findings
function M.text_of(device, report, colour)
  local parts = {}
  put_findings(device, report, {
    colour = colour,
    out = function(...)
      for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) end
    end,
  })
  return table.concat(parts)
end

--- What a check found on its only device, validated by it.
-- @return string
function M.text(result, colour)
  local device = result.devices[1]
  require("f5.plan.validate").run(device.real, device.steps)
  return M.text_of(device, require("f5.plan.findings").of(device), colour)
end

-- Why the check of a device of a fleet did not come to its end; nil: it did.
local function problem_of(device, options)
  local problem <const> = options.unchecked and options.unchecked[device.label]
  return problem and terminal.line(problem)
end

-- Devices on which the same was found are shown together, the largest group first.
local function put_groups(devices, reports, options)
  local groups, by_text = {}, {}
  for i, device in ipairs(devices) do
    local parts = {}
    options.out = function(...)
      for n = 1, select("#", ...) do parts[#parts + 1] = (select(n, ...)) end
    end
    local problem <const> = problem_of(device, options)
    if problem then parts[1] = ("not checked to its end: %s\n"):format(problem) end
    if not problem or #reports[i].differences > 0 then put_findings(device, reports[i], options) end
    local text = table.concat(parts)
    local group = by_text[text]
    if not group then
      group = { text = text, names = {}, count = #reports[i].differences,
        is_unknown = problem ~= nil }
      by_text[text], groups[#groups + 1] = group, group
    end
    group.names[#group.names + 1] = device.label
  end
  table.sort(groups, function(a, b)
    if #a.names ~= #b.names then return #a.names > #b.names end
    return before(a.names[1], b.names[1])
  end)
  local plural = require("f5.state.show_text").plural
  line(title(("%s, nothing was written"):format(plural(#devices, "device", "devices")),
    options.colour))
  for _, group in ipairs(groups) do
    table.sort(group.names, before)
    local what = group.count == 0 and (group.is_unknown and "nothing is known" or "no changes")
      or (group.count == 1 and "this change" or ("these %d changes"):format(group.count))
    local names = table.concat(group.names, ", ", 1, math.min(#group.names, 10))
    if #group.names > 10 then names = ("%s and %d more"):format(names, #group.names - 10) end
    line(title(("%s: %s"):format(plural(#group.names, "device", "devices"), what), options.colour),
      " (", terminal.line(names), ")")
    output(group.text)
  end
end

local function as_json(result, reports, options)
  local json = require "f5.json"
  local devices = json.array {}
  for i, device in ipairs(result.devices) do
    local text = require("f5.state.show").text(reports[i], "json")
    local entry = json.decode(text)
    entry.format, entry.not_compared = nil, nil
    entry.device, entry.error = device.label, problem_of(device, options)
    entry.reads = device.report.reads
    for name, list in pairs {
      not_simulated = device.not_simulated, commands = device.commands,
      assumed = device.report.assumed or {}, left_out = device.left_out or {},
    } do
      entry[name] = json.array(table.move(list, 1, #list, 1, {}))
    end
    local steps = json.array {}
    for n, step in ipairs(device.steps) do
      steps[n] = {
        n = step.n, line = step.line, method = step.method, path = step.path, status = step.status,
        ok = step.ok, message = step.message, uncertain = step.uncertain,
        transaction = step.transaction, validation = step.validation,
      }
    end
    entry.steps = steps
    devices[i] = entry
  end
  local first = { "format", "device", "n", "line", "what", "kind", "name", "path", "method" }
  output(terminal.json(json.encode(
    { format = 1, ok = result.ok, devices = devices },
    { sort = true, first = first, indent = 2 }
  )), "\n")
end

-- What a check of one run says: the exit status.
local function status_of(result, reports, options)
  local changes, rejected, stopped = false, false, false
  for i, device in ipairs(result.devices) do
    changes = changes or #reports[i].differences > 0 or #other_steps(device, reports[i]) > 0
    stopped = stopped or #device.not_simulated > 0
    for _, step in ipairs(device.steps) do
      rejected = rejected or (step.validation and step.validation.state == "rejected")
    end
  end
  if rejected or stopped then return 1 end
  return options.exit_code and changes and M.CHANGES or 0
end

--- Validates what a check found, and prints it.
-- @return integer: exit status, if the playbook itself succeeded
function M.print(result, options)
  if not options.no_validate then
    result:for_all(function(device)
      local real = not options.against and device.real or nil
      require("f5.plan.validate").run(real, device.steps)
    end)
  end
  table.sort(result.devices, function(one, other) return one.label < other.label end)
  local reports = {}
  for i, device in ipairs(result.devices) do reports[i] = require("f5.plan.findings").of(device) end
  if options.output == "json" then
    as_json(result, reports, options)
  else
    options.colour = host.is_terminal(1)
    if #result.devices == 0 and result.ok then line "the playbook connected to no device" end
    if #result.devices == 1 then put_device(result.devices[1], reports[1], options) end
    if #result.devices > 1 then put_groups(result.devices, reports, options) end
  end
  return status_of(result, reports, options)
end

-- What stands for the device is a simulated device with the configuration of the file.
local function start_against(options, program)
  local file <const> = options.against
  simulated.start({
    seed = { file }, label = file, provision = (file:find "%.conf$" or file:find "%.scf$")
      and "ltm,gtm,asm,apm,afm,avr,pem" or nil,
  }, program)
  local snapshot = require "f5.state.file"
  options.identity = snapshot.is_snapshot(file) and snapshot.read(file).header.device or {}
end

--- Runs a function in check mode.
-- @param options table: also file, sign (of a plan that is written afterwards)
-- @param finish function(result)|nil: with what was found, if the playbook succeeded
-- @return exit status
function M.run(options, fn, finish)
  local check = require "f5.plan.check"
  if options.file then require("f5.plan.file").check(options.file, options.sign) end
  if options.against then
    start_against(options, options.file and "f5lua plan" or "f5lua run")
  end
  local result <close> = check.run(fn, { keep_going = options.keep_going })
  local status = M.print(result, options)
  if result.ok and finish then finish(result) end
  if not result.ok then error(result.error, 0) end
  if status == 0 and result.exit_status then return result.exit_status end
  return status
end

--- Writes what a check found into the file of a plan.
-- @param options table: file, sign, identity
-- @param made table: see f5.plan.make
function M.write_plan(result, options, made)
  local plan = require("f5.plan.make").plan(result, made, options.identity)
  require("f5.plan.file").write(options.file, plan, options.sign)
  local count = 0
  for _, device in ipairs(plan.devices) do
    count = count + #device.steps
    require("cli.support.change.plan").unwatched(device.unwatched, line)
  end
  output(("plan with %d %s: %s\n"):format(
    count, count == 1 and "step" or "steps", terminal.line(options.file)
  ))
end

--- The same for the devices of an inventory.
function M.fleet(options, file, words, program, finish)
  for _, name in ipairs { "journal", "report" } do
    if options[name] then
      usage(("--check has no --%s: it is no run; give --output json"):format(name), program)
    end
  end
  local status
  options.is_check = true
  local found = M.run(options, function()
    status = require("cli.support.fleet").run(options, file, words)
  end, finish)
  return status ~= 0 and status or found
end

return M
