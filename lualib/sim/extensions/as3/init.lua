-- AS3, the declarations of applications: /mgmt/shared/appsvcs.
--
-- state.extensions.as3 = { tasks = records, history = declarations (stored.lua), deployed = objects
-- (apply.lua), settings =, busy = the id of the task that runs, next_seconds = how long the next
-- declaration takes }
local declare = require "sim.extensions.as3.declare"
local json = require "f5.json"
local per_app = require "sim.extensions.as3.per_app"
local records = require "sim.extensions.records"
local reading = require "sim.extensions.as3.reading"
local requests = require "sim.extensions.as3.requests"
local stored = require "sim.extensions.as3.stored"
local tables = require "sim.tables"
local version = require "sim.extensions.as3.version"

local M = {}

-- A synchronous request is answered with 202 after so many seconds.
local PATIENCE <const> = 45
-- How long an asynchronous declaration takes if nobody has said it.
local USUAL_SECONDS <const> = 0.2
local BUSY <const> = "Error: Configuration operation in progress on device localhost, please try "
  .. "again in 2 minutes"
local SUBMITTED <const> = "Declaration successfully submitted"

local function state_of(device) return device.state.extensions.as3 end

local function info(device)
  local installed, release = require("sim.extensions").version(device, "as3")
  local body = {
    version = installed, release = release, schemaCurrent = installed:gsub("%d+$", "0"),
    schemaMinimum = "3.0.0",
  }
  return { status = 200, body = body }
end

-- -- tasks --

local function link(id) return "https://localhost/mgmt/shared/appsvcs/task/" .. id end

local function waiting(message, record)
  return {
    id = record.id, declaration = {}, selfLink = link(record.id),
    results = json.array {
      { message = message, tenant = "", host = "", runTime = 0, code = 0,
        declarationId = record.declaration_id },
    },
  }
end

-- A record as /task shows it.
local function show_record(record)
  if record.cancelled then return waiting("task cancelled", record) end
  if not record.finished then return waiting("in progress", record) end
  local body = record.body
  return {
    id = record.id, selfLink = link(record.id), traces = body.traces,
    results = body.results or json.array { body }, declaration = body.declaration or {},
  }
end

local function handle_task(device, request, parts)
  if request.method ~= "GET" then
    requests.refuse(405, "Method not allowed: %s", request.method)
  end
  local list = state_of(device).tasks
  if parts[2] then
    local record = records.find(device, list, parts[2])
    if not record then
      local message = "No record found with ID of " .. parts[2]
      return { status = 404, body = { message = message } }
    end
    return { status = 200, body = show_record(record) }
  end
  local items, all = json.array {}, records.all(device, list)
  for i = #all, 1, -1 do items[#items + 1] = show_record(all[i]) end
  return { status = 200, body = { items = items } }
end

-- -- settings --

local SETTINGS <const> = {
  asyncTaskStorage = "data-group", burstHandlingEnabled = false, perAppDeploymentAllowed = true,
  performanceTracingEnabled = false, serviceDiscoveryEnabled = true,
}

local NOT_SIMULATED <const> = { burstHandlingEnabled = true, performanceTracingEnabled = true }

local function handle_settings(device, request)
  local state = state_of(device)
  if request.method == "POST" then
    local body = request.json
    if type(body) ~= "table" then requests.refuse(400, "the settings are no object") end
    for name, value in pairs(body) do
      if SETTINGS[name] == nil then
        requests.refuse(422, "Invalid request: /: should NOT have additional properties")
      end
      if type(value) ~= type(SETTINGS[name]) then
        requests.refuse(422, "Invalid request: /%s: should be %s", name, type(SETTINGS[name]))
      end
      if NOT_SIMULATED[name] ~= nil and NOT_SIMULATED[name] == value then
        requests.refuse(422, "Invalid request: /%s: %s is not simulated", name, tostring(value))
      end
    end
    state.settings = tables.copy(body)
  elseif request.method ~= "GET" then
    requests.refuse(405, "Method not allowed: %s", request.method)
  end
  local shown = tables.copy(SETTINGS)
  for name, value in pairs(state.settings) do shown[name] = value end
  return { status = 200, body = shown }
end

-- -- declare --

-- Runs one task of a request now. Returns status and body.
local function run_task(device, task)
  local ok, status, body = pcall(function()
    if task.action == "patch" then
      task.declaration, task.order = declare.patched(device, task.patchBody)
    elseif task.action == "redeploy" then
      task.declaration, task.order = stored.get(device, task.redeployAge or 1)
      if not task.declaration then
        requests.refuse(404, "cannot retrieve declaration of age %d from localhost",
          task.redeployAge or 1)
      end
      local mode = task.redeployUpdateMode
      if mode and mode ~= "original" then task.declaration.updateMode = mode end
      task.history_limit = task.history_limit or 15
    end
    return declare.deploy(device, task)
  end)
  if ok then return status, body end
  local problem = status
  if type(problem) == "table" and problem.status then return problem.status, problem.body end
  device:complain(tostring(problem))
  return 500, {
    code = 500,
    message = "An unexpected error occurred. See logs for details. Error: " .. tostring(problem),
  }
end

local function finish(device, record, status, body)
  record.finished, record.body, record.status = true, body, status
  local state = state_of(device)
  if state.busy == record.id then
    state.busy = nil
    stored.unlock(device)
  end
end

-- Runs a task whose record exists, unless another one runs.
local function run_record(device, record)
  local state = state_of(device)
  local is_ours = state.busy == record.id
  if not is_ours and (state.busy or stored.is_locked(device)) then
    finish(device, record, 503, { code = 503, message = BUSY })
  else
    local task = record.task
    record.task = nil
    finish(device, record, run_task(device, task))
  end
  return record.status, record.body
end

local function on_due(device, data)
  for _, record in ipairs(state_of(device).tasks) do
    if record.id == data.id and record.task then run_record(device, record) end
  end
end

-- A plain copy of a task, without what only the request needs.
local function plain(task)
  local copy = {}
  for _, name in ipairs {
    "action", "declaration", "order", "dry_run", "wants_changes", "traces", "traced", "debug",
    "persist", "history_limit", "warnings", "patchBody", "redeployAge", "redeployUpdateMode",
    "show", "stored_id",
  } do
    copy[name] = tables.copy(task[name])
  end
  return copy
end

-- Starts one task. Returns its record, and how many seconds it takes.
local function start(device, task, asynchronous)
  local state = state_of(device)
  local seconds = state.next_seconds or asynchronous and USUAL_SECONDS or 0
  state.next_seconds = nil
  local record = records.add(device, state.tasks, {
    task = plain(task), body = {}, declaration_id = task.declaration and task.declaration.id,
  })
  if asynchronous or seconds > 0 then
    if not state.busy and not stored.is_locked(device) then
      state.busy = record.id
      stored.lock(device)
    end
    device:schedule(device:now() + math.floor(seconds * 1000000), "as3", { id = record.id })
  end
  return record, seconds
end

-- The answer to one task.
local function answer(device, task, asynchronous)
  local record, seconds = start(device, task, asynchronous)
  if asynchronous then return 202, waiting(SUBMITTED, record) end
  if seconds == 0 then return run_record(device, record) end
  if state_of(device).busy ~= record.id then return run_record(device, record) end
  -- time of the device goes by while the client waits
  device:advance(math.min(seconds, PATIENCE))
  if record.finished then return record.status, record.body end
  return 202, waiting(SUBMITTED, record)
end

-- Empties the tenants that a DELETE names; without a name all.
local function removal(device, in_path)
  local previous = stored.get(device)
  local declaration = {
    class = "ADC", id = tostring(device:now() // 1000), updateMode = "selective",
    schemaVersion = previous and previous.schemaVersion or "3.0.0",
  }
  local names = in_path
  if #names == 0 then names = previous and stored.tenants(previous) or {} end
  for _, name in ipairs(names) do declaration[name] = { class = "Tenant" } end
  return declaration, names
end

-- Only the tenants of the path count.
local function keep_named(declaration, in_path)
  if #in_path == 0 or not declaration then return end
  local named = {}
  for _, name in ipairs(in_path) do named[name] = true end
  for name, value in pairs(declaration) do
    if stored.is_tenant(value) and not named[name] then declaration[name] = nil end
  end
end

local function prepare(device, task, in_path)
  if task.action == "remove" then
    task.declaration, task.order = removal(device, in_path)
  elseif task.declaration then
    task.declaration = tables.copy(task.declaration)
    keep_named(task.declaration, in_path)
    local id = task.declaration.id
    if id == nil or id == "" or id == "generate" or id == json.null then
      task.declaration.id = "autogen_" .. records.id()
    end
  end
end

-- Two requests of an array for the same tenant.
local function repeated(list)
  local seen = {}
  for _, task in ipairs(list) do
    for _, name in ipairs(task.declaration and stored.tenants(task.declaration) or {}) do
      if seen[name] then return true end
      seen[name] = true
    end
  end
  return false
end

local DUPLICATE <const> = "Error(s): 'Invalid/Duplicate': another request exists with the same "
  .. "targetHost-declaration tenant, declaration target, and/or declaration tenant-app"

local function answer_all(device, list, asynchronous)
  local items, status = json.array {}, nil
  local is_repeated = repeated(list)
  for i, task in ipairs(list) do
    local code, body = 422, { code = 422, message = DUPLICATE }
    if not is_repeated then code, body = answer(device, task, asynchronous) end
    items[i] = body
    status = (status == nil or status == code) and code or 207
  end
  local body = { items = items }
  if status ~= 200 and status ~= 202 then body.code = status end
  return { status = status, body = body }
end

local function handle_declare(device, request, parts)
  local asked = requests.query(request, version.has_query_controls(device))
  local app = parts[3] and per_app.read(device, request, parts)
  local in_path = app and { app.tenant } or requests.names(parts[2])
  if request.method ~= "GET" and request.method ~= "POST" and request.method ~= "PATCH"
    and request.method ~= "DELETE"
  then
    requests.refuse(405, "Method not allowed: %s", request.method)
  end
  if app and app.request then request = app.request end
  local list, is_list = requests.tasks(request, asked, in_path)
  if list[1].action == "retrieve" then return reading.get(device, asked, in_path, app) end
  for _, task in ipairs(list) do
    prepare(device, task, in_path)
    if app then per_app.prepare(device, task, app) end
  end
  if is_list then return answer_all(device, list, asked.async) end
  local status, body = answer(device, list[1], asked.async)
  body = reading.shown(device, body, asked)
  if app then body = per_app.shown(body, app) end
  return { status = status, body = body }
end

local RESOURCES <const> = {
  declare = handle_declare, task = handle_task, settings = handle_settings,
  info = function(device, request)
    if request.method ~= "GET" then
      requests.refuse(405, "Method not allowed: %s", request.method)
    end
    return info(device)
  end,
}

--- Answers a request.
function M.handle(device, request)
  local parts = requests.path(request)
  return RESOURCES[parts[1]](device, request, parts)
end

--- Unfinished tasks do not survive a restart of restnoded.
function M.restarted(device)
  local state = device.state.extensions.as3
  if not state then return end
  local forget = state.settings.asyncTaskStorage == "memory"
  for i = #state.tasks, 1, -1 do
    local record = state.tasks[i]
    if forget then
      table.remove(state.tasks, i)
    elseif not record.finished then
      record.finished, record.cancelled, record.task = true, true, nil
    end
  end
  if state.busy then stored.unlock(device) end
  state.busy = nil
end

--- How many seconds of the device's clock the next declaration takes.
function M.set_next(device, options)
  state_of(device).next_seconds = options.seconds
end

function M.install(device)
  device.state.extensions.as3 = device.state.extensions.as3
    or { tasks = {}, history = {}, deployed = {}, settings = {} }
  device:on("as3", on_due)
end

return M
