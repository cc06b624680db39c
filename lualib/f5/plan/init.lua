-- session:plan(fn): what a function would do to a device, to look at, to validate and to apply.

local apply = require "f5.plan.apply"
local check = require "f5.plan.check"
local core = require "f5.core"
local drift = require "f5.plan.drift"
local file = require "f5.plan.file"
local make = require "f5.plan.make"
local show = require "f5.state.show"
local validate = require "f5.plan.validate"

local M = {}

---@class f5.plan
---@field steps table[] n, line, method, path, body (JSON text), class, validation
---@field differences table[] of f5.diff: what, kind, name, path, changes, notes
---@field assumed table[] path, property, reason
local Plan = { __name = "f5.plan" }
Plan.__index = Plan

local data = setmetatable({}, { __mode = "k" }) -- plan -> { session, device, made, text, applied }

local function own(plan, name)
  local of = data[plan]
  if not of then core.usage_error(3, ("%s: call it with a colon: plan:%s()"):format(name, name)) end
  return of
end

local function check_options(what, options, known)
  if options ~= nil and type(options) ~= "table" then
    core.usage_error(3, ("%s: expected a table of options, got a %s"):format(what, type(options)))
  end
  for key, value in pairs(options or {}) do
    local want = known[key]
    if not want then
      core.usage_error(3, ("%s: unknown option '%s'"):format(what, tostring(key)))
    end
    if type(value) ~= want then
      core.usage_error(3, ("%s: '%s' must be a %s, not a %s"):format(what, key, want, type(value)))
    end
  end
  return options or {}
end

-- While a function is planned the session with the device must not write: the function gets another
-- one, and a script that uses the wrong one would change the device.
local function no_writes(session)
  return core.record(session, {
    before = function(write)
      if write.harmless then return end
      core.usage_error(
        "this session writes to the device; inside of bip:plan use the session that the function "
          .. "gets"
      )
    end,
    after = function() end,
  })
end

local function run(session, fn, options)
  local allow = no_writes(session)
  local ok, result = pcall(check.run, function(self)
    local twin <close> = self:twin_session(session)
    fn(twin)
  end, { keep_going = false, twin = options.twin })
  allow()
  if not ok then error(result, 0) end
  return result
end

--- Runs fn(twin) in check mode: `twin` is a session that looks like this one, and nothing reaches
--- the device. Then the device validates the writes.
-- @param fn function(session)
-- @param options table|nil: validate (false: do not ask the device)
-- @return f5.plan
function M.plan(session, fn, options)
  if type(fn) ~= "function" then
    core.usage_error(3, ("plan: expected a function, got a %s"):format(type(fn)))
  end
  options = check_options("plan", options, { validate = "boolean" })
  local result <close> = run(session, fn, options)
  if not result.ok then error(result.error, 0) end
  if #result.devices > 1 then
    core.usage_error(3, "plan: the function connects to other devices; f5lua plan is for several")
  end
  local checked = result.devices[1]
  if options.validate ~= false then validate.run(session, checked.steps) end
  local device, report = make.device(checked)
  local plan = setmetatable({
    steps = device.steps, differences = report.differences, assumed = device.assumed,
  }, Plan)
  data[plan] = {
    session = session, device = device, text = show.text(report, "text", {
      verbs = require("f5.plan.findings").VERBS,
    }),
    made = { playbook = _G.arg and _G.arg[0], arguments = {} },
  }
  return plan
end

--- What would change, as text.
function Plan:__tostring() return (own(self, "tostring").text:gsub("\n$", "")) end

--- Asks the device whether it accepts the steps. Nothing changes.
-- @return boolean: no step is rejected
-- @return array of the steps that are not accepted: n, line, state, message
function Plan:validate()
  local of = own(self, "validate")
  for _, step in ipairs(self.steps) do step.ok, step.validation = true, nil end
  validate.run(of.session, self.steps)
  local fine, problems = true, {}
  for _, step in ipairs(self.steps) do
    local found = step.validation
    step.ok = nil
    if found and found.state ~= "accepted" then
      fine = fine and found.state ~= "rejected"
      problems[#problems + 1] = {
        n = step.n, line = step.line, state = found.state, message = found.message,
      }
    end
  end
  return fine, problems
end

-- -- a change that waits for its confirmation ----------------------------------------------------

local Change = { __name = "f5.plan.change" }
Change.__index = Change

local pendings = setmetatable({}, { __mode = "k" }) -- change -> what is on the device

local function pending_of(change, name)
  local pending = pendings[change]
  if not pending then
    core.usage_error(3, ("%s: call it with a colon: change:%s()"):format(name, name))
  end
  if pending.over then
    core.usage_error(3, ("%s: the change %s is %s"):format(name, pending.id, pending.over))
  end
  return pending
end

-- It is decided: the session of the timer is not needed any more.
local function finish(pending, how)
  pending.over = how
  pending.session:close()
end

--- Keeps the change. Raises "conflict" if the device takes it back already.
function Change:confirm()
  local pending = pending_of(self, "confirm")
  local ok, err = pcall(require("f5.confirm").confirm, pending.session, pending.id)
  local too_late = not ok and type(err) == "table" and err.kind == "conflict"
  if ok or too_late then finish(pending, ok and "confirmed" or "taken back") end
  if not ok then error(err, 0) end
end

--- Lets the device take the change back now.
-- @return string: "taken back", or "failed" or "taking back" if something is left; what is left
function Change:take_back()
  local pending = pending_of(self, "take_back")
  local now = require("f5.confirm").take_back(pending.session, pending.id, { sent = true })
  if now.state == "taken back" then finish(pending, now.state) end
  return now.state, now.detail
end

local function arm(of, seconds)
  if not seconds then return nil end
  -- a session of its own: the timer is no part of the change record
  local session = core.connect(core.access(of.session))
  local ok, pending = pcall(require("f5.confirm").arm, session, of.device, { seconds = seconds })
  if ok and pending then return pending end
  session:close()
  if not ok then error(pending, 0) end
  return nil
end

-- Sends the steps. If one fails, the device takes them back at once.
local function send(of, pending, single)
  local ok, err = pcall(apply.run, of.session, of.device, function(_, is_done)
    if pending and not is_done then pending:keep() end
  end, single)
  if ok and pending then ok, err = pcall(pending.start, pending) end
  if ok then return err end
  if pending and not (type(err) == "table" and err.kind == "cancelled") then
    pcall(require("f5.confirm").take_back, pending.session, pending.id, {
      sent = type(err) == "table" and err.outcome ~= "unknown", seconds = 30,
    })
    finish(pending, "over")
  end
  error(err, 0)
end

local function check_minutes(seconds)
  if not seconds or math.type(seconds) == "integer" and seconds % 60 == 0 and seconds >= 60
    and seconds <= 7 * 86400 then return end
  core.usage_error(3, ("apply: 'confirm' must be seconds, whole minutes of up to 7 days, not %s")
    :format(seconds))
end

--- Sends exactly the steps, if the device is still as the plan saw it, and keeps a change record.
-- Then it reads every object back.
-- @return array of { path, what, changes }: objects that are not as planned
-- @param options table|nil: confirm (seconds, whole minutes: the device takes the change back after
--   this time, unless it is confirmed), step_by_step (true: each step by itself, no transactions)
-- @return string|nil: id of the change record
-- @return f5.plan.change|nil: with `confirm`
function Plan:apply(options)
  local of = own(self, "apply")
  options = check_options("apply", options, { confirm = "number", step_by_step = "boolean" })
  local seconds, single = options.confirm, options.step_by_step
  check_minutes(seconds)
  if of.applied then core.usage_error(2, "apply: this plan was applied already; make a new one") end
  local found = drift.find(of.session, of.device)
  if #found > 0 then
    local paths = {}
    for i, one in ipairs(found) do paths[i] = one.path end
    error(core.error_new {
      kind = "conflict", device = of.session:label(),
      message = ("nothing was sent: the device has changed since the plan was made (%s)"):format(
        table.concat(paths, ", ")
      ),
    }, 0)
  end
  if not single then
    apply.check_transactions(of.session, of.device, "step_by_step = true sends each step by itself")
  end
  local pending = arm(of, seconds)
  of.applied = true
  local id, due = of.session:undoable(function() return send(of, pending, single) end)
  local wrong = {}
  for _, one in ipairs(apply.read_back(of.session, of.device)) do
    if one.given then
      wrong[#wrong + 1] = { path = one.path, what = one.what, changes = one.changes }
    end
  end
  if not pending then return wrong, id end
  local change = setmetatable({ id = pending.id, due = due }, Change)
  pendings[change] = pending
  return wrong, id, change
end

--- Writes the plan to a file, for `f5lua show` and `f5lua apply`.
-- @param path string
-- @param options table|nil: sign (file of an Ed25519 key)
function Plan:write(path, options)
  local of = own(self, "write")
  options = check_options("write", options, { sign = "string" })
  core.check_path(path, "write")
  local json = require "f5.json"
  file.write(path, json.decode(json.encode(make.whole({ of.device }, of.made))), options.sign)
end

return M
