-- Declarations of TS, which answers at once, and applications of FAST, which are tasks of AS3.

local calls = require "f5.declare.calls"
local core = require "f5.core"
local extensions = require "f5.declare.extensions"
local kinds = require "f5.declare.kinds"
local results = require "f5.declare.results"

local M = {}

local TS <const> = "/mgmt/shared/telemetry/declare"
local FAST <const> = "/mgmt/shared/fast"

local function raise(run, fields)
  fields.device, fields.method = run.bip:label(), fields.method or "POST"
  error(results.error(fields), 0)
end

-- Sends until the extension takes it. Raises what it refuses.
local function send(run, path, body)
  local label <const> = run.extension.label
  while true do
    local ok, answer = run:try("POST", path, { body = body })
    if ok then return answer end
    if answer.outcome == "unknown" or not calls.is_transient(answer) and not answer.status then
      error(answer, 0)
    end
    if not calls.is_transient(answer) then
      local refusal = type(answer.body) == "table" and answer.body or {
        code = answer.status, message = answer.message,
      }
      local found <const> = results.of { refusal }
      found[1].code, found[1].ok = found[1].code or answer.status, false
      raise(run, {
        path = path, status = answer.status, results = found,
        message = results.message(label, found, answer.status // 100 == 4),
      })
    end
    if run:is_over() then error(answer, 0) end
    run:tell(label .. (answer.status == 503 and " is busy" or " does not answer yet"))
    run:pause "send"
  end
end

local function refuse_dry_run(label, options)
  if options.dry_run then
    core.usage_error(("declare: %s has no dry run; nothing was sent"):format(label))
  end
end

--- Sends a declaration to TS; returns its one result.
function M.telemetry(bip, body, text, options)
  refuse_dry_run("TS", options)
  local run <const> = calls.new(bip, kinds.find "ts", options)
  extensions.info(run)
  local answer = send(run, TS, text or body)
  answer = type(answer) == "table" and answer or {}
  return results.of { { code = 200, message = answer.message or "success" } }
end

--- What TS was given last; nil: none.
function M.telemetry_declared(bip)
  local run <const> = calls.new(bip, kinds.find "ts", { timeout = 60 })
  extensions.info(run)
  local answer = bip:request("GET", TS)
  local found = type(answer) == "table" and answer.declaration
  return type(found) == "table" and next(found) ~= nil and found or nil
end

local function task_of(answer)
  local first = type(answer) == "table" and type(answer.message) == "table" and answer.message[1]
  return type(first) == "table" and type(first.id) == "string" and first.id or nil
end

local function ended(run, path, record)
  local found <const> = results.of { {
    tenant = record.tenant, code = record.code, message = record.message,
  } }
  found[1].application = record.application
  if found[1].ok then return found end
  return raise(run, {
    method = "GET", path = path, task = run.task, results = found,
    message = results.message("FAST", found, false),
  })
end

-- A task that waits for its turn has the code 202, one that AS3 carries out has 0.
local function is_running(record)
  local code <const> = tonumber(record.code)
  return code == 0 or code == 202
end

local function cancelled(run, path)
  raise(run, {
    method = "GET", path = path, outcome = "unknown", task = run.task,
    message = "a restart of the device's services cancelled the task; it is unknown whether the "
      .. "application was deployed: look at " .. FAST .. "/applications, or send it again",
  })
end

local function wait(run, path)
  while true do
    local ok, record = run:try("GET", path)
    if ok and type(record) == "table" then
      if record.message == "task cancelled" then cancelled(run, path) end
      if not is_running(record) then return ended(run, path, record) end
      run:tell(record.message or "in progress")
    else
      if not ok and record.kind == "not_found" then
        raise(run, {
          method = "GET", path = path, status = 404, outcome = "unknown", cause = record,
          task = run.task,
          message = "FAST no longer knows this task; it is unknown whether the application was "
            .. "deployed: look at " .. FAST .. "/applications",
        })
      end
      if not ok and not calls.is_transient(record) then error(record, 0) end
      run.last = not ok and record or nil
      run:tell "no answer"
    end
    if run:is_over() then
      run:give_up("FAST", path)
    end
    run:pause "task"
  end
end

--- Deploys an application with FAST; returns its one result.
function M.application(bip, body, text, options)
  refuse_dry_run("FAST", options)
  local run <const> = calls.new(bip, kinds.find "fast", options)
  extensions.info(run)
  local answer <const> = send(run, FAST .. "/applications", text or body)
  run.task = task_of(answer)
  if not run.task then
    raise(run, {
      path = FAST .. "/applications", outcome = "unknown",
      message = "FAST took the application and named no task: how it ends is unknown",
    })
  end
  return wait(run, FAST .. "/tasks/" .. run.task)
end

return M
