-- Transactions: commands are queued and run together. If one fails, none has an effect.
--
-- state.transactions = { last = id, items = { [id as text] = { id, owner, state, commands, touched,
-- … } } }
local json = require "f5.json"
local contrary = require "sim.contrary"
local errors = require "sim.http.errors"
local request_maker = require "sim.http.request"
local roles = require "sim.auth.roles"
local tables = require "sim.tables"

local M = {}

local IDLE_SECONDS <const> = 120
local EXECUTION_SECONDS <const> = 300
local SECOND <const> = 1000000
local HEADER <const> = "x-f5-rest-coordination-id"

-- Parts of the state that a failed transaction does not reset: they are undone otherwise, or
-- commands do not change them.
local LASTING <const> = {
  objects = true, tokens = true, transactions = true, clock = true, operations = true, asm = true,
  saved = true, twin = true, extensions = true,
}

local function link(device, path)
  return ("https://localhost/mgmt/tm/transaction%s?ver=%s"):format(path, device.version.version)
end

local function show(device, transaction)
  return {
    transId = transaction.id,
    state = transaction.state,
    timeoutSeconds = IDLE_SECONDS,
    asyncExecution = transaction.async,
    validateOnly = transaction.validate_only,
    executionTimeout = EXECUTION_SECONDS,
    executionTime = transaction.execution_time,
    failureReason = transaction.failure,
    kind = "tm:transactionstate",
    selfLink = link(device, "/" .. transaction.id),
  }
end

local function show_command(device, transaction, command, order)
  return {
    method = command.method,
    uri = command.uri,
    body = command.body or {},
    evalOrder = order,
    commandId = command.id,
    kind = "tm:transaction:commandsstate",
    selfLink = link(device, ("/%d/commands/%d"):format(transaction.id, command.id)),
  }
end

local function not_found(id)
  error(errors.tm(404, ("The requested transaction (%s) was not found."):format(id), 1), 0)
end

-- The user's transaction with this id. It expires two minutes after its last command.
local function find(device, request, id)
  local items = device.state.transactions.items
  local transaction = items[id]
  if
    transaction and transaction.state ~= "VALIDATING"
    and device:now() - transaction.touched > IDLE_SECONDS * SECOND
  then
    items[id] = nil
    not_found(id)
  end
  if not transaction or transaction.owner ~= request.user.name then not_found(id) end
  return transaction
end

local function forget_old(device)
  local items = device.state.transactions.items
  for id, transaction in pairs(items) do
    if
      transaction.state ~= "VALIDATING"
      and device:now() - transaction.touched > IDLE_SECONDS * SECOND
    then
      items[id] = nil
    end
  end
end

local function create(device, request)
  if type(request.json) ~= "table" or #request.json > 0 then  -- the guide demands an empty object
    return errors.tm(400, "Found invalid JSON body in the request.", 1)
  end
  forget_old(device)
  local transactions = device.state.transactions
  local id = math.max(device:now(), transactions.last + 1)
  transactions.last = id
  local transaction = {
    id = id,
    owner = request.user.name,
    state = "STARTED",
    commands = json.array {},
    last_command = 0,
    touched = device:now(),
    async = false,
    validate_only = false,
    execution_time = 0,
    failure = "",
  }
  transactions.items[tostring(id)] = transaction
  return { status = 200, body = show(device, transaction) }
end

local function list(device, request)
  forget_old(device)
  local items = json.array {}
  for _, transaction in pairs(device.state.transactions.items) do
    if transaction.owner == request.user.name then items[#items + 1] = show(device, transaction) end
  end
  table.sort(items, function(a, b) return a.transId < b.transId end)
  return {
    status = 200,
    body = {
      kind = "tm:transactioncollectionstate",
      selfLink = link(device, ""),
      items = items,
    },
  }
end

-- -- running --

local function copy_small_state(device)
  local kept = {}
  for key, value in pairs(device.state) do
    if not LASTING[key] then kept[key] = tables.copy(value) end
  end
  return kept
end

local function put_back(device, kept)
  for key in pairs(device.state) do
    if not LASTING[key] then device.state[key] = kept[key] end
  end
end

local function request_of(transaction, command)
  local request = request_maker.complete {
    method = command.method,
    target = command.uri:gsub("^https://localhost", ""),
    headers = { ["content-type"] = "application/json" },
    body = "",
    remote = transaction.remote or "127.0.0.1",
  }
  request.json = tables.copy(command.body)
  request.user = transaction.user
  request.operation = transaction.operation
  request.transaction = transaction.id
  return request
end

--- Calls `run(...)` as one transaction of the device. What it raises undoes everything.
function M.together(device, run, ...)
  local kept = copy_small_state(device)
  device.store:begin()
  device.checks = {}
  local given = table.pack(...)
  local ok, problem = pcall(function()
    run(table.unpack(given, 1, given.n))
    for _, check in ipairs(device.checks) do check() end
  end)
  device.checks = nil
  if ok then return device.store:commit() end
  device.store:rollback()
  put_back(device, kept)
  error(problem, 0)
end

-- Runs the commands, then the functions that they left in device.checks: conditions that must hold
-- at the end, but not in between.
local function run_all(device, transaction)
  device.checks = {}
  local checks = device.checks
  local _end <close> = setmetatable({}, { __close = function() device.checks = nil end })
  for _, command in ipairs(transaction.commands) do
    local request = request_of(transaction, command)
    -- the user may have lost rights since the command was queued
    local response = roles.check(request) or device:dispatch(request)
    if response.status >= 400 then return response end
  end
  for _, check in ipairs(checks) do
    local ok, refusal = pcall(check)
    if not ok then
      if type(refusal) == "table" and refusal.status then return refusal end
      error(refusal, 0)
    end
  end
  return nil
end

-- Runs all commands. Returns nil, or the response of the one that failed. Without `keep` everything
-- is undone in any case.
local function execute(device, transaction, keep)
  local kept = copy_small_state(device)
  device.store:begin()
  local failed = run_all(device, transaction)
  if failed then
    device.store:rollback()
    put_back(device, kept)
    return failed
  end
  if keep then
    device.store:commit()
  else
    device.store:rollback()
    put_back(device, kept)
  end
  return nil
end

local function message_of(response)
  local body = response.body
  return type(body) == "table" and body.message or "internal error"
end

local function finish(device, transaction, keep)
  local failed = execute(device, transaction, keep)
  if failed and failed.miss then error(failed, 0) end -- a twin runs it again from the start
  transaction.touched = device:now()
  if failed then
    transaction.state, transaction.failure = "FAILED", message_of(failed)
    return errors.tm(400, "transaction failed:" .. message_of(failed), 2)
  end
  transaction.state = keep and "COMPLETED" or "STARTED"
  return nil
end

local function commit(device, request, transaction, body)
  if transaction.state ~= "STARTED" then
    error(
      errors.tm(
        400,
        ("transaction %d cannot be committed in the state %s."):format(
          transaction.id,
          transaction.state
        ),
        1
      ),
      0
    )
  end
  if #transaction.commands == 0 then
    error(errors.tm(404, "there is no command to commit in the transaction.", 1), 0)
  end
  transaction.user =
    { name = request.user.name, provider = request.user.provider, access = request.user.access }
  transaction.operation, transaction.remote = request.operation, request.remote
  local keep = body.validateOnly ~= true
  if body.asyncExecution == true then
    local plan = device.state.transactions.next_seconds or 1
    device.state.transactions.next_seconds = nil
    transaction.state, transaction.async = "VALIDATING", true
    transaction.validate_only = not keep
    device:schedule(
      device:now() + math.floor(math.min(plan, EXECUTION_SECONDS) * SECOND),
      "transaction",
      { id = tostring(transaction.id), late = plan > EXECUTION_SECONDS, seconds = math.floor(plan) }
    )
    return { status = 202, body = show(device, transaction) }
  end
  local other = not keep and contrary.validation(device, transaction, show)
  if other then return other end
  local refusal = finish(device, transaction, keep)
  if not keep then contrary.validated(device, transaction) end
  if refusal then return refusal end
  local answer = show(device, transaction)
  answer.validateOnly = not keep
  return { status = 200, body = answer }
end

-- Ends an asynchronous commit.
local function on_due(device, data)
  local transaction = device.state.transactions.items[data.id]
  if not transaction then return end
  if data.late then
    transaction.state, transaction.touched = "FAILED", device:now()
    transaction.failure = ("transaction execution exceeded %d seconds"):format(EXECUTION_SECONDS)
    transaction.execution_time = EXECUTION_SECONDS
    return
  end
  transaction.execution_time = data.seconds
  finish(device, transaction, not transaction.validate_only)
end

-- -- requests --

local function index_of(transaction, id)
  for i, command in ipairs(transaction.commands) do
    if command.id == id then return i end
  end
  return nil
end

local function list_commands(device, transaction)
  local items = json.array {}
  for i, command in ipairs(transaction.commands) do
    items[i] = show_command(device, transaction, command, i)
  end
  return {
    status = 200,
    body = {
      kind = "tm:transaction:commandscollectionstate",
      selfLink = link(device, ("/%d/commands"):format(transaction.id)),
      items = items,
    },
  }
end

local function handle_command(device, request, transaction)
  local text = table.concat(request.segments, "/", 6)
  local id = math.tointeger(tonumber(request.segments[6]))
  local index = #request.segments == 6 and id and index_of(transaction, id)
  if not index then
    local shown = #request.segments > 6 and text .. "/" or text
    error(errors.tm(400, "Found invalid command id " .. shown, 1), 0)
  end
  local commands = transaction.commands
  if request.method == "GET" then
    return { status = 200, body = show_command(device, transaction, commands[index], index) }
  end
  if transaction.state ~= "STARTED" then
    error(
      errors.tm(
        400,
        ("transaction %d cannot be changed in the state %s."):format(
          transaction.id,
          transaction.state
        ),
        1
      ),
      0
    )
  end
  transaction.touched = device:now()
  if request.method == "DELETE" then
    table.remove(commands, index)
    return { status = 200 }
  end
  if request.method ~= "PATCH" and request.method ~= "PUT" then
    error(errors.tm(405, "Method not allowed: " .. request.method, 1), 0)
  end
  local order = request.json and math.tointeger(request.json.evalOrder)
  if not order or order < 1 or order > #commands then
    error(
      errors.tm(
        400,
        "Found invalid evalOrder " .. tostring(request.json and request.json.evalOrder),
        1
      ),
      0
    )
  end
  local command = table.remove(commands, index)
  table.insert(commands, order, command)
  return { status = 200, body = show_command(device, transaction, command, order) }
end

local function handle(device, request)
  local id, part = table.unpack(request.segments, 4, 5)
  local method = request.method
  if not id then
    if method == "GET" then return list(device, request) end
    if method == "POST" then return create(device, request) end
    return errors.tm(405, "Method not allowed: " .. method, 1)
  end
  local transaction = find(device, request, id)
  if part == "commands" then
    if request.segments[6] then return handle_command(device, request, transaction) end
    if method == "GET" then return list_commands(device, transaction) end
    return errors.tm(405, "Method not allowed: " .. method, 1)
  end
  if part then return errors.not_public(request) end
  if method == "GET" then return { status = 200, body = show(device, transaction) } end
  if method == "DELETE" then
    device.state.transactions.items[id] = nil
    return { status = 200 }
  end
  if method ~= "PATCH" and method ~= "PUT" then
    return errors.tm(405, "Method not allowed: " .. method, 1)
  end
  local body = request.json or {}
  if body.state == nil then return errors.tm(400, "one or more properties must be specified", 1) end
  if body.state ~= "VALIDATING" then
    return errors.tm(400, ('invalid property value "state":"%s"'):format(tostring(body.state)), 1)
  end
  return commit(device, request, transaction, body)
end

-- Queues a write that belongs to a transaction, instead of carrying it out.
function M.filter(device, request)
  local id = request.headers[HEADER]
  local segments = request.segments
  if not id or not request.user or segments[1] ~= "mgmt" or segments[2] ~= "tm" then return nil end
  local method = request.method
  local is_control = segments[3] == "transaction"
  if not is_control and (method == "GET" or method == "HEAD" or method == "OPTIONS") then
    return nil
  end
  local transaction = find(device, request, id)
  if is_control or segments[3] == "asm" or segments[3] == "task" then
    return errors.tm(
      400,
      ("Transaction %s operation %s %s is not allowed to be added to transaction."):format(
        id,
        method,
        request.path
      ),
      1
    )
  end
  if transaction.state ~= "STARTED" then
    return errors.tm(
      400,
      ("transaction %d cannot be changed in the state %s."):format(
        transaction.id,
        transaction.state
      ),
      1
    )
  end
  transaction.last_command = transaction.last_command + 1
  transaction.touched = device:now()
  local command = {
    id = transaction.last_command,
    method = method,
    uri = "https://localhost" .. request.target,
    body = request.json,
  }
  table.insert(transaction.commands, command)
  return { status = 200, body = show_command(device, transaction, command, #transaction.commands) }
end

function M.install(device)
  device.state.transactions = device.state.transactions or { last = 0, items = {} }
  device:on("transaction", on_due)
  device:route("/mgmt/tm/transaction", handle)
end

-- Sets how many seconds of the device's clock the next asynchronous commit takes.
function M.set_next(device, options)
  device.state.transactions.next_seconds = options.seconds
end

return M
