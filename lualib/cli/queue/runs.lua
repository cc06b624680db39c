-- f5lua runs: lists the runs of a queue, shows, cancels, repeats and removes them.
local core = require "f5.core"
local following = require "cli.support.queue.following"
local output = require "cli.support.output"
local queue_options = require "cli.support.queue.options"
local showing = require "cli.support.queue.show"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "list the runs of a queue; show, cancel, repeat and remove them" }

local PROGRAM <const> = "f5lua runs"

function M.setup(parser)
  parser:usage(
    "Usage: f5lua runs [list] [--queue URL] [--schema NAME] [--last N] [-o table|json]\n"
      .. "       f5lua runs show ID [--watch] [--print] [-o table|json]\n"
      .. "       f5lua runs record ID [DEVICE]\n"
      .. "       f5lua runs plan ID [DEVICE]\n"
      .. "       f5lua runs cancel ID\n"
      .. "       f5lua runs retry ID --failed\n"
      .. "       f5lua runs prune --older DAYS [--check]"
  )
  parser
    :argument("action", "list (default), show, record, plan, cancel, retry or prune")
    :args("?")
    :choices { "list", "show", "record", "plan", "cancel", "retry", "prune" }
  parser:argument("id", "the number of a run"):args("?")
  parser:argument("device", "record, plan: the name of a device"):args("?")
  queue_options.add(parser)
  parser:option("--last", "list: only the last N runs (default 20)"):argname "N":default "20"
  parser:flag("--watch", "show: follow the run until it ends")
  parser:flag("--print", "show: with what the playbook printed")
  parser:flag("--failed", "retry: the devices that failed, or that were not reached")
  parser:option("--older", "prune: runs that ended more days ago"):argname "DAYS"
  parser:flag("--check", "prune: only list what would be removed")
  parser
    :option("-o --output", "table or json")
    :argname "FORMAT"
    :default "table"
    :choices { "table", "json" }
  parser:epilog(
    "record, plan: the change record of a device, as 'f5lua changes show FILE' reads it, or its\n"
      .. "plan in a check, for 'f5lua show FILE'; without a device: those that have one.\n"
      .. "cancel: no device starts any more; those under way end.\n"
      .. "retry: a new run with the same playbook, for the devices that are not done.\n"
      .. "prune: removes old runs with their results and records; for the owner of the queue.\n"
      .. "'f5lua undo ID --queue URL' takes back what a run wrote."
  )
end

local function note(...) terminal.err(PROGRAM, ": ", string.format(...), "\n") end

local function number_of(options)
  local text = options.id
  if not text then
    usage(("name the run: f5lua runs %s ID"):format(options.action), PROGRAM)
  end
  local id = math.tointeger(tonumber(text:match "^%d+$"))
  if not id then usage(("'%s' is not the number of a run"):format(text), PROGRAM) end
  return id
end

local LIST <const> = [[
  select r.id as run, r.kind, r.state, r.playbook, r.jobs as devices,
    count(*) filter (where j.state in ('done', 'skipped')) as done,
    count(*) filter (where j.state = 'failed') as failed,
    r.submitted_by as by, to_char(r.submitted_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as at,
    round(extract(epoch from coalesce(r.ended_at, clock_timestamp()) - r.started_at)) as seconds,
    r.reason
  from (select * from runs order by id desc limit $1) r join jobs j on j.run = r.id
  group by r.id, r.kind, r.state, r.playbook, r.jobs, r.submitted_by, r.submitted_at, r.ended_at,
    r.started_at, r.reason
  order by r.id desc]]

local COLUMNS <const> = { "run", "kind", "state", "playbook", "devices", "done", "failed", "by",
  "at", "seconds", "reason" }

local function list(db, options)
  local last = math.tointeger(tonumber(options.last))
  if not last or last < 1 then usage("--last must be a number of runs", PROGRAM) end
  showing.rows(db:query(LIST, last), COLUMNS, options.output, "no runs")
end

local function no_run(id)
  error(core.error_new { kind = "database", message = ("there is no run %d"):format(id) }, 0)
end

local function show(db, options, address, schema)
  local watch <const> = require "f5.queue.watch"
  local id <const> = number_of(options)
  local state = watch.state(db, id) or no_run(id)
  if options.watch and not state.ended_at then
    state = following.follow(PROGRAM, address, schema, id)
  end
  if options.output == "json" then return showing.json(db, state, options.print) end
  showing.head(db, state)
  if not state.ended_at then following.tell_missing(PROGRAM, db, id) end
  local is_checked <const> = state.kind == "check" and state.ended_at
  if is_checked then showing.findings(db, id) else showing.devices(db, id) end
  if options.print then showing.printed(db, id) end
end

local function cancel(db, options)
  local id <const> = number_of(options)
  local state = require("f5.queue.calls").cancel(db, id) or no_run(id)
  output(("run %d: %s\n"):format(id, state))
end

local function retry(db, options)
  local id <const> = number_of(options)
  if not options.failed then
    usage("say which devices: --failed, those that failed or were not reached", PROGRAM)
  end
  if not require("f5.queue.watch").state(db, id) then no_run(id) end
  local new = require("f5.queue.calls").retry(db, id, queue_options.this_machine())
  if not new then
    note("run %d: all devices are done, there is nothing to repeat", id)
    return 1
  end
  require("cli.support.queue.submitting").print_number(PROGRAM, new)
end

-- What is kept of each device. It goes to standard output, as the other subcommands read it.
local KEPT <const> = {
  record = {
    what = "change record", columns = { "device", "attempts", "lines" }, none = "wrote nothing",
    list = showing.recorded, text = showing.record,
  },
  plan = {
    what = "plan", columns = { "device", "steps", "changes", "final" }, none = "has no plans",
    list = showing.planned, text = showing.plan,
  },
}

local function kept(db, options)
  local id <const>, of <const> = number_of(options), KEPT[options.action]
  if not require("f5.queue.watch").state(db, id) then no_run(id) end
  local rows <const> = of.list(db, id)
  local device <const> = options.device or #rows == 1 and rows[1].device
  if not device then
    return showing.rows(rows, of.columns, options.output, ("run %d %s"):format(id, of.none))
  end
  local text <const> = of.text(db, id, device)
  if not text then
    usage(("run %d has no %s of a device '%s'; 'f5lua runs %s %d' lists them")
      :format(id, of.what, device, options.action, id), PROGRAM)
  end
  output(terminal.json(text))
end

local MOST_DAYS <const> = 100000

local PRUNABLE <const> = [[
  select r.id as run, r.kind, r.state, r.playbook, r.jobs as devices, r.submitted_by as by,
    to_char(r.ended_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as ended
  from runs r join prunable($1::timestamptz) as p (id) using (id) order by r.id]]

local PRUNED <const> = { "run", "kind", "state", "playbook", "devices", "by", "ended" }

local function days_of(options)
  local days = math.tointeger(tonumber((options.older or ""):match "^(%d+)d?$"))
  if days and days <= MOST_DAYS then return days end
  usage("say which runs: --older DAYS, such as --older 90", PROGRAM)
end

local function runs_of(n) return ("%d run%s"):format(n, n == 1 and "" or "s") end

-- Only the owner of the schema may do it.
local function prune(db, options)
  local calls <const> = require "f5.queue.calls"
  local before <const> = calls.days_ago(db, days_of(options))
  if options.check then
    showing.rows(db:query(PRUNABLE, before), PRUNED, options.output, "no runs")
  else
    output(runs_of(calls.prune(db, before)), " removed\n")
  end
  local needed <const> = calls.still_needed(db, before)
  if needed > 0 then note("%s kept: a run that has not ended needs it", runs_of(needed)) end
end

local ACTIONS <const> = {
  prune = prune,
  list = list, show = show, record = kept, plan = kept, cancel = cancel, retry = retry,
}

-- Options that only some actions have.
local OF_ACTIONS <const> = {
  watch = { show = true }, print = { show = true }, failed = { retry = true },
}

-- Actions that are not about one run.
local WHOLE <const> = { list = true, prune = true }

-- Seconds for a statement. A run may have millions of lines.
local PRUNE_TIMEOUT <const> = 3600

local function act(options)
  options.action = options.action or "list"
  if WHOLE[options.action] and options.id then
    usage(("%s takes no run"):format(options.action), PROGRAM)
  end
  if not WHOLE[options.action] then number_of(options) end
  for _, name in ipairs { "older", "check" } do
    if options[name] and options.action ~= "prune" then
      usage(("--%s is for prune"):format(name), PROGRAM)
    end
  end
  for name, actions in pairs(OF_ACTIONS) do
    if options[name] and not actions[options.action] then
      usage(("--%s is not for %s"):format(name, options.action), PROGRAM)
    end
  end
  if options.output == "json" and (options.action == "cancel" or options.action == "retry") then
    usage(("%s prints no JSON"):format(options.action), PROGRAM)
  end
  if options.action == "prune" then days_of(options) end
  if options.device and not KEPT[options.action] then
    usage(("%s takes no device"):format(options.action), PROGRAM)
  end
  local address <const>, schema <const> = require("f5.queue").address(options)
  local db <close> = require("f5.queue").open(address, schema, {
    timeout = options.action == "prune" and PRUNE_TIMEOUT or nil,
  })
  return ACTIONS[options.action](db, options, address, schema)
end

function M.run(options) return queue_options.guarded(PROGRAM, act, options) end

return M
