-- DO (Declarative Onboarding): /mgmt/shared/declarative-onboarding.
--
-- state.extensions["do"] = { tasks = records, last = id of the last task, original = the
-- configuration before the first declaration, files = what files had before DO wrote them, secrets
-- (secrets.lua), next_seconds = how long the next declaration takes }
local extensions = require("sim.lazy") "sim.extensions"
local inspect = require("sim.lazy") "sim.extensions.onboarding.inspect"
local join = require("sim.lazy") "sim.extensions.onboarding.join"
local json = require "f5.json"
local onboard = require("sim.lazy") "sim.extensions.onboarding.onboard"
local order = require "sim.extensions.order"
local records = require "sim.extensions.records"
local restart = require("sim.lazy") "sim.http.restart"
local schema = require("sim.lazy") "sim.extensions.onboarding.schema"
local tables = require "sim.tables"

local M = {}

local BASE <const> = "https://localhost/mgmt/shared/declarative-onboarding"
local DEPTH <const> = 12 -- of the order of members in a declaration
-- How long a declaration takes if nobody has said it, and how long a rollback is seen.
local USUAL_SECONDS <const>, ROLLBACK_SECONDS <const> = 0.3, 0.3
local REBOOT_SECONDS <const> = 4
local MICROS <const> = 1000000

local function state_of(device) return device.state.extensions["do"] end

-- -- answers --

-- Whether a name is one of a secret: password, passphrase at the end of a word, secret, privateKey.
local function is_secret(name)
  local lower = name:lower()
  if lower:find "secret" or lower:find "privatekey" then return true end
  return lower:find "password%f[^%w_]" ~= nil or lower:find "passphrase%f[^%w_]" ~= nil
end

-- A copy without secrets, as DO keeps declarations.
local function masked(value)
  if type(value) ~= "table" or value == json.null then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do
    if type(key) ~= "string" or not is_secret(key) then copy[key] = masked(item) end
  end
  return copy
end

local function not_found(id)
  return {
    id = id, result = {
      code = 404, message = "item does not exist", errors = json.array { "item does not exist" },
    },
  }
end

-- Whether a declaration, which may be a bad one, asks for a dry run.
local function dry_run(declaration)
  local controls = declaration.controls
  if type(controls) == "table" then return controls.dryRun end
  return nil
end

local function filled(list) return list and #list > 0 and list or nil end

-- A task as /task shows it.
local function show_task(record, show)
  local result = record.result
  local body = {
    id = record.id, selfLink = BASE .. "/task/" .. record.id,
    result = {
      class = "Result", code = result.code, status = result.status, message = result.message,
      errors = filled(result.errors), warnings = filled(result.warnings),
      dryRun = dry_run(record.declaration),
    },
    declaration = record.declaration, traces = record.traces,
  }
  if result.code >= 300 then
    body.code, body.status, body.message = result.code, result.status, result.message
    body.errors, body.warnings = filled(result.errors), filled(result.warnings)
  end
  if show == "full" then
    body.currentConfig = record.current and { parsed = true, Common = masked(record.current) }
    body.originalConfig = record.original and { parsed = true, Common = masked(record.original) }
    body.lastUpdate = os.date("!%Y-%m-%dT%H:%M:%S.000Z", record.updated // MICROS)
  end
  return body
end

-- The status of HTTP is that of the result, unless the client asks for plain ones.
local function answer(request, body, status)
  if request.query.statusCodes == "experimental" and status then
    return { status = status, body = body }
  end
  local result = body.result
  return { status = result and result.code or 200, body = body }
end

-- -- tasks --

local function update(device, record, code, status, message, errors)
  local result = record.result
  result.code, result.status, result.message = code, status, message
  for _, one in ipairs(errors or {}) do
    result.errors = result.errors or json.array {}
    table.insert(result.errors, one)
  end
  record.updated = device:now()
end

local function finish(device, record)
  record.finished, record.task, record.outcome = true, nil, nil
  record.updated = device:now()
end

local function later(device, record, seconds)
  device:schedule(device:now() + math.floor(seconds * MICROS), "do", { id = record.id })
end

-- Carries out the declaration of a task.
local function carry_out(device, record)
  local state = state_of(device)
  local ok, outcome = pcall(onboard.run, device, state, record.task)
  if not ok then
    device:complain(tostring(outcome))
    update(device, record, 500, "ERROR", "failed", { tostring(outcome) })
    return finish(device, record)
  end
  record.result.warnings = filled(outcome.warnings)
  record.traces, record.current = outcome.traces, outcome.current
  record.original = tables.copy(state.original)
  if outcome.join then
    record.outcome = { join = outcome.join, reboot = outcome.reboot }
  elseif outcome.reason then
    update(device, record, 202, "ROLLING_BACK", "invalid config - rolling back", { outcome.reason })
    record.outcome = { code = outcome.code, reason = outcome.reason }
  elseif outcome.reboot then
    update(device, record, 202, "REBOOTING", "reboot required")
    record.outcome = { reboot = true }
  else
    update(device, record, 200, "OK", "success")
    finish(device, record)
  end
end

local function end_rollback(device, record)
  local outcome = record.outcome
  local lost = outcome.undo and onboard.undo(device, state_of(device), record.current)
  if lost then
    update(device, record, 500, "ERROR", "rollback failed", { lost })
    return finish(device, record)
  end
  update(device, record, outcome.code, "ERROR", "invalid config - rolled back", { outcome.reason })
  finish(device, record)
end

-- Requests that are answered when their task has ended: id of the task -> request. They do not
-- outlive the device.
local waiting = {}

-- The task goes on when the other device has answered.
local function joined(device, record, problem)
  local outcome = record.outcome
  problem = problem or onboard.joined(device, outcome.join)
  if problem then
    update(device, record, 202, "ROLLING_BACK", "invalid config - rolling back", { problem.reason })
    record.outcome = { code = problem.code, reason = problem.reason, undo = true }
    if not waiting[record.id] then return later(device, record, ROLLBACK_SECONDS) end
    end_rollback(device, record)
  elseif outcome.reboot then
    update(device, record, 202, "REBOOTING", "reboot required")
    record.outcome = { reboot = true }
    later(device, record, ROLLBACK_SECONDS)
  else
    update(device, record, 200, "OK", "success")
    finish(device, record)
  end
  local request = waiting[record.id]
  if not request then return end
  waiting[record.id] = nil
  return request.ticket, device:complete(request, answer(request, show_task(record)))
end

-- The next step of a task. A device that boots goes on afterwards.
local function step(device, record)
  local ready_at = device.state.restart.ready_at
  if ready_at and not restart.is_ready(device) then
    return later(device, record, (ready_at - device:now()) / MICROS + 0.01)
  end
  local outcome = record.outcome
  if not outcome then
    carry_out(device, record)
    local plan = record.outcome and record.outcome.join
    if plan then
      join.ask(device, plan.trust, function(problem) return joined(device, record, problem) end)
    elseif record.outcome then
      -- a rollback takes as long as the declaration took
      local is_rollback = record.outcome.reason ~= nil
      local seconds = is_rollback and record.seconds or 0
      later(device, record, math.max(seconds, ROLLBACK_SECONDS))
    end
  elseif outcome.reason then
    end_rollback(device, record)
  elseif outcome.reboot == true then
    outcome.reboot = "begun"
    restart.reboot(device, { seconds = REBOOT_SECONDS })
    later(device, record, REBOOT_SECONDS)
  else
    onboard.booted(device)
    update(device, record, 200, "OK", "success")
    finish(device, record)
  end
end

local function on_due(device, data)
  local record = records.find(device, state_of(device).tasks, data.id)
  if record and not record.finished then step(device, record) end
end

-- -- requests --

local function refuse(device, request, record, errors)
  update(device, record, 400, "ERROR", "bad declaration", errors)
  finish(device, record)
  return answer(request, show_task(record))
end

-- The declaration in a request, and the order of its members; or nil and what is wrong.
local function read_body(request)
  local body = request.json
  if type(body) ~= "table" then
    return nil, "Unable to parse request body. Should be JSON format."
  end
  local keys = order.read(request.body, DEPTH)
  if body.class == "DO" then return tables.copy(body), nil, keys end
  return { class = "DO", declaration = tables.copy(body) }, nil, { keys = {}, declaration = keys }
end

local function post(device, request)
  local state = state_of(device)
  local record = records.add(device, state.tasks, {
    body = {}, result = {}, declaration = {}, updated = device:now(),
  })
  state.last = record.id
  local wrapper, problem, keys = read_body(request)
  if not wrapper then return refuse(device, request, record, { problem }) end
  local wrong = schema.check(wrapper, keys)
  local declaration = wrapper.declaration
  record.declaration = type(declaration) == "table" and masked(declaration) or {}
  if wrong then return refuse(device, request, record, wrong) end
  update(device, record, 202, "RUNNING", "processing")
  record.task, record.seconds = declaration, state.next_seconds
  local seconds = state.next_seconds or declaration.async and USUAL_SECONDS or 0
  state.next_seconds = nil
  if declaration.async then
    later(device, record, seconds)
    return answer(request, show_task(record), 202)
  end
  if seconds > 0 then device:advance(seconds) end -- the client waits
  step(device, record)
  if record.outcome and record.outcome.join then
    waiting[record.id] = request
    return { status = 200, later = true }
  end
  if record.outcome and record.outcome.reason then end_rollback(device, record) end
  return answer(request, show_task(record), record.result.code)
end

local function show_all(device, show)
  local list = json.array {}
  for i, record in ipairs(records.all(device, state_of(device).tasks)) do
    list[i] = show_task(record, show)
  end
  return list
end

local function get_task(device, request, id)
  if not id then return { status = 200, body = show_all(device, request.query.show) } end
  local record = records.find(device, state_of(device).tasks, id)
  if not record then return answer(request, not_found(id), 404) end
  return answer(request, show_task(record, request.query.show), 200)
end

local function get_info(device, request, id)
  local installed, release = extensions.version(device, "do")
  local body = {
    id = id or 0, selfLink = BASE .. "/info",
    result = {
      class = "Result", code = 200, status = "OK", message = "", errors = json.array {},
    },
    version = installed, release = release, schemaCurrent = installed:gsub("%d+$", "0"),
    schemaMinimum = "1.0.0",
  }
  return answer(request, id and body or json.array { body })
end

-- The configuration before the first declaration; its id is that of the machine.
local function config_of(device)
  local id = device.machine_id
  return {
    id = id, selfLink = BASE .. "/config/" .. id,
    result = {
      class = "Result", code = 200, status = "OK", message = "", errors = json.array {},
    },
    Common = masked(state_of(device).original),
  }
end

local function get_config(device, request, id)
  local is_there = state_of(device).original ~= nil
  if not id then
    return { status = 200, body = json.array { is_there and config_of(device) or nil } }
  end
  if not is_there or id ~= device.machine_id then return answer(request, not_found(id), 404) end
  return answer(request, config_of(device))
end

local function plain_error(status, message)
  return { status = status, body = { code = status, message = message } }
end

local function delete(device, _, part, id)
  if part ~= "config" then
    return plain_error(400, "DELETE is only supported for the config endpoint")
  end
  if not id then return plain_error(400, "id must be specified for DELETE") end
  if not state_of(device).original or id ~= device.machine_id then
    return plain_error(404, id .. " does not exist")
  end
  state_of(device).original = nil
  return { status = 200, body = json.array {} }
end

-- The configuration of the device as a declaration.
local function get_inspect(device, request)
  for name in pairs(request.query) do
    if name:find "^target" then
      return plain_error(400, name .. ": other devices than the own one are not simulated")
    end
  end
  local installed = extensions.version(device, "do")
  local declaration, wrong = inspect.run(device, (installed:gsub("%d+$", "0")))
  local result = {
    class = "Result", code = 200, status = "OK", message = "", errors = json.array {},
  }
  if wrong then
    result.code, result.status, result.message = 412, "ERROR", "Precondition failed"
    result.errors = table.move(wrong, 1, #wrong, 2, json.array {
      "Unable to verify declaration from existing state.",
    })
  end
  local body = {
    id = 0, selfLink = BASE .. "/inspect", result = result, declaration = declaration,
  }
  return { status = 200, body = json.array { body } }
end

local READERS <const> = {
  inspect = get_inspect, task = get_task, info = get_info, config = get_config,
}

--- Answers a request.
function M.handle(device, request)
  local part, id = request.segments[4], request.segments[5]
  if request.method == "POST" then return post(device, request) end
  if request.method == "DELETE" then return delete(device, request, part, id) end
  if request.method ~= "GET" and request.method ~= "HEAD" then
    return plain_error(405, "Method not allowed: " .. request.method)
  end
  if not part then
    local last = state_of(device).last
    return get_task(device, request, last)
  end
  local read = READERS[part]
  if not read then return plain_error(404, "No responder for endpoint: " .. part) end
  return read(device, request, id)
end

--- Tasks go on after a restart of restnoded.
function M.restarted() end

--- How many seconds of the device's clock the next declaration takes.
function M.set_next(device, options) state_of(device).next_seconds = options.seconds end

function M.install(device)
  local all = device.state.extensions
  all["do"] = all["do"] or { tasks = {}, files = {}, secrets = {} }
  device:on("do", on_due)
end

return M
