-- Transactions, the part above runtime/f5/change/transaction.c: the function form, commands,
-- validation, commit, and which command is to blame for a failure.

local core = require "f5.core"
local error_body = require "f5.error_body"
local terminal = require "f5.terminal"
local transaction_blame = require "f5.change.transaction_blame"
local parts = core.transaction_parts

local M = {}

local FIRST_PAUSE <const>, MAX_PAUSE <const> = 0.2, 5

local COMMIT <const> =
  { async = "boolean", timeout = "number", interval = "number", progress = "function" }

local function check(name, options)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.usage_error(("%s: expected a table of options, got a %s"):format(name, type(options)))
  end
  for key, value in next, options do
    if not COMMIT[key] then
      core.usage_error(("%s: unknown option '%s'"):format(name, tostring(key)))
    end
    if type(value) ~= COMMIT[key] then
      core.usage_error(
        ("%s: '%s' must be a %s, not a %s"):format(name, key, COMMIT[key], type(value))
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
    "the device dropped the transaction %d and changed nothing: "
    .. "it drops a transaction that gets no command for %d s (%s)"
  ):format(part.id, part.timeout, err.message)
  return err
end

-- Calls fn(part); an error about a dropped transaction gets a message that explains it.
local function explained(part, fn)
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
      name .. ": expected the id of a command, or the command that queueing returned"
    )
  end
  return id
end

--- Moves a command to another position.
function M:move(id, order)
  id = check_id("move", id)
  if math.type(order) ~= "integer" then
    core.usage_error("move: the position must be an integer, 1 for the first")
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

local function new_error(part, fields)
  fields.kind = fields.kind or "transaction"
  fields.device = part.session:label()
  fields.method, fields.path = fields.method or "PATCH", tostring(reference(part))
  return core.error_new(fields)
end

-- If a connection broke while a command was queued, or if the copy of the keep-alive could not be
-- removed, the device may have commands that the script did not queue. Removes them.
local function reconcile(tx, part)
  if not part.doubtful then return end
  for _, command in ipairs(reference(part):at("commands"):list()) do
    local id = math.type(core.device_id(command.commandId)) == "integer"
      and core.device_id(command.commandId)
    if not id then
      error(new_error(part, {
        kind = "protocol", method = "GET", message = "the device lists a command without an id",
      }), 0)
    end
    if not position(part.records, id) then reference(part):at("commands", id):delete() end
  end
  parts.settled(tx)
end

local TRANSIENT <const> =
  { transport = true, timeout = true, not_ready = true, protocol = true, busy = true }

-- Whether an answer is about this transaction. Other answers do not count.
local function is_own(part, body)
  return type(body) == "table" and type(body.state) == "string" and body.transId == part.id
end

--- Returns the state: "STARTED", "UPDATING", "VALIDATING", "COMPLETED" or "FAILED".
function M:state()
  local part = parts.parts(self)
  return explained(part, function()
    local body = reference(part):load()
    if is_own(part, body) then return body.state end
    return error(new_error(part, {
      kind = "protocol", method = "GET", message = "the answer does not show the transaction",
    }), 0)
  end)
end

-- Polls until the state is one of these. Returns nil after the time limit.
local function watch(part, options, final)
  local limit = options.timeout or part.execution_timeout + 30
  local began, pause = core.now(), options.interval or FIRST_PAUSE
  while true do
    local ok, body = pcall(function() return reference(part):load() end)
    if ok and is_own(part, body) then
      if options.progress then options.progress(body.state, core.now() - began) end
      if final[body.state] then return body end
    elseif not ok and (type(body) ~= "table" or not TRANSIENT[body.kind]) then
      error(body, 0)
    end
    if core.now() - began >= limit then return nil end
    core.sleep(math.min(pause, math.max(limit - (core.now() - began), 0.01)))
    if not options.interval then pause = math.min(pause * 1.5, MAX_PAUSE) end
  end
end

local function failed(part, state, cause)
  return new_error(part, {
    message = "transaction failed:" .. error_body.words(state.failureReason), cause = cause,
  })
end

-- Sends the PATCH. Returns the answer, or nil and an error if the device may have received it.
local function send(part, body, options)
  local timeout = options.timeout or part.execution_timeout + 30
  local ok, answer = pcall(
    function()
      return part.session:request("PATCH", reference(part), { body = body, timeout = timeout })
    end
  )
  if ok then return answer end
  if type(answer) == "table" and answer.outcome == "unknown" and TRANSIENT[answer.kind] then
    return nil, answer
  end
  error(answer, 0)
end

local VALIDATED <const> = { STARTED = true, COMPLETED = true, FAILED = true }

-- The answer to a validation without errors is 200. Its state does not matter.
local function validate(part, options)
  local answer, lost = send(
    part,
    { state = "VALIDATING", validateOnly = true, asyncExecution = options.async or nil },
    options
  )
  if not is_own(part, answer) then
    error(new_error(part, {
      kind = lost and lost.kind or "protocol",
      cause = lost,
      message = lost and "the validation was interrupted; nothing was committed"
        or "the answer to the validation does not show the transaction; nothing was committed",
    }), 0)
  end
  if options.async then answer = watch(part, options, VALIDATED) end
  if not answer then
    error(new_error(part, {
      kind = "timeout", message = ("the validation of transaction %d still runs"):format(part.id),
    }), 0)
  end
  if answer.state == "FAILED" then error(failed(part, answer), 0) end
end

local DECIDED <const> = { COMPLETED = true, FAILED = true }

local function unknown(part, cause, message, kind)
  return new_error(part, {
    kind = kind, outcome = "unknown", cause = cause,
    message = ("%s; read the result of transaction %d later at %s"):format(
      message,
      part.id,
      reference(part)
    ),
  })
end

-- Polls for the decision of the device. `lost`: the error if it is not known whether the commit
-- reached the device.
local function decision(part, options, lost)
  local final = lost and VALIDATED or DECIDED
  local found, state = pcall(watch, part, options, final)
  if not found then
    if type(state) == "table" and state.kind == "cancelled" then error(state, 0) end
    error(lost or unknown(part, state, "the state of the transaction cannot be read"), 0)
  end
  if not state then error(unknown(part, lost, "the transaction is still running", "timeout"), 0) end
  -- The commit may still be on its way. Only a deleted transaction cannot be committed any more.
  if state.state == "STARTED" then
    if not pcall(function() reference(part):delete() end) then error(lost, 0) end
    error(new_error(part, {
      kind = lost.kind, cause = lost,
      message = "the commit did not reach the device; the transaction has changed nothing",
    }), 0)
  end
  return state
end

-- Runs the commands. They count as carried out only if the device's answer about this transaction
-- confirms it. `at` gets `sending` and `sent`.
local function carry_out(part, options, at)
  at.sending = true
  local answer, lost = send(
    part,
    { state = "VALIDATING", asyncExecution = options.async or nil },
    options
  )
  at.sent = true
  if not lost and not is_own(part, answer) then
    lost = unknown(part, nil, "the answer to the commit does not show the transaction", "protocol")
  end
  local state = not lost and DECIDED[answer.state] and answer or decision(part, options, lost)
  if state.state ~= "COMPLETED" then error(failed(part, state, lost), 0) end
end

--- Lets the device check the commands without changing anything. Raises what commit would raise.
function M:validate(options)
  options = check("validate", options)
  held(self, true, function(part)
    local ok, err = pcall(function()
      reconcile(self, part)
      validate(part, options)
    end)
    if not ok then error(transaction_blame.blame(part, explain(part, err)), 0) end
  end)
  return true
end

--- Runs all commands, or none. With async the device works in the background and is polled.
-- @param options table|nil: async, timeout (seconds), interval, progress (function(state, seconds))
function M:commit(options)
  options = check("commit", options)
  local part, at = parts.hold(self, true), {}
  local ok, err = pcall(function()
    reconcile(self, part)
    carry_out(part, options, at)
  end)
  if ok then
    parts.carried_out(self)
    parts.ended(self)
    return true
  end
  local cancelled = type(err) == "table" and err.kind == "cancelled"
  if cancelled and not (at.sent or at.sending and err.outcome == "unknown") then
    terminal.err(("f5lua: %s: interrupted before the commit of transaction %d was sent; it changes "
      .. "nothing\n"):format(part.session:label(), part.id))
    self:rollback()
    error(err, 0)
  end
  if cancelled then
    parts.carried_out(self)
    terminal.err(
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

-- A transaction without commands, and writes meanwhile: somebody forgot tx(…).
local function warn_of_direct_writes(bip, before)
  local is_open, usage = pcall(bip.usage, bip)
  local count = is_open and usage.writes - before or 0
  if count <= 0 then return end
  terminal.err(("f5lua: warning: %s: the transaction has no commands, but the session made %s "
    .. "meanwhile, which took effect at once; write tx(reference):modify { … }\n"):format(
    terminal.line(bip:label()), count == 1 and "a write" or count .. " writes"))
end

--- session:transaction([options,] fn): calls fn(tx), then commits. After any error or cancellation
-- nothing has changed.
-- @return the results of fn
function M.transaction(bip, options, fn)
  if type(options) == "function" then
    options, fn = fn, options
  end
  if type(fn) ~= "function" then
    core.usage_error(("transaction: expected a function, got a %s"):format(type(fn)))
  end
  if options ~= nil and type(options) ~= "table" then
    core.usage_error(("transaction: expected a table of options, got a %s"):format(type(options)))
  end
  local begin, commit = {}, {}
  for key, value in next, options or {} do
    if key == "keep_alive" then begin[key] = value else commit[key] = value end
  end
  check("transaction", commit)
  local tx <close> = bip:begin(begin)
  local writes <const> = bip:usage().writes
  local results = table.pack(fn(tx))
  local part = parts.parts(tx)
  if part.open and #part.records > 0 then tx:commit(commit) end
  if #part.records == 0 then warn_of_direct_writes(bip, writes) end
  return table.unpack(results, 1, results.n)
end

return M
