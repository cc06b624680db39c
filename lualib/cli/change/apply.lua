-- f5lua apply: sends exactly the steps of a plan.
local confirmed = require "cli.support.change.confirmed"
local contents = require "cli.support.contents"
local device_options = require "cli.support.device"
local f5 = require "f5"
local host = require "f5.host"
local output = require "cli.support.output"
local show = require "cli.support.change.plan"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "send exactly the steps of a plan", logs = true }

local PROGRAM <const> = "f5lua apply"

function M.setup(parser)
  parser:argument("file", "the plan"):argname "FILE"
  parser:option("--host", "the device (default: that of the plan)"):argname "HOST"
  parser:flag("--yes", "do not ask before steps that cannot be taken back")
  parser:flag("--save", "save the configuration of the device afterwards")
  parser:option("--key", "refuse a plan that is not signed with this key (Ed25519, PEM)")
    :argname "PUB.pem"
  confirmed.add_options(parser)
  device_options.add_options(parser)
  parser:epilog(
    "It refuses another device, a plan that was changed, and a device that is no longer as the\n"
      .. "plan saw it. Afterwards it reads every object back and compares it with the plan."
  )
end

local function line(...)
  for i = 1, select("#", ...) do output((select(i, ...))) end
  output "\n"
end

local function connect(options, device)
  local given = device_options.options(options)
  if not given.host then
    if not device.host and (os.getenv "F5_SERVER" or "") == "" then
      usage("the plan was made against a file and names no device: give --host HOST", PROGRAM)
    end
    given.host, given.port = device.host, device.port
  end
  return f5.connect(given)
end

local WHAT <const> = {
  created = "did not exist, and exists now", deleted = "existed, and is gone",
  read = "the playbook read this, and the answer is another one now",
}

local function put_drift(found)
  local text = require "f5.state.show_text"
  for _, one in ipairs(found) do
    if one.changes then
      text.entry(output, {
        what = "changed", name = one.path, kind = one.kind, changes = one.changes,
      })
    else
      line("  ", terminal.line(one.path), ": ", WHAT[one.what])
    end
  end
end

-- Steps that nothing can take back are said before they run.
local function final_steps(device)
  local list = {}
  for _, step in ipairs(device.steps) do
    local plain = step.class == "rest" or step.class == "upload"
      or step.path:find "^/mgmt/tm/ltm/policy$" -- publishing a draft
    if not plain then list[#list + 1] = step end
  end
  return list
end

local function ask(options, device)
  local list = final_steps(device)
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

local function put_read_back(found)
  local wrong = false
  local text = require "f5.state.show_text"
  for _, one in ipairs(found) do
    wrong = wrong or one.given
    if one.what == "differs" then
      text.entry(output, {
        what = "changed", name = one.path, kind = one.kind, changes = one.changes,
        notes = { one.given and "not as planned" or "the device chose another value" },
      })
    else
      line("  ", terminal.line(one.path), ": ", one.what == "missing" and "does not exist"
        or "still exists")
    end
  end
  return wrong
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

local function apply_to(options, device, record)
  local apply, drift = require "f5.plan.apply", require "f5.plan.drift"
  local session <close> = connect(options, device)
  local same, why = apply.check_device(session, device)
  if same == nil then
    terminal.err(terminal.line((
      "f5lua: note: whether %s is the device of the plan is not known: %s"
    ):format(session:label(), why)), "\n")
  end
  local found = drift.find(session, device)
  if #found > 0 then
    line(terminal.line(session:label()), " is not as the plan saw it (A: the plan, B: now):")
    put_drift(found)
    error(require("f5.core").error_new {
      kind = "conflict", device = session:label(),
      message = "nothing was sent: the device has changed since the plan was made; make a new plan",
    }, 0)
  end
  ask(options, device)
  local pending <close> = confirmed.arm(options, device, function()
    return connect(options, device)
  end)
  record:attach(session)
  local done = {}
  local ok, err = pcall(apply.run, session, device, function(group, after)
    if not after then return pending:keep() end
    table.move(group, 1, #group, #done + 1, done)
  end)
  if ok then ok, err = pcall(pending.sent, pending) end
  if not ok then
    report_failure(device, done, err)
    pending:failed(err)
    error(err, 0)
  end
  line(("%s: %d steps sent"):format(terminal.line(session:label()), #done))
  local found_back
  ok, found_back = pcall(apply.read_back, session, device)
  if not ok then
    pending:failed(found_back)
    error(found_back, 0)
  end
  local wrong = put_read_back(found_back)
  if pending:finish() then return wrong end
  if options.save then
    session.sys.config:run "save"
    line "the configuration is saved"
  elseif #done > 0 and not saves(device) then
    line "the configuration is not saved: a restart loses the changes (f5lua apply --save)"
  end
  return wrong
end

function M.run(options)
  confirmed.check_options(options, PROGRAM)
  local key
  if options.key then
    local reason
    key, reason = contents(options.key)
    if not key then usage("cannot read " .. reason, PROGRAM) end
  end
  local plan = require("f5.plan.file").read(options.file, key)
  if options.host and #plan.devices > 1 then
    usage("--host works with a plan of one device only", PROGRAM)
  end
  local record <close> = require("cli.support.change.undoable").record {
    what = "apply", playbook = options.file, arguments = {},
  }
  local wrong = false
  for _, device in ipairs(plan.devices) do wrong = apply_to(options, device, record) or wrong end
  if #plan.devices == 0 then show.text(plan) end
  return wrong and 1 or 0
end

return M
