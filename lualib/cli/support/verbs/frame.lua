-- The frame of verbs such as `f5lua upload`: one device or an inventory, --check, --undoable,
-- reports, output, exit status.
--
-- A verb is a table:
--   program      "f5lua upload"
--   style        what it prints, see cli.support.verbs.rows
--   writes       true: it changes the device
--   own_force    true: its --force is not only about journals
--   identity     array of strings: what a journal belongs to
--   work         function(bip, device): returns an array of rows, a message if the device is to
--                count as failed, and an error that is raised when the rows are printed; device is
--                nil without an inventory
--   connect      table|nil: further options of f5.connect
--   order        function(a, b)|nil: sorts the rows of all devices
--   status       function(rows)|nil: the exit status without an inventory
--   in_fleet     function(rows)|nil: the exit status for the rows of all devices that are done

local device = require "cli.support.device"
local f5 = require "f5"
local fail = require "f5.fail"
local fleet = require "cli.support.fleet"
local hints = require "cli.support.hints"
local rows = require "cli.support.verbs.rows"
local terminal = require "f5.terminal"
local undoable = require "cli.support.change.undoable"
local usage = require "cli.support.usage"

local M = {}

--- Adds the options of all verbs.
-- @param what table: writes, text (rows can be text), no_timeout (the verb has its own), condition
--   (an example for --where: the verb has a list)
function M.add_options(parser, what)
  parser:option("-H --host", "the device (default: F5_SERVER)"):argname "HOST[:PORT]"
  device.add_options(parser, what.no_timeout)
  rows.add_options(parser, what.text, what.condition)
  if what.writes then
    undoable.add_option(parser)
    parser:flag("--check", "write nothing: show what would change")
  end
  fleet.add_options(parser, not what.writes, what.own_force)
end

local OF_DEVICE <const> = { "host", "profile", "user", "provider", "ca", "no_verify", "ver" }

-- What an inventory says about its devices is not said again.
local function refuse_device_options(options, program)
  for _, name in ipairs(OF_DEVICE) do
    if options[name] then
      usage(
        ("--%s or --inventory, not both: the inventory says how to reach its devices"):format(
          (name:gsub("_", "-"))
        ),
        program
      )
    end
  end
end

-- Runs the verb on one device. Returns the exit status.
local function on_one(options, verb, out)
  if not device.is_known(options) then return device.connect(options, verb.program) end
  local given = device.options(options)
  for key, value in pairs(verb.connect or {}) do given[key] = value end
  local bip <close> = f5.connect(given)
  local found, _, err = verb.work(bip)
  found = out:matching(found)
  if verb.order then table.sort(found, verb.order) end
  if options.check and err == nil then return 0 end
  for _, row in ipairs(found) do out:add(nil, row) end
  if err == nil or #found > 0 then out:finish(verb.order) end
  if err ~= nil then error(err, 0) end
  return verb.status and verb.status(found) or 0
end

-- Calls the verb. What is wrong usage on one device is a failure there.
local function work_on(verb, bip, one)
  local results = table.pack(pcall(verb.work, bip, one))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err <const> = results[2]
  local words <const> = type(err) == "table" and rawget(err, "usage")
  if type(words) == "string" then fail("%s", words) end
  error(err, 0)
end

local function on_fleet(options, verb, out)
  local devices <const> = fleet.devices(options, verb.program)
  for _, one in ipairs(devices.devices) do
    one.connect.timeout = options.timeout or one.connect.timeout
    for key, value in pairs(verb.connect or {}) do one.connect[key] = value end
  end
  local all = {}
  -- after Ctrl-C, what there is until then is printed
  local _ <close> = setmetatable({}, {
    __close = function(_, err)
      if err ~= nil and out:has_rows() then out:finish(verb.order) end
    end,
  })
  local report = fleet.visit(options, {
    devices = devices, program = verb.program, name = verb.program, only_failures = true,
    run = require("f5.fleet.journal").run(
      verb.program, table.concat(verb.identity or {}, "\0"), verb.identity or {}
    ),
  }, function()
    return function(bip, one)
      local found, problem, err = work_on(verb, bip, one)
      found = out:matching(found)
      if verb.order then table.sort(found, verb.order) end
      if not options.check then
        for _, row in ipairs(found) do
          out:add(one.name, row)
          if verb.in_fleet then all[#all + 1] = row end
        end
      end
      if err ~= nil then error(err, 0) end
      if problem then fail("%s", problem) end
      return verb.result and verb.result(found) or nil
    end
  end)
  if not options.check then out:finish(verb.order) end
  local status <const> = fleet.conclude(options, report)
  if status ~= 0 or not verb.in_fleet then return status end
  return verb.in_fleet(all)
end

local function check(options, run)
  local status
  options.is_check = true
  local found = require("cli.support.change.check").run({
    output = options.output == "json" and "json" or "text",
  }, function() status = run() end)
  return status ~= 0 and status or found
end

--- Runs a verb. Returns the exit status.
function M.run(options, verb)
  hints.for_one_line()
  local program <const> = verb.program
  if options.inventory then
    refuse_device_options(options, program)
    fleet.check_options(options, program, not verb.writes or verb.own_force)
  else
    local own <const> = (not verb.writes or verb.own_force) and "force" or nil
    fleet.refuse_without_inventory(options, program, own)
    if options.report then usage("--report needs --inventory", program) end
  end
  rows.check(options, program)
  if options.check then
    for _, name in ipairs { "journal", "report", "undoable" } do
      if options[name] then usage(("--check has no --%s"):format(name), program) end
    end
  end
  local out <const> = rows.new(options, verb.style, program)
  local function run()
    return (options.inventory and on_fleet or on_one)(options, verb, out)
  end
  if options.check then return check(options, run) end
  if not verb.writes or not undoable.wanted(options) then return run() end
  return undoable.run({
    what = program:gsub("^f5lua ", ""), arguments = options.typed or verb.identity or {},
  }, run)
end

--- "2 files", "1 file"
function M.count(number, one, many)
  return ("%d %s"):format(number, number == 1 and one or many or one .. "s")
end

--- Prints a note for people.
function M.note(...) terminal.err("f5lua: ", ..., "\n") end

return M
