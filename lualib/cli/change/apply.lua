-- f5lua apply: sends exactly the steps of a plan.
local follow_up = require "cli.support.queue.after"
local apply = require "f5.plan.apply"
local confirm = require "f5.confirm"
local confirmed = require "cli.support.change.confirmed"
local contents = require "cli.support.contents"
local core = require "f5.core"
local credentials = require "f5.fleet.credentials"
local device_options = require "cli.support.device"
local drift = require "f5.plan.drift"
local f5 = require "f5"
local hints = require "cli.support.hints"
local host = require "f5.host"
local hosts = require "cli.support.change.hosts"
local inventory = require "f5.inventory"
local output = require "cli.support.output"
local place = require "cli.support.change.place"
local read_back = require "cli.support.change.read_back"
local reported = require "cli.support.reports.single"
local show = require "cli.support.change.plan"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {
  summary = "send exactly the steps of a plan", logs = true,
  instead = { ["--undoable"] = "apply always keeps a change record: leave out --undoable" },
}

local PROGRAM <const> = "f5lua apply"
local WORKERS <const> = 20 -- devices that are looked at, at a time

-- The devices of a check whose plans have steps. Those that nothing can take back need --yes.
local function planned(db, id, run, options)
  if run.kind ~= "check" then
    core.usage_error(("run %d is no check: submit one with f5lua submit --check"):format(id))
  end
  local list, final = require("f5.queue.calls").planned(db, id), 0
  for _, one in ipairs(list) do
    if one.final > 0 then final = final + 1 end
  end
  if final > 0 and not options.yes then
    core.usage_error(("%d device%s would get steps that cannot be taken back; 'f5lua runs plan %d' "
      .. "shows them; --yes sends them"):format(final, final == 1 and "" or "s", id))
  end
  return list
end

local IN_QUEUE <const> = {
  kind = "apply", program = PROGRAM, wanted = planned,
  refused = { "host", "key", "step_by_step", "plan_hosts", "confirm", "inventory", "report",
    "user", },
  none = "no device has a plan with steps",
}

function M.setup(parser)
  parser:argument("file", "the plan; or a check in a queue: run:12"):argname "FILE"
  parser:option("--host", "the device (default: that of the plan)"):argname "HOST"
  parser:flag("--yes", "do not ask before steps that cannot be taken back")
  parser:flag("--save", "save the configuration of the device afterwards")
  parser:option("--key", "refuse a plan that is not signed with this key (Ed25519, PEM)")
    :argname "PUB.pem"
  parser:flag("--step-by-step", "send each step by itself, not several in a transaction")
    :target "step_by_step"
  parser
    :flag("--plan-hosts", "log in to the devices that only the plan names, although nobody has "
      .. "checked a signature")
    :target "plan_hosts"
  confirmed.add_options(parser)
  reported.add_option(parser)
  place.add_options(parser)
  parser
    :option("--limit", "with --inventory: only these devices of the plan: names and patterns")
    :argname "PATTERN"
  follow_up.add_options(parser)
  parser:epilog(
    "It refuses another device, a plan that was changed, and a device that is no longer as the\n"
      .. "plan saw it. Afterwards it reads every object back and compares it with the plan.\n"
      .. "Exit status: 0 all is as planned, 1 an object is not, or the plan cannot be read,\n"
      .. "2 wrong usage, 3 it was refused, or the device or the network failed.\n"
      .. "FILE = run:12: workers of a queue apply the plans of a check. With --queue and\n"
      .. "--inventory they apply the plan of FILE. See docs/queue.md."
  )
end

local line <const> = output.line

local function connect(options, device)
  if options.devices then return f5.connect(credentials(options.devices[device.label], {})) end
  local given = device_options.options(options)
  if not hosts.is_given(options) then
    if not device.host and not hosts.server() then
      usage("the plan was made against a file and names no device: give --host HOST", PROGRAM)
    end
    given.host, given.port = device.host, device.port
  end
  return f5.connect(given)
end

local function ask(options, device)
  local list = apply.final_steps(device)
  if #list == 0 or options.yes then return end
  line "these steps cannot be taken back:"
  for _, step in ipairs(list) do
    line("  ", terminal.line(("%s  %s %s"):format(step.line, step.method, step.path)))
  end
  if not host.is_terminal(0) then
    usage("there is no terminal to ask on: give --yes to send them", PROGRAM)
  end
  terminal.err "send them? (y/N) "
  local answer = io.read "l"
  if not answer or not answer:lower():find "^y" then error("nothing was sent", 0) end
end

local function report_failure(device, done, err)
  line(("%d of %d steps were sent and carried out; then:"):format(#done, #device.steps))
  local unknown = type(err) == "table" and err.outcome == "unknown"
  line("  ", terminal.line(tostring(err)))
  if unknown then line "  it is not known whether the device carried it out" end
end

-- Whether the plan itself saves the configuration.
local function saves(device)
  for _, step in ipairs(device.steps) do
    if step.path:find "^/mgmt/tm/sys/config" or step.path:find "^/mgmt/tm/task/sys/config" then
      return true
    end
  end
  return false
end

-- Logs in, and compares the device with what the plan saw. Nothing is written.
-- @return session, drift
local function look(options, device)
  local session = connect(options, device)
  local ok, found = pcall(function()
    local same, why = apply.check_device(session, device)
    local list = drift.find(session, device)
    if #list == 0 and not options.step_by_step then
      apply.check_transactions(session, device, "--step-by-step sends each step by itself")
    end
    return { same = same, why = why, drift = list }
  end)
  if not ok then
    session:close()
    error(found, 0)
  end
  if found.same == nil then
    terminal.err(terminal.line((
      "f5lua: note: whether %s is the device of the plan is not known: %s"
    ):format(session:label(), found.why)), "\n")
  end
  return session, found.drift
end

local function refuse_drift(label)
  error(core.error_new {
    kind = "conflict", device = label,
    message = "nothing was sent: the device has changed since the plan was made; make a new plan",
  }, 0)
end

-- Looks at all devices before anything is written to one of them: some at a time.
local function look_at_all(options, devices, sessions)
  local at, workers, problems, drifted = 0, {}, {}, nil
  for i = 1, math.min(WORKERS, #devices) do
    workers[i] = function()
      while at < #devices do
        at = at + 1
        local device = devices[at]
        local ok, session, found = pcall(look, options, device)
        if not ok then
          if type(session) == "table" and session.kind == "cancelled" then error(session, 0) end
          problems[device] = session
        else
          sessions[device], problems[device] = session, #found > 0 and found or nil
        end
      end
    end
  end
  core.all(workers)
  local first
  for _, device in ipairs(devices) do
    local problem = problems[device]
    if sessions[device] and problem then
      line(terminal.line(device.label), " is not as the plan saw it (A: the plan, B: now):")
      read_back.put_drift(problem)
      drifted = drifted or device.label
    elseif problem then
      first = first or problem
      local text = tostring(problem)
      if text:sub(1, #device.label + 2) ~= device.label .. ": " then
        text = device.label .. ": " .. text
      end
      if #devices > 1 then line(terminal.line(text)) end
    end
  end
  if first then error(first, 0) end
  if drifted then refuse_drift(drifted) end
end

local function apply_to(options, device, record, session)
  local saves_later = false
  if options.confirm or options.verify then
    device, saves_later = confirm.without_saves(device)
  end
  ask(options, device)
  local pending <close> = confirmed.arm({
    confirm = options.confirm, verify = options.verify, user = options.user,
    save = options.save or saves_later,
  }, device, function()
    return connect(options, device)
  end)
  record:attach(session)
  local done = {}
  local ok, err = pcall(apply.run, session, device, function(group, after)
    if not after then return pending:keep() end
    table.move(group, 1, #group, #done + 1, done)
  end, options.step_by_step)
  if ok then ok, err = pcall(pending.sent, pending) end
  if not ok then
    report_failure(device, done, err)
    pending:failed(err)
    error(err, 0)
  end
  line(("%s: %d %s sent"):format(
    terminal.line(session:label()), #done, #done == 1 and "step" or "steps"
  ))
  local found_back
  ok, found_back = pcall(apply.read_back, session, device)
  if not ok then
    pending:failed(found_back)
    error(found_back, 0)
  end
  local wrong = read_back.put(found_back)
  local verdict = options.verify and confirmed.verify(options) or nil
  local waits = pending:finish(verdict)
  if verdict and not verdict.ok then error(verdict.error, 0) end
  if waits then return wrong end
  if options.save then
    session.sys.config:run "save"
    line "the configuration is saved"
  elseif #done > 0 and not saves(device) then
    options.is_unsaved = true
  end
  return wrong
end

-- The devices of the plan, with --limit some of them. With --inventory each is found there by name.
local function chosen(options, plan)
  if options.limit and not options.inventory then usage("--limit needs --inventory", PROGRAM) end
  if not options.inventory then return plan.devices end
  local all <const> = inventory.read(options.inventory)
  local ok, limited = pcall(all.limit, all, options.limit)
  if not ok then usage(tostring(limited), PROGRAM) end
  local known, list = {}, {}
  for _, device in ipairs(limited.devices) do known[device.name] = device end
  for _, device in ipairs(plan.devices) do
    if known[device.label] then
      list[#list + 1] = device
    elseif not options.limit then
      usage(("the inventory does not have the device %s of the plan"):format(device.label), PROGRAM)
    end
  end
  if #list == 0 and #plan.devices > 0 then
    usage("the plan is about no device within the limit", PROGRAM)
  end
  options.devices = known
  return list
end

local function run(options)
  hints.for_command()
  confirmed.check_options(options, PROGRAM)
  local key
  if options.key then
    local reason
    key, reason = contents(options.key)
    if not key then usage("cannot read " .. reason, PROGRAM) end
  end
  local plan = require("f5.plan.file").read(options.file, key)
  if options.host and options.inventory then
    usage("give either --host or --inventory", PROGRAM)
  end
  if options.host and #plan.devices > 1 then
    usage("--host works with a plan of one device only", PROGRAM)
  end
  local devices = chosen(options, plan)
  if not key and not options.inventory and not options.plan_hosts then
    hosts.check(options, devices, {
      what = "the plan is not signed, or nobody has checked it with --key", who = "the plan",
      otherwise = "or log in there with --plan-hosts", program = PROGRAM,
    })
  end
  local sessions <close> = setmetatable({}, { __close = function(list)
    for _, session in pairs(list) do session:close() end
  end })
  look_at_all(options, devices, sessions)
  local record <close> = require("cli.support.change.undoable").record {
    what = "apply", playbook = options.file, arguments = {},
  }
  local wrong = false
  for i, device in ipairs(devices) do
    local ok, result = pcall(apply_to, options, device, record, sessions[device])
    if not ok then
      for n = i + 1, #devices do
        line(terminal.line(devices[n].label), ": nothing was sent, because of the error above")
      end
      error(result, 0)
    end
    wrong = wrong or result
  end
  if options.is_unsaved then
    line "the configuration is not saved: a restart loses the changes (f5lua apply --save)"
  end
  if #plan.devices == 0 then show.text(plan) end
  return wrong and 1 or 0
end

function M.run(options)
  local id <const> = follow_up.run_of(options.file, options, PROGRAM, true)
  if id then return follow_up.run(IN_QUEUE, options, id) end
  if options.queue then return require("cli.support.queue.plans").run(options, PROGRAM) end
  return reported.run(options, PROGRAM, function() return run(options) end)
end

return M
