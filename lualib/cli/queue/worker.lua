-- f5lua worker: carries out the runs of a queue.
local bundle = require "f5.bundle"
local contents = require "cli.support.contents"
local host = require "f5.host"
local number = require "cli.support.number"
local options_of_queue = require "cli.support.queue.options"
local output = require "cli.support.output"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "carry out the runs of a queue", ends_by_signal = true }

local PROGRAM <const> = "f5lua worker"

function M.setup(parser)
  options_of_queue.add(parser)
  parser
    :option("--tags", "of this worker: it takes jobs of devices without other tags")
    :argname "TAG,…"
  parser
    :option("--workers", "devices at the same time (default 50)")
    :argname "N"
    :default "50"
    :convert(number.whole("--workers"))
  parser
    :option("--lease", "how long a job stays with a worker that is not heard of (default 120 s)")
    :argname "SECONDS"
    :default "120"
    :convert(number.whole("--lease"))
  parser
    :option("--trust", "carry out only runs that were signed with the private key of this one")
    :argname "PUBLIC.pem"
  parser:flag("--once", "end when there is nothing to do any more")
  parser:flag("--check-jobs", "a part of a worker: carries out checks"):hidden(true)
  parser:epilog(
    "SIGTERM or Ctrl-C: no new device starts, devices without a change are handed back, the\n"
      .. "others come to their end. A second signal ends the worker at once; its leases run out."
  )
end

local function note(...) terminal.err(PROGRAM, ": ", string.format(...), "\n") end

local SAYS <const> = {
  start = false,
  ready = "ready",
  draining = "stopping: devices with changes come to their end",
  back = "the database is back",
  finish = "%s: %s",
  lost = "no database: %s",
  moved = "another server is the primary now: jobs that it does not know are given up, and no "
    .. "device starts until requests of other workers have ended",
  returned = "%s: handed back: %s",
  abandoned = "%s: abandoned: %s",
  ["not counted"] = "%s: the job was given to another worker meanwhile",
}

local function outcome(job)
  local result = job.result
  local text = result.error and result.error.message or result.reason or ""
  return ("%s%s%s, %.2f s"):format(
    result.state, result.changed and " (changed)" or "",
    text ~= "" and ": " .. terminal.line(text):match "^[^\n]*" or "", result.duration
  )
end

local function tell(event, job, text)
  local format = SAYS[event]
  if not format then return end
  if event == "finish" then text = outcome(job) end
  local name = job and ("run %d, %s"):format(job.run, terminal.line(job.device))
  if event == "returned" then text = text or "the worker ends" end
  if name then return note(format, name, terminal.line(text or "")) end
  note(format, terminal.line(text or ""))
end

local function public_key(path)
  local pem, why = contents(path)
  if not pem then usage("cannot read " .. why, PROGRAM) end
  local known, problem = bundle.verify(pem, "", ("\0"):rep(64))
  if known == nil then usage(("'%s' is %s"):format(path, problem), PROGRAM) end
  return pem
end

local SHORTEST <const>, LONGEST <const> = 10, 86400

local function work(options)
  local address <const>, schema <const> = require("f5.queue").address(options)
  if options.workers < 1 then usage("--workers must be at least 1", PROGRAM) end
  if options.lease < SHORTEST or options.lease > LONGEST then
    usage(("--lease must be from %d to %d seconds"):format(SHORTEST, LONGEST), PROGRAM)
  end
  local trust = options.trust and public_key(options.trust)
  local core = require "f5.core"
  require "f5" -- the parts of the module that are written in Lua
  core.raise_open_files(options.workers * 4 + 64)
  local worker = require("f5.queue.worker").new {
    address = address, schema = schema, tags = options_of_queue.tags(options.tags, PROGRAM),
    capacity = options.workers, lease = options.lease, trust = trust,
    verify = bundle.verify, host = options_of_queue.this_machine(),
    pid = math.tointeger(tonumber((contents("/proc/self/stat") or "0"):match "^%d+")), tell = tell,
    once = options.once, is_asked_to_stop = host.caught_signal,
  }
  if not trust then
    note "without --trust, whoever may submit runs may run any code on this machine"
  end
  host.catch_signal()
  worker:run()
end

-- What carries out the checks of one run.
local function check_jobs()
  require "f5"
  local next_line <const> = require("f5.work.lines").reader(function()
    error("a line is too long", 0)
  end)
  require("f5.queue.checks.checker").run(next_line, function(line)
    output(line, "\n")
    output.flush()
  end, require("cli.support.change.check").text_of)
end

function M.run(options)
  if options.check_jobs then return check_jobs() end
  return options_of_queue.guarded(PROGRAM, work, options)
end

return M
