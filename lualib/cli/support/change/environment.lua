-- F5LUA_CHECK=1, F5LUA_PLAN=FILE, F5LUA_UNDOABLE=1, F5LUA_CONFIRM=TIME, F5LUA_VERIFY=FILE,
-- F5LUA_RECORD=FILE, F5LUA_REPLAY=FILE and F5LUA_REPORT=FILE: what run --check, plan -o FILE, run
-- --undoable and the other options of run do, for playbooks that run without a subcommand. The
-- words of a program that `f5lua build` made all belong to its playbook, so there is no other way
-- to say it.

local defer = require "f5.jobs.defer"

local M = {}

--- The value of a variable; nil if it is not set, empty or 0.
function M.value_of(name)
  local value = os.getenv(name) or ""
  return value ~= "" and value ~= "0" and value or nil
end
local value_of <const> = M.value_of

local function checked(fn, file)
  local check = require "cli.support.change.check"
  return function(...)
    local words = table.pack(...)
    local status = check.run({ file = file }, function()
      fn(table.unpack(words, 1, words.n))
    end, file and function(result)
      check.write_plan(result, { file = file }, {
        playbook = arg and arg[0] or "-e", arguments = table.move(words, 1, words.n, 1, {}),
      })
    end)
    if status ~= 0 then os.exit(status, true) end
  end
end

local function confirmed(fn)
  local run = require "cli.support.change.confirmed_run"
  local options = {}
  run.from_environment(options, "f5lua")
  run.check_options(options, "f5lua")
  return function(...)
    local words = table.pack(...)
    local status = run.run(options, {
      what = "run", playbook = require("cli.support.change.undoable").script(),
      arguments = table.move(words, 1, words.n, 1, {}),
    }, function() fn(table.unpack(words, 1, words.n)) end)
    if status ~= 0 then os.exit(status, true) end
  end
end

--- Adds what F5LUA_RECORD, F5LUA_REPLAY and F5LUA_REPORT say to the options of `run`.
function M.add_files(options)
  if not (options.record or options.replay) then
    options.record, options.replay = value_of "F5LUA_RECORD", value_of "F5LUA_REPLAY"
  end
  options.report = options.report or value_of "F5LUA_REPORT"
end

-- The function, or one that checks or confirms what it does, or keeps a change record of it.
local function changed(playbook)
  local function fn(...) return defer.call(playbook, ...) end
  local plan = value_of "F5LUA_PLAN"
  local confirms = value_of "F5LUA_CONFIRM" or value_of "F5LUA_VERIFY"
  if confirms and (plan or value_of "F5LUA_CHECK") then
    require "cli.support.usage"("F5LUA_CONFIRM and F5LUA_VERIFY change the device; leave out "
      .. "F5LUA_CHECK and F5LUA_PLAN", "f5lua")
  end
  if plan or value_of "F5LUA_CHECK" then return checked(fn, plan) end
  if confirms then return confirmed(fn) end
  return require("cli.support.change.undoable").wrapped(fn)
end

--- Returns the function of a playbook, or what the environment makes of it.
function M.wrapped(playbook)
  local fn, files <const> = changed(playbook), {}
  M.add_files(files)
  local is_check <const> = (value_of "F5LUA_CHECK" or value_of "F5LUA_PLAN") ~= nil
  if files.report then
    local usage <const> = require "cli.support.usage"
    if is_check then
      usage("F5LUA_CHECK and F5LUA_PLAN print what they find: leave out F5LUA_REPORT", "f5lua")
    end
    require("cli.support.fleet").check_report(files)
    local script <const> = require("cli.support.change.undoable").script() or "(command line)"
    fn = require("cli.support.reports.single").wrapped(files, script, fn)
  end
  return require("cli.support.har.options").wrapped(files, fn, is_check)
end

return M
