-- Transactions, the part above runtime/f5/change/transaction.c: the function form, commands,
-- validation, commit, and which command is to blame for a failure.

local core = require "f5.core"
local transaction_blame = require "f5.transaction_blame"
local parts = core.transaction_parts

local M = {}

local FIRST_PAUSE <const>, MAX_PAUSE <const> = 0.2, 5

local COMMIT <const> =
  { async = "boolean", timeout = "number", interval = "number", progress = "function" }

local function check(name, options, known, level)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.usage_error(
      level,
      ("%s: expected a table of options, got a %s"):format(name, type(options))
    )
  end
  for key, value in pairs(options) do
    if not known[key] then
      core.usage_error(level, ("%s: unknown option '%s'"):format(name, tostring(key)))
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

-- Turns "not_found" into an error of the transaction: a device that does not know it has dropped
-- it.
local function explain(part, err)
  if type(err) ~= "table" or err.kind ~= "not_found" then return err end
  err.kind = "transaction"
  err.message = (
    "the device dropped the transaction %d and did nothing: "
    .. "it drops a transaction that gets no command for %d s (%s)"
  ):format(part.id, part.timeout, err.message)
  return err
end

-- Calls fn(part) and explains its errors.
local function told(part, fn)
  local results = table.pack(pcall(fn, part))
  if not results[1] then error(explain(part, results[2]), 0) end
  return table.unpack(results, 2, results.n)
end

-- Calls fn(part) while the keep-alive pauses. While `committing` nothing else can be queued.
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

--- Returns the queued commands in the order in which they would run. `where` is the script's line.
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
    core.usage_error(
      3,
      name .. ": expected the id of a command, or the command that queueing returned"
    )
  end
  return id
end

--- Moves a command to another position.
function M:move(id, order)
  id = check_id("move", id)
  if math.type(order) ~= "integer" then
    core.usage_error(2, "move: the position must be an integer, 1 for the first")
  end
  return held(self, false, function(part)
    local command = reference(part):at("commands", id):modify { evalOrder = order }
    local records, at = part.records, position(part.records, id)
    if at then table.insert(records, math.min(order, #records), table.remove(records, at)) end
    return command
  end)
end

--- Removes a command.
function M:remove(id)
  id = check_id("remove", id)
  held(self, false, function(part)
    reference(part):at("commands", id):delete()
    local at = position(part.records, id)
    if at then table.remove(part.records, at) end
    if #part.records == 0 then parts.forget_last(self) end
  end)
end

--- Returns the state: "STARTED", "UPDATING", "VALIDATING", "COMPLETED" or "FAILED".
function M:state()
  local part = parts.parts(self)
  return told(part, function() return reference(part):load().state end)
end

-- If a connection broke while a command was queued, or if the copy of the keep-alive could not be
-- removed, the device may have commands that the script did not queue. Removes them.
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

-- Polls until the device has decided. Returns nil after the time limit.
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
    if not options.interval then pause = math.min(pause * 1.5, MAX_PAUSE) end
  end
end

local function new_error(part, fields)
  fields.kind = fields.kind or "transaction"
  fields.device = part.session:label()
  fields.method, fields.path = "PATCH", tostring(reference(part))
  return core.error_new(fields)
end

-- Sends the PATCH that runs the transaction. Returns the final answer, or raises what went wrong.
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
          message = "the validation was interrupted; nothing has changed",
        }
      ),
      0
    )
  end
  -- It runs in the background, or the connection broke: poll for the result.
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
          message = ("the transaction %d is still running; read its result later at %s"):format(
            part.id,
            ref
          ),
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
        {
          kind = cut.kind,
          cause = cut,
          message = "the commit did not reach the device; nothing has changed",
        }
      ),
      0
    )
  end
  return state
end

--- Lets the device check the commands without changing anything. Raises what commit would raise.
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

--- Runs all commands, or none. With async the device works in the background and is polled.
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
      (
        "f5lua: %s: interrupted during the commit of transaction %d; "
        .. "it is unknown whether it was carried out\n"
      ):format(part.session:label(), part.id)
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

--- session:transaction([options,] fn): calls fn(tx), then commits. After any error or cancellation
-- nothing has changed.
-- @return the results of fn
function M.transaction(bip, options, fn)
  if fn == nil and (type(options) == "function" or options == nil) then
    options, fn = nil, options
  end
  if type(options) == "function" then
    options, fn = fn, options
  end
  if type(fn) ~= "function" then
    core.usage_error(2, ("transaction: expected a function, got a %s"):format(type(fn)))
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
