--- Carries out the checks of one run, in a process of its own: a check takes the place of
--- f5.connect, of the clock and of others, and a worker has runs that are no checks. The process
--- ends when its standard input ends.
--
--   in:  { archive (hexadecimal), playbook, arguments, lease (of the worker) }, then for each job
--        { job (a number), device = { name, groups, vars, pair }, connect (options of f5.connect),
--          on, keep_going }
--   out: for each job { job, printed, calls, bytes, and of a check that came to its end: plan
--          (text), text (of what was found), steps, changes, final, rejected (a text); else problem
--          or skipped }

local apply = require "f5.plan.apply"
local check = require "f5.plan.check"
local core = require "f5.core"
local json = require "f5.json"
local limit = require "f5.queue.limit"
local make = require "f5.plan.make"
local owner = require "f5.fleet.owner"
local pairing = require "f5.fleet.pair"
local passphrase = require "f5.safe.passphrase"
local plans = require "f5.plan.file"
local playbook = require "f5.queue.playbook"
local printed = require "f5.queue.printed"
local problem = require "f5.queue.problem"
local validate = require "f5.plan.validate"

local M = {}

local function from_hex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- What the playbook does to the twin of the device.
local function rehearse(self, job, real)
  local device <const> = job.device
  device.connect = {}
  job.assets = self.playbook.assets
  local twin <close> = self.check:twin_session(real)
  local function work() return self.playbook:run(twin, device) end
  if job.on == "active" then return pairing.on_active(twin, device, work, false) end
  return { result = work() }
end

-- The device of the job in the check. A playbook that connects to others has no plan.
local function checked_device(self, job)
  local found
  for _, one in ipairs(self.check.devices) do
    if one.owner == job then
      if found then
        core.usage_error(
          "the playbook connects to other devices by itself: a check in a queue is about one device"
        )
      end
      found = one
    end
  end
  return found
end

-- The twin of the job has done its work: another job with the same device gets a new one.
local function forget(self, job)
  local kept = {}
  for _, one in ipairs(self.check.devices) do
    if one.owner ~= job then kept[#kept + 1] = one end
  end
  self.check.devices = kept
end

local function rejected(device)
  for _, step in ipairs(device.steps) do
    local found <const> = step.validation
    if found and found.state == "rejected" then
      return ("the device rejects %s %s (%s): %s"):format(
        step.method, step.path, step.line, tostring(found.message)
      )
    end
  end
  return nil
end

local function carry_out(self, job)
  local options <const> = job.connect
  local real <close> = self.connect(options)
  local ok, outcome = printed.collect(job, rehearse, self, job, real)
  local function measured(answer)
    local usage <const> = real:usage()
    answer.calls, answer.bytes = usage.calls, usage.bytes_sent + usage.bytes_received
    return answer
  end
  if not ok then error(outcome, 0) end
  if outcome.skipped then return measured { skipped = outcome.skipped } end
  local device <const> = checked_device(self, job)
  self.check:collect_device(device)
  validate.run(real, device.steps)
  local made <const>, report <const> = make.device(device)
  local text <const> = self.text_of(device, report)
  local steps <const>, changes <const> = #made.steps, #report.differences
  local refused <const> = rejected(device)
  local whole <const> = make.whole({ made }, {
    playbook = self.name, arguments = table.move(self.arguments, 1, #self.arguments, 1, {}),
  })
  return measured {
    plan = plans.text(json.decode(json.encode(whole))), text = text, steps = steps,
    changes = changes, rejected = refused, final = #apply.final_steps(made),
  }
end

-- Sessions of playbooks are those of the check.
local Job <const> = {}
Job.__index = Job

function Job.attach() end

local function answer(self, job)
  setmetatable(job, Job)
  core.set_limited(true) -- f5.queue.limit
  job.lines, job.line_count = {}, 0
  local ok, result = pcall(carry_out, self, job)
  if not ok then result = { problem = problem.of(result) } end
  owner.set(nil)
  forget(self, job)
  result.job, result.printed = job.job, json.array(job.lines)
  self.say(json.encode(result))
end

-- Playbooks live in the time of the check; what works for no job, such as the validation by the
-- device, in real time.
local function divide_time()
  local f5 <const> = require "f5"
  local of_check <const> = core.sleep
  local function sleep(...)
    if owner.current() then return of_check(...) end
    return core.real_sleep(...)
  end
  f5.sleep, core.sleep = sleep, sleep
end

--- Works until there is no line any more.
-- @param next_line function() -> string, or nil at the end
-- @param say function(line)
-- @param text_of function(device, report): what was found, as text
function M.run(next_line, say, text_of)
  local head <const> = json.decode(next_line() or "{}")
  passphrase.never_ask()
  playbook.keep_process()
  if head.lease then limit.checker(head.lease) end
  local self <const> = {
    say = say, text_of = text_of, name = head.playbook, arguments = head.arguments,
    playbook = playbook.new(from_hex(head.archive), head.arguments),
  }
  self.check = check.start { keep_going = false }
  self.connect = self.check.connect -- the one of devices
  divide_time()
  for line in next_line do core.spawn(answer, self, json.decode(line)) end
end

return M
