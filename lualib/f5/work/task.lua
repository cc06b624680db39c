-- One handle for all long work of a device. runtime/f5/work/task.c knows the families of tasks and
-- polls them.

local core = require "f5.core"
local receiver = require "f5.receiver"
local error_body = require "f5.error_body"
local terminal = require "f5.terminal"

local M = {}

local Task <const> = {}
Task.__index = Task

local DEFAULT_TIMEOUT <const> = 600
local BEGINS_WITHIN <const> = 15
local FIRST_PAUSE <const>, MAX_PAUSE <const> = 0.2, 5

-- The commands of tmsh have their tasks at the same path below /mgmt/tm/task. All other paths stay.
local function whole_path(path)
  path = tostring(path)
  if not path:find "^/mgmt" then path = "/mgmt/tm/" .. path:gsub("^/", "") end
  if core.task.family(path) then return path end
  return (path:gsub("^/mgmt/tm/", "/mgmt/tm/task/", 1))
end

local function handle(bip, reference, family, fields)
  local task = setmetatable({ session = bip, reference = reference, family = family }, Task)
  for key, value in pairs(fields or {}) do task[key] = value end
  return task
end

-- How a script gets the handle again. A subcommand has set its own advice.
local function again(self)
  if self.advice then return self.advice end
  local path, head = tostring(self.reference), "get its handle again with bip:task"
  if not self.id then return ("%s{ path = %q }"):format(head, path) end
  return ("%s{ path = %q, id = %s }"):format(head, path:match "^(.*)/[^/]+$",
    math.type(self.id) == "integer" and self.id or ("%q"):format(self.id))
end

function Task:__tostring() return "task " .. tostring(self.reference) end

-- A call about the task itself. The work counts as a change once, when the task is created.
local function uncounted(bip, method, reference, body)
  return bip:request(method, reference, { body = body, changes = false })
end

local function new_error(self, fields)
  fields.kind = fields.kind or "task"
  fields.device = self.session:label()
  fields.method, fields.path = fields.method or "GET", fields.path or tostring(self.reference)
  return core.error_new(fields)
end

local function lost(self, cause)
  return new_error(
    self,
    {
      status = 404,
      outcome = "unknown",
      cause = cause,
      message = "the device no longer knows this task: it was deleted, or a restart of "
        .. "the device's services removed it; it is unknown whether its work was done",
    }
  )
end

local function member(body, path)
  for name in path:gmatch "[^%.]+" do
    if type(body) ~= "table" then return nil end
    body = body[name]
  end
  return body
end

--- Reads the task as the device returns it.
function Task:load()
  local ok, body = pcall(self.reference.load, self.reference)
  if ok then
    if body == nil then
      error(new_error(self, { kind = "protocol", message = "the answer is empty" }), 0)
    end
    self.body = body
    return body
  end
  if type(body) == "table" and body.kind == "not_found" then error(lost(self, body), 0) end
  error(body, 0)
end

--- Returns the state, in the device's words.
function Task:state() return self:load()[self.family.state] end

-- The body of …/result. For a failed task this call may fail, too.
local function result_apart(self)
  local ok, body = pcall(function() return self.reference:at("result"):load() end)
  if ok then return body end
  if type(body) == "table" and body.kind == "cancelled" then error(body, 0) end
  return nil, body
end

local function failure(self, state)
  local body, cause = self.body, nil
  if self.family.result == "/result" then body, cause = result_apart(self) end
  local reason = body and self.family.reason and member(body, self.family.reason)
  if type(reason) ~= "string" or reason == "" then
    reason = cause and cause.message or ("the device reports %s"):format(error_body.words(state))
    cause = nil
  end
  return new_error(
    self,
    {
      message = reason,
      cause = cause,
      body = type(body) == "table" and body or nil,
      code = type(body) == "table" and body.code or nil,
    }
  )
end

-- The result of a task that has ended; raises if it failed.
local function ended(self, outcome, state, body)
  if outcome == "lost" then error(lost(self, body), 0) end
  self.body = body
  if outcome == "failed" then error(failure(self, state), 0) end
  if self.family.result == "/result" then
    local result, err = result_apart(self)
    if err then error(err, 0) end
    return result
  end
  if self.family.result then return body[self.family.result] or {} end
  return body
end

--- Returns the result of work that is done. Raises if it failed or is not done.
function Task:result()
  local outcome, state, body = core.task.poll(self.reference, 0, 0, 0, true)
  if outcome == "running" then
    if not state then error(body, 0) end
    core.usage_error(("the task has no result yet; its state is %s"):format(state))
  end
  return ended(self, outcome, state, body)
end

--- Deletes the result and the task on the device. Does nothing if there is no task to delete.
function Task:delete()
  if self.deleted or self.family.keeps then return end
  local function gone(reference)
    local ok, err = pcall(uncounted, self.session, "DELETE", reference)
    if not ok and not (type(err) == "table" and err.kind == "not_found") then error(err, 0) end
  end
  if self.family.result == "/result" then gone(self.reference:at "result") end
  gone(self.reference)
  self.deleted = true
end

local OPTIONS <const> =
  { timeout = "number", interval = "number", progress = "function", keep = "boolean" }

local function check(options)
  for key, value in next, options do
    if not OPTIONS[key] then
      core.usage_error(("wait: unknown option '%s'"):format(tostring(key)))
    end
    if type(value) ~= OPTIONS[key] then
      core.usage_error(("wait: '%s' must be a %s, not a %s"):format(key, OPTIONS[key], type(value)))
    end
    if type(value) == "number" and (value ~= value or value < 0) then
      core.usage_error(("wait: '%s' must be a number of seconds, not %s"):format(key, value))
    end
  end
end

-- Polls until the task has ended or the time is over. Returns what core.task.poll does.
local function poll(self, options)
  local limit = options.timeout or DEFAULT_TIMEOUT
  if not options.progress then
    return core.task.poll(self.reference, limit, 0, options.interval or 0, false)
  end
  local began, before, pause = core.now(), 0, options.interval or FIRST_PAUSE
  while true do
    local outcome, state, body = core.task.poll(self.reference, 0, before, 0, true)
    local passed = core.now() - began
    options.progress(state, passed)
    if outcome ~= "running" or passed >= limit then return outcome, state, body end
    before = math.min(pause, limit - passed)
    if not options.interval then pause = math.min(pause * 1.5, MAX_PAUSE) end
  end
end

-- The same. If it is interrupted (Ctrl-C), it prints how to get the handle again.
local function poll_and_tell(self, options)
  local results = table.pack(pcall(poll, self, options))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  if type(err) == "table" and err.kind == "cancelled" then
    terminal.err(
      ("f5lua: %s: %s continues; %s\n"):format(
        self.session:label(),
        tostring(self),
        again(self)
      )
    )
  end
  error(err, 0)
end

--- Waits until the work is done, returns its result, and deletes the task on the device.
-- @param options table|nil: timeout (seconds, 600), interval (seconds between two polls; default
--   grows from 0.2 to 5), progress (function(state, seconds), after each poll), keep (do not delete
--   the task)
function Task:wait(options)
  options = options or {}
  if type(options) ~= "table" then
    core.usage_error(("wait: expected a table of options, got a %s"):format(type(options)))
  end
  check(options)
  local outcome, state, body = poll_and_tell(self, options)
  if outcome == "running" then
    error(
      new_error(
        self,
        {
          kind = "timeout",
          outcome = "unknown",
          cause = not state and body or nil,
          message = ("not done after %g s (%s); it continues, %s"):format(
            options.timeout or DEFAULT_TIMEOUT,
            state or "no answer",
            again(self)
          ),
        }
      ),
      0
    )
  end
  local ok, result = pcall(ended, self, outcome, state, body)
  if not options.keep and outcome ~= "lost" then
    local deleted, err = pcall(self.delete, self)
    if not deleted and ok then error(err, 0) end
  end
  if not ok then error(result, 0) end
  return result
end

-- A task of /mgmt/tm/task must be started. While another one runs, the device answers that it is
-- busy.
local function start(self, patience)
  local began = core.now()
  while true do
    local ok, err = pcall(
      uncounted, self.session, "PUT", self.reference, { [self.family.start] = "VALIDATING" }
    )
    if ok then return end
    if type(err) ~= "table" or err.kind == "cancelled" then error(err, 0) end
    if err.outcome == "unknown" then
      if self:state() ~= "STARTED" then return end -- it had arrived
    elseif err.kind ~= "busy" then
      error(err, 0)
    end
    if core.now() - began >= patience then error(err, 0) end
    core.sleep(1)
  end
end

-- An object whose earlier work was done may still report that for a moment. This is not the end of
-- the new work.
local function wait_until_begun(self, state_before)
  local began = core.now()
  while core.now() - began < BEGINS_WITHIN do
    local ok, state = pcall(self.state, self)
    if not ok or state ~= state_before then return end
    core.sleep(0.5)
  end
end

local function attach(bip, given)
  for key in next, given do
    if key ~= "path" and key ~= "id" then
      core.usage_error(
        ("task: unknown field '%s'; expected bip:task{ path =, id = }"):format(tostring(key))
      )
    end
  end
  if given.path == nil then
    core.usage_error('task: bip:task{ path =, id = } needs the path, such as "sys/ucs"')
  end
  local path = whole_path(given.path)
  local family = core.task.family(path)
  if not family then core.usage_error(("task: %s has no tasks"):format(path)) end
  local base = family.watch or path
  if given.id == nil and not family.keeps then
    core.usage_error("task: bip:task{ path =, id = } needs the task's id")
  end
  local reference = given.id ~= nil and bip:at(base, given.id) or bip:at(base)
  return handle(bip, reference, family, { id = given.id })
end

--- Returns the id of a task in the answer to its creation. It becomes part of paths: what a device
-- puts there must not lead to another object. Some devices send integers as floats.
function M.id_in(bip, path, answer, family)
  local id = type(answer) == "table" and core.device_id(answer[family.id]) or nil
  if id ~= nil then return id end
  local given = type(answer) == "table" and answer[family.id] or nil
  return error(core.error_new {
    kind = "protocol", device = bip:label(), method = "POST", path = path,
    -- only the tasks of /mgmt/tm/task wait until they are started
    outcome = not family.start and "unknown" or nil,
    message = given == nil and ("the answer has no %s"):format(family.id)
      or ("the %s in the answer is not an id: %s"):format(family.id, tostring(given):sub(1, 100)),
  }, 0)
end

local START_OPTIONS <const> = { patience = "number", changes = "boolean" }

local function check_start(options)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.usage_error(("task: expected a table of options, got a %s"):format(type(options)))
  end
  for key, value in next, options do
    local wanted = START_OPTIONS[key]
    if not wanted then
      core.usage_error(("task: unknown option '%s'"):format(tostring(key)))
    end
    if type(value) ~= wanted then
      core.usage_error(("task: '%s' must be a %s, not a %s"):format(key, wanted, type(value)))
    end
  end
  return options
end

--- session:task(path, body[, options]): starts long work and returns its handle. session:task{ path
-- =, id = }: returns the handle of an existing task.
-- @param path string|reference: of the command ("sys/ucs"), or of the tasks
--   ("asm/tasks/apply-policy", "/mgmt/cm/autodeploy/qkview")
-- @param options table|nil: patience, seconds to wait while the device is busy with another task,
--   default 300; changes, false if the work changes nothing on the device
function M.task(bip, path, body, options)
  if type(path) == "table" and body == nil then return attach(bip, path) end
  if type(path) ~= "string" and type(path) ~= "userdata" then
    core.usage_error(("task: expected a path, got a %s"):format(type(path)))
  end
  if type(body) ~= "table" then
    core.usage_error(("task: expected a table as body, got a %s"):format(type(body)))
  end
  local place = whole_path(path)
  local family = core.task.family(place)
  if not family then core.usage_error(("task: %s has no tasks"):format(place)) end
  options = check_start(options)
  local reference = bip:at(place)
  local function send(method)
    return bip:request(method, reference, { body = body, changes = options.changes })
  end
  if family.changes then
    send "PATCH"
    return handle(bip, reference, family)
  end
  if family.watch then
    local name = body[family.named]
    if type(name) ~= "string" then
      core.usage_error(("task: the body lacks the %s"):format(family.named))
    end
    local watched = bip:at(family.watch, name)
    local before = watched:exists() and watched:load() or nil
    send "POST"
    local task = handle(bip, watched, family, { id = name })
    if before then wait_until_begun(task, before[family.state]) end
    return task
  end
  local made, answer = pcall(send, "POST")
  -- A task that is not started does nothing, and the device forgets it. So it is safe to create
  -- another one.
  if not made and family.start and type(answer) == "table" and answer.outcome == "unknown" then
    made, answer = true, send "POST"
  end
  if not made then error(answer, 0) end
  local id = M.id_in(bip, place, answer, family)
  local task = handle(bip, reference:at(id), family, { id = id, body = answer })
  if family.start then
    local ok, err = pcall(start, task, options.patience or 300)
    if not ok then
      pcall(task.delete, task)
      error(err, 0)
    end
  end
  return task
end

--- Returns a handle for a reference to a task of a known family.
function M.handle(bip, reference, body)
  local family = core.task.family(tostring(reference))
  return handle(
    bip,
    reference,
    family,
    { id = not family.keeps and body and body[family.id] or nil, body = body }
  )
end

receiver.guard(Task, "a task")

return M
