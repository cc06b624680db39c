--- A job that a worker has: its lease, its sessions, its result.

local core = require "f5.core"
local credentials = require "f5.fleet.credentials"
local printed = require "f5.queue.printed"
local problem = require "f5.queue.problem"
local recorders = require "f5.safe.recorders"
local runs = require "f5.queue.runs"
local safe = require "f5.safe"

local Job = {}
Job.__index = Job

local LONG_AGO <const> = 0.001 -- s since the start of the machine

-- The writes of a session end before this time. One that the playbook has closed sends nothing.
local function set_lease(session, ends) pcall(core.lease, session, ends) end

--- Makes a job of a row of `take`: run, position, attempt, device, ends (of its lease, by
--- core.boot_time()).
-- @param worker f5.queue.worker
function Job.new(row, worker)
  local self = setmetatable(row, Job)
  self.worker, self.lease = worker, worker.lease
  self.sessions, self.fibers = setmetatable({}, { __mode = "k" }), {}
  self.began, self.wrote = core.now(), false
  self.usage = { calls = 0, bytes = 0, changed = false }
  self.lines, self.said, self.line_count = {}, 0, 0
  return self
end

function Job:key() return self.run .. ":" .. self.position end

--- Calls fn(db) until the database has answered.
function Job:ask(fn) return self.worker:ask(fn) end

--- Keeps a line with what the playbook prints.
function Job:print(text) printed.add(self, text) end

--- The writes of a session end before the lease, and stand in the change record.
function Job:attach(session)
  self.sessions[session] = true
  core.lease(session, self.ends)
  if self.record then self.record:attach(session) end
  recorders.record(session, { before = function() self.wrote = true end, after = function() end })
end

--- Its lease has become longer.
function Job:renewed(ends)
  self.ends = ends
  for session in pairs(self.sessions) do set_lease(session, ends) end
end

--- Ends the work on the device.
-- @param how string: "lost", "returned"
function Job:stop(how, why)
  if self.ended or self.how then return end
  self.how, self.why = how, why
  if self.fiber then self.fiber:cancel() end
end

--- Starts a fiber of the playbook, and keeps it until it has ended without an error.
-- @param spawn function: f5.spawn
function Job:follow(spawn, fn, ...)
  local place <const>, ended = {}, false
  local fiber = spawn(function(...)
    local _ <close> = setmetatable({}, { __close = function(_, err)
      if err == nil then ended, self.fibers[place] = true, nil end
    end })
    return fn(...)
  end, ...)
  if not ended then self.fibers[place] = fiber end
  return fiber
end

-- Raises the failure of a fiber, unless the playbook has seen it.
local function unseen_failure(fiber)
  local _ <close> = fiber
end

-- The work on a device has ended when the fibers that it started have, as in f5lua run. After a
-- failure, or if the job was stopped, they are cancelled. Returns ok, and the outcome or the error.
function Job:join_fibers(ok, outcome)
  while next(self.fibers) do
    local place <const>, fiber <const> = next(self.fibers)
    if not ok then fiber:cancel() end
    local wait = fiber:status() == "running" and fiber.join or unseen_failure
    local joined, err = pcall(wait, fiber)
    -- It runs if this fiber was cancelled: the job was stopped.
    local status <const> = fiber:status()
    if status ~= "running" then self.fibers[place] = nil end
    if ok and not joined and status ~= "cancelled" then ok, outcome = false, err end
  end
  return ok, outcome
end

-- Nothing of the playbook writes after its end: the device may have another worker then.
function Job:close_sessions()
  for session in pairs(self.sessions) do set_lease(session, LONG_AGO) end
end

-- From login to logout. Returns what goes into the result.
function Job:visit(run)
  local device = run.devices[self.position]
  local options = credentials(device, run.secrets)
  options.parallel = run.options.per_device or 4
  if run.kind.reads_only then return run.kind.work(self, run, device, nil, options) end
  local bip <close> = core.connect(options)
  self.record = self.worker.records:begin(self, run)
  self:attach(bip)
  local ok, outcome = self:join_fibers(pcall(run.kind.work, self, run, device, bip, options))
  self:close_sessions()
  if not self.how then safe.finish(self.record, ok, outcome) end
  local usage = bip:usage()
  self.usage = {
    calls = usage.calls, bytes = usage.bytes_sent + usage.bytes_received, changed = self.wrote,
  }
  if not ok then error(outcome, 0) end
  return outcome
end

--- Sets the result that is stored.
-- @param outcome table of the kind, or the error
function Job:conclude(ok, outcome)
  local result = {
    position = self.position, attempt = self.attempt, duration = core.now() - self.began,
    changed = self.usage.changed, calls = self.usage.calls, bytes = self.usage.bytes,
  }
  if not ok then
    result.state, result.error = "failed", problem.of(outcome)
  elseif outcome.problem then
    result.state, result.error = "failed", problem.of(outcome.problem)
    result.result = runs.storable(outcome.result)
  elseif outcome.skipped then
    result.state, result.reason = "skipped", outcome.skipped
  else
    result.state, result.result = "done", runs.storable(outcome.result)
  end
  self.result = result
end

--- Carries it out: afterwards it has a result, or it was stopped. From now on the fiber is limited
-- (f5.queue.limit): the result, and an error, may have metamethods of the playbook.
function Job:work(run)
  core.set_limited(true)
  local ok, outcome = printed.collect(self, self.visit, self, run)
  local cancelled = not ok and type(outcome) == "table" and outcome.kind == "cancelled"
  -- A lease that is not half over, and a write that does not fit: it never will.
  local fits = self.ends - core.boot_time() < self.lease / 2
  if cancelled and not self.how and fits then self.how, self.why = "lost", outcome.message end
  if not self.how then self:conclude(ok, outcome) end
end

return Job
