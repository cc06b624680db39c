-- f5lua run: runs a playbook, with --sim on a simulated device.
local host = require "f5.host"
local check = require "cli.support.change.check"
local contents = require "cli.support.contents"
local confirmed = require "cli.support.change.confirmed"
local confirmed_run = require "cli.support.change.confirmed_run"
local environment = require "cli.support.change.environment"
local fleet = require "cli.support.fleet"
local har = require "cli.support.har.options"
local lint = require "cli.support.lint.before"
local playbook = require "cli.support.playbook"
local reported = require "cli.support.reports.single"
local simulated = require "cli.support.simulated"
local undoable = require "cli.support.change.undoable"
local usage = require "cli.support.usage"

local M = {
  summary = "run a playbook, with --sim on a simulated device", rest = true, logs = true,
  records = "own",
}

local PROGRAM <const> = "f5lua run"

function M.setup(parser)
  parser:usage(
    "Usage: f5lua run [-v] [--log-format FORMAT] [--undoable] [--report FILE] [--record FILE.har]\n"
      .. "                 [-e CHUNK] FILE [ARG…]\n"
      .. "       f5lua run [-v] --replay FILE.har [-e CHUNK] FILE [ARG…]\n"
      .. "       f5lua run [-v] --sim [--provision MODULE,…] [--seed FILE.json] FILE [ARG…]\n"
      .. "       f5lua run [-v] --check [--no-validate] [--keep-going] [--exit-code]\n"
      .. "                 [--output text|json] FILE [ARG…]\n"
      .. "       f5lua run [-v] --confirm TIME [--verify CHECK.lua] FILE [ARG…]\n"
      .. "       f5lua run [-v] --inventory FILE [--limit PATTERN] [--workers N] [--canary N]\n"
      .. "                 [--batch N] [--max-failures N|P%] [--per-device N] [--on active]\n"
      .. "                 [--journal FILE [--force]] [--report FILE] [--no-lint] [-e CHUNK]\n"
      .. "                 FILE [ARG…]"
  )
  simulated.add_options(
    parser,
    "start a simulated device; f5.connect uses it, whatever host the playbook names"
  )
  parser:option("-e", "run CHUNK before FILE, or alone"):argname "CHUNK":count "*"
  check.add_options(parser)
  undoable.add_option(parser)
  confirmed.add_options(parser)
  fleet.add_options(parser)
  har.add_options(parser)
  lint.add_option(parser, "with --inventory or --check: do not look for mistakes first")
  parser
    :option("-p --profile", "the device of f5.connect without a host, see f5lua profile")
    :argname "NAME"
  parser:epilog(
    "FILE is a playbook, or - for standard input. All words after it are its arguments.\n"
      .. "The simulated device has the users admin, manager and operator; their names are their\n"
      .. "passwords and roles. The playbook is admin unless it gives a username. To move the\n"
      .. 'clock or to plant faults, it uses `require "f5.sim".running`.'
  )
end

-- The playbook and its arguments, for the change record.
local function about(words)
  return { what = "run", playbook = undoable.script(), arguments = words }
end

local function call(options, words, fn, ...)
  if not undoable.wanted(options) then return fn(...) end
  return undoable.run(about(words), fn, ...)
end

-- Checks the playbook, then runs it; the devices take the change back unless it is confirmed.
local function run_confirmed(options, words, fn)
  return confirmed_run.run(options, about(words), fn)
end

-- `f5lua -p lab` and `f5lua --sim` are the console on a terminal, if nothing else is said.
local function without_playbook(options)
  local words = { "console" }
  if options.profile then table.move({ "-p", options.profile }, 1, 2, 2, words) end
  if options.sim then words[#words + 1] = "--sim" end
  if not words[2] then usage("no playbook given", PROGRAM) end
  if #options.typed == #words - 1 and host.is_terminal(0) and host.is_terminal(1) then
    return require("cli.support.main").subcommand(words)
  end
  usage(
    ("no playbook given; name a FILE, or - for standard input; 'f5lua %s' opens the console")
      :format(table.concat(words, " ")),
    PROGRAM
  )
end

local function run_options(options)
  if options.profile then
    local known <const>, err <const> = pcall(require("f5.trust.profiles").choose, options.profile)
    if not known then usage(tostring(err.message), PROGRAM) end
  end
  confirmed_run.from_environment(options, PROGRAM)
  local confirms <const> = confirmed_run.is_wanted(options)
  if confirms then confirmed_run.check_options(options, PROGRAM) end
  check.refuse_without_check(options, PROGRAM)
  if options.check and options.undoable then
    usage("--check writes nothing, so there is nothing to undo: leave out --undoable", PROGRAM)
  end
  if options.inventory then
    local words = options.rest
    local file = table.remove(words, 1)
    if not file and not options.e[1] then usage("no playbook given", PROGRAM) end
    if options.sim then usage("--inventory or --sim, not both", PROGRAM) end
    if file then host.set_script(file, words) end
    if options.check then return check.fleet(options, file, words, PROGRAM) end
    if confirms then
      local report <const> = options.report
      return run_confirmed(options, words, function(is_check)
        options.report = not is_check and report or nil
        return fleet.run(options, file, words)
      end)
    end
    return call(options, words, fleet.run, options, file, words)
  end
  fleet.refuse_without_inventory(options)
  if options.check and options.report then
    usage("--check prints what it found: leave out --report", PROGRAM)
  end
  fleet.check_report(options)
  if options.no_lint and not options.check then
    usage("--no-lint needs --inventory or --check", PROGRAM)
  end
  local file <const> = options.rest[1]
  if not file and not options.e[1] then return without_playbook(options) end
  local chunks, words = playbook.load(options, PROGRAM)
  if options.check and file and file ~= "-" then
    lint.playbook(contents(file) or "", file, {
      no_lint = options.no_lint, warnings = true, go_on = true, open = #options.e > 0,
    })
  end
  if options.sim then simulated.start(options, PROGRAM) end
  local run = playbook.function_of(chunks, words)
  local told <const> = options.report
    and reported.wrapped(options, undoable.script() or "(command line)", run) or run
  if options.check then return check.run(options, run) end
  if confirms then
    return run_confirmed(options, words, function(is_check)
      return (is_check and run or told)()
    end)
  end
  call(options, words, told)
end

function M.run(options)
  options.check = options.check or check.is_wanted()
  environment.add_files(options)
  return har.run(options, PROGRAM, run_options)
end

return M
