-- How FAST uses AS3: it reads what is declared, puts its applications into it, and sends it. Only
-- one task at a time is with AS3; others wait for their turn, which FAST looks at every 3 seconds.
local clock = require "sim.clock"
local extensions = require("sim.lazy") "sim.extensions"
local json = require "f5.json"
local ordered = require "sim.extensions.templates.ordered"
local records = require "sim.extensions.records"
local tables = require "sim.tables"

local M = {}

local KEY <const> = "fast"
local POLL_SECONDS <const> = 3

local function state_of(device) return device.state.extensions.fast end

-- An error of FAST; `status`: what AS3 answered, if it did.
local function fail(status, format, ...)
  error({ driver = format:format(...), answered = status }, 0)
end

-- A call of AS3. Returns its body.
local function call(device, method, path, body, what)
  local response = extensions.call(device, "as3", method, path, body)
  if response.status < 400 then return response.body, response.status end
  local answer = type(response.body) == "table" and response.body or {}
  local text = ("Request failed with status code %d\n%s"):format(response.status,
    ordered.json(answer.message or json.null, true))
  if answer.errors then text = text .. "\nerrors:\n" .. ordered.json(answer.errors, true) end
  return fail(response.status, "AS3 Driver failed to %s %s: %s", method, what or "declaration",
    text)
end

--- What AS3 says about itself; also what is answered while it is not there.
function M.info(device)
  return extensions.call(device, "as3", "GET", "info").body
end

--- What is declared.
function M.declaration(device)
  local body = call(device, "GET", "declare?showHash=true")
  local found = type(body) == "table" and tables.copy(body) or {}
  if next(found) == nil then return { class = "ADC", schemaVersion = "3.0.0" } end
  if type(found.Common) == "table" then found.Common.optimisticLockKey = nil end
  return found
end

local function by_class(object, class)
  local list = {}
  for name, value in ordered.pairs(object) do
    if type(value) == "table" and value.class == class then list[#list + 1] = name end
  end
  return list
end

-- The applications of a declaration: { tenant, name }. `managed`: only those of FAST.
local function applications(declaration, managed)
  local list = {}
  for _, tenant in ipairs(by_class(declaration, "Tenant")) do
    for _, name in ipairs(by_class(declaration[tenant], "Application")) do
      local constants = declaration[tenant][name].constants
      if not managed or type(constants) == "table" and constants[KEY] then
        list[#list + 1] = { tenant, name }
      end
    end
  end
  return list
end

local function application(declaration, tenant, name)
  local found = (declaration[tenant][name].constants or {})[KEY] or {}
  local result = tables.copy(found)
  result.tenant, result.name = tenant, name
  return result
end

--- The applications of FAST, as it shows them.
function M.list(device)
  local declaration, list = M.declaration(device), json.array {}
  for i, one in ipairs(applications(declaration, true)) do
    list[i] = application(declaration, one[1], one[2])
  end
  return list
end

local function check_managed(declaration, tenant, name)
  if not declaration[tenant] then fail(nil, "no tenant found for tenant name: %s", tenant) end
  local found = declaration[tenant][name]
  if not found then fail(nil, "could not find application %s/%s", tenant, name) end
  if not (type(found.constants) == "table" and found.constants[KEY]) then
    fail(nil, "application is not managed by FAST: %s/%s", tenant, name)
  end
end

--- One application of FAST.
function M.get(device, tenant, name)
  local declaration = M.declaration(device)
  check_managed(declaration, tenant, name)
  return application(declaration, tenant, name)
end

--- The tenant and the application of a declaration that a template made.
function M.names(rendered)
  local declaration = rendered.declaration or rendered
  local tenants = by_class(declaration, "Tenant")
  if #tenants == 0 then
    fail(nil, "Did not find a tenant class in the application declaration")
  elseif #tenants > 1 then
    fail(nil, "Only one tenant class is supported for application declarations")
  end
  local list = applications(declaration)
  if #list == 0 then
    fail(nil, "Did not find an application class in the application declaration")
  elseif #list > 1 then
    fail(nil, "Only one application class is supported for application declaration")
  end
  return list[1][1], list[1][2]
end

-- -- sending --

local function new_id(device, operation, tenant, name)
  local state = state_of(device)
  local id = ("%s%%%s%%%s%%%s%%%d"):format(KEY, operation, tenant, name, state.next_id)
  state.next_id = state.next_id + 1
  return id
end

-- Sends those tenants of a declaration. Returns the answer of AS3.
local function post(device, declaration, tenants)
  local names, seen, wanted = {}, {}, {}
  for _, name in ipairs(tenants) do
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
  for name, value in pairs(declaration) do
    local is_tenant = type(value) == "table" and value.class == "Tenant"
    if not is_tenant or seen[name] then wanted[name] = value end
  end
  wanted.controls = {
    class = "Controls", userAgent = "f5-appsvcs-templates/" .. extensions.version(device, "fast"),
  }
  local path = "declare" .. (#names > 0 and "/" .. table.concat(names, ",") or "")
  local body = call(device, "POST", path .. "?async=true", wanted)
  state_of(device).task_ids[body.id] = wanted.id
  return body
end

local RUN <const> = {}

-- Puts applications into what is declared.
function RUN.create(device, task)
  local declaration, tenants = M.declaration(device), {}
  for _, definition in ipairs(task.data) do
    local tenant, name = M.names(definition)
    tenants[#tenants + 1] = tenant
    local known = declaration[tenant] or { class = "Tenant" }
    declaration[tenant] = known
    local domain = definition[tenant].defaultRouteDomain
    if domain ~= nil then known.defaultRouteDomain = domain end
    local operation = known[name] and "update" or "create"
    known[name] = tables.copy(definition[tenant][name])
    declaration.id = new_id(device, operation, tenant, name)
  end
  return post(device, declaration, tenants)
end

-- Takes applications out of it; without names all of FAST.
function RUN.delete(device, task)
  local declaration, names, tenants = M.declaration(device), task.data, {}
  local is_all = #names == 0
  for _, one in ipairs(names) do check_managed(declaration, one[1], one[2]) end
  if is_all then names = applications(declaration, true) end
  for i, one in ipairs(names) do
    tenants[i] = one[1]
    declaration[one[1]][one[2]] = nil
  end
  if #names == 1 then
    declaration.id = new_id(device, "delete", names[1][1], names[1][2])
  else
    declaration.id = new_id(device, is_all and "delete-all" or "delete", "", "")
  end
  return post(device, declaration, tenants)
end

-- Sends a task to AS3.
local function run(device, task)
  local answer = RUN[task.operation](device, task)
  if task.id then
    state_of(device).id_map[answer.id] = task.id
  else
    task.id = answer.id
  end
  return answer
end

local function plan(device)
  local state = state_of(device)
  if state.is_planned or #state.pending == 0 then return end
  state.is_planned = true
  device:schedule(device:now() + POLL_SECONDS * 1000000, "fast", {})
end

-- The time as JavaScript writes it.
local function timestamp(device)
  return (clock.iso(device:now()):gsub("%+0000$", "Z"))
end
M.timestamp = timestamp

-- Sends a task, or lets it wait. Returns the answer of AS3, or { id = }.
local function enqueue(device, task)
  local state = state_of(device)
  local limit = M.settings(device).pendingTasksMaxNumber
  if limit ~= 0 and #state.pending > limit then
    fail(503, "AS3 Driver: Max number of pending tasks reached. Please use batching for deploying "
      .. "many applications at once or increase max number of pending tasks via settings endpoint. "
      .. "The current setting is %d", limit)
  end
  state.pending[#state.pending + 1] = task
  plan(device)
  if #state.pending == 1 then
    task.message = "in progress"
    return run(device, task)
  end
  task.id = records.id()
  return { id = task.id }
end

local function new_task(device, operation, data, tenant, name)
  return {
    operation = operation, data = data, tenant = tenant or "", application = name or "",
    code = 202, message = "pending", timestamp = timestamp(device),
  }
end

--- Deploys applications: { definition =, meta = } each. Returns the answer of AS3.
function M.create(device, list)
  local definitions = {}
  for i, one in ipairs(list) do
    local definition = tables.copy(one.definition.declaration or one.definition)
    local tenant, name = M.names(definition)
    if tenant == "Common" then
      fail(nil, "FAST applications cannot modify the /Common tenant")
    end
    local app = definition[tenant][name]
    app.constants = app.constants or { class = "Constants" }
    app.constants[KEY] = one.meta
    definitions[i] = definition
  end
  local task = new_task(device, "create", definitions, M.names(definitions[1]))
  local ok, answer = pcall(enqueue, device, task)
  if ok then return answer end
  if type(answer) == "table" and answer.driver then
    task.message, task.code, task.data = "error", answer.answered or 500, nil
    table.insert(state_of(device).errored, task)
  end
  return error(answer, 0)
end

--- Removes applications: { tenant, name } each; none: all. Returns the answer of AS3.
function M.delete(device, names)
  return enqueue(device, new_task(device, "delete", names))
end

-- -- tasks --

local function unique(list, texts)
  for _, text in ipairs(texts) do
    local is_known = false
    for _, known in ipairs(list) do is_known = is_known or known == text end
    if not is_known then list[#list + 1] = text end
  end
end

-- The texts of the results that a task shows.
local function message_of(results)
  local messages, responses, errors = {}, {}, {}
  for _, one in ipairs(results) do
    unique(messages, { one.message })
    unique(responses, { one.response })
    if one.errors then unique(errors, { table.concat(one.errors, ",") }) end
  end
  local all = table.move(responses, 1, #responses, #messages + 1, messages)
  return table.concat(table.move(errors, 1, #errors, #all + 1, all), "\n")
end

local function split(id)
  local parts = {}
  for part in (id .. "%"):gmatch "([^%%]*)%%" do parts[#parts + 1] = part end
  return parts[2], parts[3], parts[4]
end

-- A task of AS3 as FAST shows it.
local function from_as3(device, item, declaration_id)
  local declaration, results = item.declaration, item.results
  local operation, tenant, name = split(declaration_id)
  local task = {
    id = state_of(device).id_map[item.id] or item.id, code = results[1] and results[1].code or 0,
    name = "", parameters = {}, tenant = tenant or "", application = name or "",
    operation = operation or "unknown", host = "unknown",
  }
  local own = {}
  for _, one in ipairs(results) do
    if one.tenant == task.tenant then own[#own + 1] = one end
  end
  if results[1] then
    local host = results[1].host
    task.host = host ~= nil and host ~= "" and host or "localhost"
  end
  task.message = message_of(#own > 0 and own or results)
  local there = (declaration[task.tenant] or {})[task.application]
  if type(there) == "table" then
    local app = application(declaration, task.tenant, task.application)
    task.name, task.parameters = app.template, app.view
  end
  local controls = declaration.controls
  task.timestamp = type(controls) == "table" and controls.archiveTimestamp or ""
  if task.message == "in progress" then task.timestamp = timestamp(device) end
  return task
end

local function as_shown(task)
  return {
    id = task.id or json.null, code = task.code, message = task.message, name = "",
    parameters = {}, tenant = task.tenant, application = task.application,
    operation = task.operation, timestamp = task.timestamp, host = "unknown",
  }
end

--- All tasks: those that wait, those of AS3, those that could not be sent.
function M.tasks(device)
  local state = state_of(device)
  local body = call(device, "GET", "task", nil, "tasks")
  local list, by_id, of_as3 = json.array {}, {}, {}
  for _, item in ipairs(body.items) do
    local id = item.declaration.id or state.task_ids[item.id]
    if id and (id:sub(1, #KEY) == KEY or state.task_ids[item.id]) then
      local task = from_as3(device, item, id)
      of_as3[#of_as3 + 1], by_id[task.id] = task, task
    end
  end
  for _, pending in ipairs(state.pending) do
    local there = pending.id and by_id[pending.id]
    if there then
      pending.code, pending.message = there.code, there.message
    else
      list[#list + 1] = as_shown(pending)
    end
  end
  table.move(of_as3, 1, #of_as3, #list + 1, list)
  for _, task in ipairs(state.errored) do list[#list + 1] = as_shown(task) end
  return list
end

-- One look at the tasks that wait.
local function look(device)
  local state = state_of(device)
  M.tasks(device)
  local task = state.pending[1]
  if not task or task.message == "in progress" then return end
  if task.message ~= "pending" then
    table.remove(state.pending, 1)
    return
  end
  local ok, problem = pcall(run, device, task)
  if ok then return end
  if type(problem) ~= "table" or not problem.driver then error(problem, 0) end
  task.message, task.code = "error", problem.answered or 500
  state.errored[#state.errored + 1] = task
end

local function on_poll(device)
  local state = state_of(device)
  state.is_planned = nil
  local ok, problem = pcall(look, device)
  if not ok and (type(problem) ~= "table" or not problem.driver) then
    device:complain(tostring(problem))
  end
  plan(device)
end

--- The settings of FAST.
function M.settings(device)
  local settings = {
    deletedTemplateSets = json.array {}, perfTracing = { enabled = false, debug = false },
    enableIpam = false, tsIpAddress = "255.255.255.254", ipamProviders = json.array {},
    disableDeclarationCache = false, pendingTasksMaxNumber = 10, enable_telemetry = false,
    log_afm = false, log_asm = false,
  }
  for name, value in pairs(state_of(device).settings or {}) do settings[name] = value end
  return settings
end

--- What does not survive a restart of restnoded.
function M.forget(device)
  local state = state_of(device)
  state.task_ids, state.id_map, state.pending, state.errored = {}, {}, {}, {}
  state.next_id, state.requests = 0, 0
end

function M.install(device) device:on("fast", on_poll) end

return M
