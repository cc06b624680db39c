-- Asynchronous tasks below /mgmt/tm/task. A POST creates a task and a PUT starts it. It is carried
-- out when its time has passed on the device's clock.
--
-- state.tasks = { last = id, items = { [id as text] = { id, template, body, state, since, owner,
-- response } }, plans = { … } }. A spec can plan how the next task goes:
-- { template =, seconds =, outcome = "FAILED", message =, vanish = true }.
local json = require "f5.json"
local commands = require "sim.commands"
local errors = require "sim.http.errors"

local M = {}

local SECOND <const> = 1000000
local DEFAULT_SECONDS <const> = 3
local UNSTARTED_SECONDS <const> = 600  -- then a task that was not started is deleted

-- The table of the guide. Each of these also has a synchronous form without "task" in its path.
M.templates = {
  "sys/config",
  "sys/ucs",
  "sys/geoip",
  "sys/classification-signature",
  "sys/failover",
  "ltm/dns-express-db",
  "ltm/classification/urldb-feed-list",
  "ltm/classification/signature-definition",
  "ltm/classification/signatures",
  "ltm/classification/update-signatures",
  "apm/epsec/epsec-package",
  "vcmp/guest",
  "cli/script",
  "wom/verify-config",
  "wom/diagnose-conn",
  "wam/policy",
  "security/firewall/fqdn-entity",
  "security/ip-intelligence/feed-list",
  "security/anti-fraud/signatures-update",
  "security/anti-fraud/engine-update",
  "pem/subscribers",
  "ilx/plugin",
  "cm/config-sync",
  "cm/add-to-trust",
  "cm/remove-from-trust",
}

local function path_of(task)
  return ("/mgmt/tm/task/%s/%d"):format(task.template, task.id)
end

local function link(device, path)
  return ("https://localhost%s?ver=%s"):format(path, device.version.version)
end

local function show(device, task)
  return {
    _taskId = task.id,
    _taskState = task.state,
    _taskTimeInStateMs = (device:now() - task.since) // 1000,
    _taskResultLink = link(device, path_of(task) .. "/result"),
    selfLink = link(device, path_of(task)),
  }
end

local function not_found(request, id)
  error(errors.tm(404, ("Task not found - ID: %s user: %s"):format(id, request.user.name), 1), 0)
end

local function find(device, request, template, id)
  local task = device.state.tasks.items[id]
  if not task or task.template ~= template then not_found(request, id) end
  return task
end

local function enter(device, task, state)
  task.state, task.since = state, device:now()
end

local function create(device, request, template)
  local body = request.json
  if type(body) ~= "table" or next(body) == nil then
    return errors.tm(400, "one or more properties must be specified", 1)
  end
  local is_object = body.command == nil and template == "vcmp/guest"
  if
    not is_object and not (commands.known(body.command) and commands.find(body.command, template))
  then
    return errors.tm(
      501,
      ("The command (%s) is not supported by the component /%s."):format(
        tostring(body.command),
        template
      ),
      1
    )
  end
  local tasks = device.state.tasks
  local id = math.max(device:now(), tasks.last + 1)
  tasks.last = id
  local task = {
    id = id, template = template, body = body, owner = request.user.name, remote = request.remote,
  }
  enter(device, task, "STARTED")
  tasks.items[tostring(id)] = task
  device:schedule(device:now() + UNSTARTED_SECONDS * SECOND, "task forgotten", tostring(id))
  return { status = 200, body = show(device, task) }
end

local function take_plan(device, template)
  local plans = device.state.tasks.plans
  for i, plan in ipairs(plans) do
    if plan.template == nil or plan.template == template then return table.remove(plans, i) end
  end
  return {}
end

local function is_running(device)
  for _, task in pairs(device.state.tasks.items) do
    if task.state == "VALIDATING" then return true end
  end
  return false
end
M.is_running = is_running

local function start(device, request, task)
  local body = request.json or {}
  if body._taskState ~= "VALIDATING" then
    return errors.tm(
      400,
      ('invalid property value "_taskState":"%s"'):format(tostring(body._taskState)),
      1
    )
  end
  if task.state ~= "STARTED" then
    return errors.tm(
      400,
      ("Task %d cannot be started in the state %s."):format(task.id, task.state),
      1
    )
  end
  if is_running(device) then
    return errors.tm(503, "There is an active asynchronous task executing.", 32964609)
  end
  local plan = take_plan(device, task.template)
  enter(device, task, "VALIDATING")
  task.user =
    { name = request.user.name, provider = request.user.provider, access = request.user.access }
  device:schedule(
    device:now() + math.floor((plan.seconds or DEFAULT_SECONDS) * SECOND),
    "task",
    { id = tostring(task.id), plan = plan }
  )
  return {
    status = 202,
    body = {
      code = 202, message = "Task will execute asynchronously.", errorStack = json.array {},
    },
  }
end

local function finish(device, task, response)
  task.response = { status = response.status, body = response.body }
  enter(device, task, response.status < 300 and "COMPLETED" or "FAILED")
end

local function run(device, task)
  local segments = { "mgmt", "tm" }
  for segment in task.template:gmatch "[^/]+" do segments[#segments + 1] = segment end
  local body = {}
  for key, value in pairs(task.body) do body[key] = value end
  return device:dispatch {
    method = "POST",
    target = "/mgmt/tm/" .. task.template,
    path = "/mgmt/tm/" .. task.template,
    segments = segments,
    query = {},
    query_order = {},
    raw_query = "",
    headers = { ["content-type"] = "application/json" },
    body = "",
    json = body,
    user = task.user,
    remote = task.remote,
    operation = device.state.operations,
    task = task.id,
    finish = function(response) finish(device, task, response) end,
  }
end

local function on_due(device, data)
  local items = device.state.tasks.items
  local task = items[data.id]
  if not task or task.state ~= "VALIDATING" then return end
  local plan = data.plan
  if plan.vanish then
    items[data.id] = nil
    return
  end
  local response
  if plan.outcome == "FAILED" then
    response =
      errors.tm(400, plan.message or "01070734:3: Configuration error: planned by a test", 3)
  else
    response = run(device, task)
  end
  if not response.later then finish(device, task, response) end
end

local function handle_result(device, request, task)
  local waits = task.response == nil and (task.state == "STARTED" or task.state == "VALIDATING")
  if waits and request.method == "GET" then return { status = 200, body = show(device, task) } end
  if task.response == nil then
    return errors.tm(
      404,
      ("Task result not found - ID: %d user: %s"):format(task.id, request.user.name),
      1
    )
  end
  if request.method == "DELETE" then
    task.response = nil
    return { status = 200 }
  end
  if request.method ~= "GET" then
    return errors.tm(405, "Method not allowed: " .. request.method, 1)
  end
  local body = {}
  for key, value in pairs(type(task.response.body) == "table" and task.response.body or {}) do
    body[key] = value
  end
  body._taskId, body._taskState = task.id, task.state
  body.selfLink = link(device, path_of(task) .. "/result")
  return { status = 200, body = body }
end

local function list(device, template)
  local items = json.array {}
  for _, task in pairs(device.state.tasks.items) do
    if task.template == template then items[#items + 1] = show(device, task) end
  end
  table.sort(items, function(a, b) return a._taskId < b._taskId end)
  return {
    status = 200,
    body = {
      kind = ("tm:task:%s:%scollectionstate"):format(
        template:gsub("/", ":"),
        template:match "[^/]+$"
      ),
      selfLink = link(device, "/mgmt/tm/task/" .. template),
      items = items,
    },
  }
end

local function handler(template, depth)
  return function(device, request)
    local id, part = table.unpack(request.segments, depth + 1, depth + 2)
    local method = request.method
    if not id then
      if method == "POST" then return create(device, request, template) end
      if method == "GET" then return list(device, template) end
      return errors.tm(405, "Method not allowed: " .. method, 1)
    end
    local task = find(device, request, template, id)
    if part == "result" then return handle_result(device, request, task) end
    if part then return errors.not_public(request) end
    if method == "GET" then return { status = 200, body = show(device, task) } end
    if method == "PUT" or method == "PATCH" then return start(device, request, task) end
    if method ~= "DELETE" then return errors.tm(405, "Method not allowed: " .. method, 1) end
    device.state.tasks.items[id] = nil
    return { status = 200 }
  end
end

-- Tasks of these modules exist on every device, all others only while their module is provisioned.
local ALWAYS <const> =
  { sys = true, ltm = true, cli = true, cm = true, security = true, wom = true }

function M.install(device)
  device.state.tasks = device.state.tasks or { last = 0, items = {}, plans = {} }
  device:on("task", on_due)
  device:on("task forgotten", function(self, id)
    local task = self.state.tasks.items[id]
    if task and task.state == "STARTED" then self.state.tasks.items[id] = nil end
  end)
  for _, template in ipairs(M.templates) do
    local _, slashes = template:gsub("/", "")
    local handle = handler(template, slashes + 4)
    local module = template:match "^[^/]+"
    device:route("/mgmt/tm/task/" .. template, function(self, request)
      if not ALWAYS[module] and not self:is_provisioned(module) then
        return errors.not_public(request)
      end
      return handle(self, request)
    end)
  end
  device:route("/mgmt/tm/task", function(self, request)
    if #request.segments > 3 then return errors.not_public(request) end
    local items = json.array {}
    for i, template in ipairs(M.templates) do
      items[i] = { reference = { link = link(self, "/mgmt/tm/task/" .. template) } }
    end
    return {
      status = 200,
      body = {
        kind = "tm:task:taskcollectionstate",
        selfLink = link(self, "/mgmt/tm/task"),
        items = items,
      },
    }
  end)
end

-- Plans how the next task of a kind goes.
function M.plan(device, plan)
  table.insert(device.state.tasks.plans, plan)
end

-- Removes all tasks, as a reboot does.
function M.forget(device)
  device.state.tasks.items = {}
end

return M
