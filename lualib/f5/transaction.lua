-- Transactions, the part above runtime/f5/change/transaction.c: the function form, commands, validation,
-- commit, and who is guilty of a failure.

local core = require "f5.core"
local transaction_blame = require "f5.transaction_blame"
local parts = core.transaction_parts

local M = {}

local FIRST_PAUSE <const>, LONGEST_PAUSE <const> = 0.2, 5

local COMMIT <const> =
  { async = "boolean", timeout = "number", interval = "number", progress = "function" }

local function check(name, options, known, level)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.usage_error(level, ("%s takes a table of options, not a %s"):format(name, type(options)))
  end
  for key, value in pairs(options) do
    if not known[key] then
      core.usage_error(level, ("%s has no option '%s'"):format(name, tostring(key)))
    end
    if type(value) ~= known[key] then
      core.usage_error(
        level,
        ("%s: '%s' must be a %s, not a %s"):format(name, key, known[key], type(value))
      )
    end
  end
  return options
end

local function reference(part) return part.session:at("/mgmt/tm/transaction", part.id) end

-- The error as one of the transaction. A device that does not know it any more has ended it.
local function explain(part, err)
  if type(err) ~= "table" or err.kind ~= "not_found" then return err end
  err.kind = "transaction"
  err.message = ("the transaction %d is gone, and nothing of it was carried out: the device ends one that gets no command for %d s (%s)"):format(
    part.id,
    part.timeout,
    err.message
  )
  return err
end

-- fn(part) with such errors.
local function told(part, fn)
  local results = table.pack(pcall(fn, part))
  if not results[1] then error(explain(part, results[2]), 0) end
  return table.unpack(results, 2, results.n)
end

-- fn(part) while the keep-alive rests; when it is `committing`, nothing more can be queued either.
local function held(tx, committing, fn)
  local part = parts.hold(tx, committing)
  local results = table.pack(pcall(fn, part))
  parts.resume(tx)
  if not results[1] then error(explain(part, results[2]), 0) end
  return table.unpack(results, 2, results.n)
end

local function position(records, id)
  for i, record in ipairs(records) do
    if record.id == id then return i end
  end
  return nil
end

--- What is queued, in the order in which it would run: the device's commands, each with the script's line in `where`.
function M:commands()
  return held(self, false, function(part)
    local list = reference(part):at("commands"):list()
    for _, command in ipairs(list) do
      local at = position(part.records, command.commandId)
      command.where = at and part.records[at].where:gsub(": $", "") or nil
    end
    return list
  end)
end

local function check_id(name, id)
  if type(id) == "table" then id = id.commandId end
  if math.type(id) ~= "integer" then
    core.usage_error(3, name .. ": a command is named by its id, or is what queueing it returned")
  end
  return id
end

--- Makes a command the order-th one.
function M:move(id, order)
  id = check_id("move", id)
  if math.type(order) ~= "integer" then
    core.usage_error(2, "move: the place is an integer, 1 for the first")
  end
  return held(self, false, function(part)
    local command = reference(part):at("commands", id):modify { evalOrder = order }
    local records, at = part.records, position(part.records, id)
    if at then table.insert(records, math.min(order, #records), table.remove(records, at)) end
    return command
  end)
end

--- Takes a command out.
function M:remove(id)
  id = check_id("remove", id)
  held(self, false, function(part)
    reference(part):at("commands", id):delete()
    local at = position(part.records, id)
    if at then table.remove(part.records, at) end
    if #part.records == 0 then parts.forget_last(self) end
  end)
end

--- The device's word: "STARTED", "UPDATING", "VALIDATING", "COMPLETED" or "FAILED".
function M:state()
  local part = parts.parts(self)
  return told(part, function() return reference(part):load().state end)
end

-- An exchange was cut while a command was queued, or the keep-alive's copy could not be removed:
-- what is there and is not ours goes.
local function reconcile(tx, part)
  if not part.doubtful then return end
  for _, command in ipairs(reference(part):at("commands"):list()) do
    if not position(part.records, command.commandId) then
      reference(part):at("commands", command.commandId):delete()
    end
  end
  parts.settled(tx)
end

local TRANSIENT <const> =
  { transport = true, timeout = true, not_ready = true, protocol = true, busy = true }

-- Looks until the device has decided; nil after the time limit.
local function watch(part, options)
  local limit = options.timeout or part.execution_timeout + 30
  local began, pause = core.now(), options.interval or FIRST_PAUSE
  while true do
    local ok, body = pcall(function() return reference(part):load() end)
    if ok then
      if options.progress then options.progress(body.state, core.now() - began) end
      if body.state ~= "VALIDATING" and body.state ~= "UPDATING" then return body end
    elseif type(body) ~= "table" or not TRANSIENT[body.kind] then
      error(body, 0)
    end
    if core.now() - began >= limit then return nil end
    core.sleep(math.min(pause, math.max(limit - (core.now() - began), 0.01)))
    if not options.interval then pause = math.min(pause * 1.5, LONGEST_PAUSE) end
  end
end

local function new_error(part, fields)
  fields.kind = fields.kind or "transaction"
  fields.device = part.session:label()
  fields.method, fields.path = "PATCH", tostring(reference(part))
  return core.error_new(fields)
end

-- Sends the PATCH that runs the transaction and returns what the device says in the end, or raises
-- what went wrong.
local function run(part, body, options)
  local ref = reference(part)
  local sent, answer = pcall(
    function()
      return part.session:request(
        "PATCH",
        ref,
        { body = body, timeout = options.timeout or part.execution_timeout + 30 }
      )
    end
  )
  if sent and not options.async and type(answer) == "table" and answer.state ~= "FAILED" then
    return answer
  end
  if
    not sent
    and not (type(answer) == "table" and answer.outcome == "unknown" and TRANSIENT[answer.kind])
  then
    error(answer, 0)
  end
  if not sent and body.validateOnly then
    error(
      new_error(
        part,
        {
          kind = answer.kind,
          cause = answer,
          message = "the validation was cut off; nothing has changed",
        }
      ),
      0
    )
  end
  -- It runs in the background, or the connection was cut: what came of it can be seen.
  local cut = not sent and answer or nil
  local found, state = pcall(watch, part, options)
  if not found then
    if cut and type(state) == "table" and state.kind ~= "cancelled" then error(cut, 0) end
    error(state, 0)
  end
  if not state then
    error(
      new_error(
        part,
        {
          kind = "timeout",
          outcome = "unknown",
          message = (
            "the transaction %d is still running; its state says " .. "what comes of it: %s"
          ):format(part.id, ref),
        }
      ),
      0
    )
  end
  if state.state == "FAILED" then
    error(
      new_error(
        part,
        { message = "transaction failed:" .. tostring(state.failureReason), cause = cut }
      ),
      0
    )
  end
  if state.state == "STARTED" and cut then
    error(
      new_error(
        part,
        { kind = cut.kind, cause = cut, message = "the commit did not arrive: nothing has changed" }
      ),
      0
    )
  end
  return state
end

--- Has the device check the commands without changing anything. Raises what commit would raise.
function M:validate(options)
  options = check("validate", options, COMMIT, 3)
  held(self, true, function(part)
    local ok, err = pcall(function()
      reconcile(self, part)
      return run(
        part,
        { state = "VALIDATING", validateOnly = true, asyncExecution = options.async or nil },
        options
      )
    end)
    if not ok then error(transaction_blame.blame(part, explain(part, err)), 0) end
  end)
  return true
end

--- Runs the commands, all or none of them. With async the device works in the background and is looked at until it is done.
-- @param options table|nil: async, timeout (seconds), interval, progress (function(state, seconds))
function M:commit(options)
  options = check("commit", options, COMMIT, 3)
  local part = parts.hold(self, true)
  local ok, err = pcall(function()
    reconcile(self, part)
    return run(part, { state = "VALIDATING", asyncExecution = options.async or nil }, options)
  end)
  if ok then
    parts.carried_out(self)
    parts.ended(self)
    return true
  end
  if type(err) == "table" and err.kind == "cancelled" then
    parts.carried_out(self)
    io.stderr:write(
      ("f5lua: %s: interrupted while the transaction %d was committed; whether it was carried out is unknown\n"):format(
        part.session:label(),
        part.id
      )
    )
    error(err, 0)
  end
  err = transaction_blame.blame(part, explain(part, err))
  if err.outcome == "unknown" then
    parts.carried_out(self)
    parts.ended(self)
  else
    self:rollback()
  end
  error(err, 0)
end

--- session:transaction([options,] fn): calls fn(tx), then commits; any error, also a cancellation, and nothing has changed.
-- @return what fn returns
function M.transaction(bip, options, fn)
  if fn == nil and (type(options) == "function" or options == nil) then
    options, fn = nil, options
  end
  if type(options) == "function" then
    options, fn = fn, options
  end
  if type(fn) ~= "function" then
    core.usage_error(2, ("transaction takes a function, not a %s"):format(type(fn)))
  end
  local begin, commit = {}, {}
  for key, value in pairs(options or {}) do
    if key == "keep_alive" then begin[key] = value else commit[key] = value end
  end
  check("transaction", commit, COMMIT, 3)
  local tx <close> = bip:begin(begin)
  local results = table.pack(fn(tx))
  local part = parts.parts(tx)
  if part.open and #part.records > 0 then tx:commit(commit) end
  return table.unpack(results, 1, results.n)
end

return M
