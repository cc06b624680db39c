-- Declarations of DO. The device may reboot, its services may restart and the password may change
-- while DO works: the task is followed through all of that.

local calls = require "f5.declare.calls"
local core = require "f5.core"
local extensions = require "f5.declare.extensions"
local kinds = require "f5.declare.kinds"
local results = require "f5.declare.results"

local M = {}

local ROOT <const> = "/mgmt/shared/declarative-onboarding"
local MAX_REFUSED_LOGINS <const> = 3 -- with the old and with the new password

local function raise(run, fields)
  fields.device = run.bip:label()
  fields.method, fields.path = fields.method or "POST", fields.path or ROOT
  error(results.error(fields), 0)
end

local function copy(value)
  local out = {}
  for key, one in next, value do out[key] = one end
  return out
end

-- The declaration with "async", without which DO answers only at the end; and with the dry run.
local function prepared(body, dry_run)
  body = copy(body)
  local inner = body
  if body.class == "DO" then
    if type(body.declaration) ~= "table" then
      core.usage_error "declare: the declaration of class DO has no 'declaration'"
    end
    body.declaration = copy(body.declaration)
    inner = body.declaration
  end
  inner.async = true
  if dry_run then
    inner.controls = copy(type(inner.controls) == "table" and inner.controls or {})
    inner.controls.class = inner.controls.class or "Controls"
    inner.controls.dryRun = true
  end
  return body, inner
end

-- The password that the declaration gives to the user of the session; nil: it changes none.
local function new_password(bip, inner)
  local user <const> = bip:username()
  local common = type(inner.Common) == "table" and inner.Common or {}
  local own = user and common[user]
  if type(own) == "table" and own.class == "User" and type(own.password) == "string" then
    return own.password
  end
  return nil
end

-- -- answers --------------------------------------------------------------------------------------

-- What DO says in an answer or an error: { code, status, message, errors }; nil: not DO's words.
local function said(answer)
  if type(answer) ~= "table" then return nil end
  if rawlen(answer) > 0 then answer = answer[1] end
  local result = type(answer) == "table" and answer.result
  if type(result) ~= "table" or type(result.status) ~= "string" then return nil end
  return result, answer
end

local function body_of(ok, answer)
  if ok then return answer end
  return type(answer) == "table" and answer.body or nil
end

local GONE <const> = "item does not exist"

local WORKING <const> = {
  RUNNING = true, ROLLING_BACK = true, REBOOTING = true, REVOKING = true,
  REBOOTING_AND_RESUMING = true,
}

local WORDS <const> = {
  REBOOTING = "the device reboots", REVOKING = "the license is revoked",
  REBOOTING_AND_RESUMING = "the device reboots", ROLLING_BACK = "rolling back",
}

local function finish(run, result, answer, path)
  local raw = {
    code = result.code, message = result.message, errors = result.errors,
    warnings = result.warnings, dryRun = result.dryRun,
  }
  local traces = type(answer.traces) == "table" and answer.traces
  if result.dryRun and traces and type(traces.diff) == "table" then raw.changes = traces.diff end
  local found <const> = results.of { raw }
  found[1].status = result.status
  if result.status == "OK" and found[1].ok then return found end
  found[1].ok, found[1].changed = false, false
  raise(run, {
    method = run.task and "GET" or "POST", path = path, task = run.task, results = found,
    status = math.tointeger(result.code), message = results.message("DO", found, false),
    outcome = result.message == "rollback failed" and "unknown" or nil,
  })
end

-- The declaration may have changed the password of the session's user.
local function try_new_password(run)
  if not run.password then return false end
  core.set_password(run.bip, run.password)
  run.password = nil
  return true
end

local function lost(run, cause, path)
  raise(run, {
    method = "GET", path = path, status = 404, outcome = "unknown", cause = cause, task = run.task,
    message = "DO no longer knows this task; it is unknown what it changed: send the declaration "
      .. "again, DO changes only what differs",
  })
end

-- A look at the task that failed. Raises if waiting cannot help.
local function handle(run, err, path)
  if err.kind == "not_found" then lost(run, err, path) end
  if err.kind == "auth" then
    run.refused = (run.refused or 0) + 1
    if try_new_password(run) then return end
    -- a device that starts may refuse a correct password
    if run.refused >= MAX_REFUSED_LOGINS then error(err, 0) end
  elseif not calls.is_transient(err) then
    error(err, 0)
  end
  run.last = err
  run:tell(run.rebooting and "the device reboots" or "no answer")
end

local function wait(run, path)
  while true do
    local ok, answer = run:try("GET", path)
    local result, whole = said(body_of(ok, answer))
    if result then
      run.last, run.refused = nil, 0
      if result.message == GONE then lost(run, not ok and answer or nil, path) end
      if not WORKING[result.status] and result.code ~= 202 then
        return finish(run, result, whole, path)
      end
      run.rebooting = result.status:find "REBOOT" ~= nil
      run:tell(WORDS[result.status] or result.message or "processing")
    else
      handle(run, ok and core.error_new {
        kind = "protocol", device = run.bip:label(), method = "GET", path = path,
        message = "the answer is not one of DO",
      } or answer, path)
    end
    if run:is_over() then
      run:give_up("DO", path)
    end
    run:pause "task"
  end
end

local function unknown(run, cause)
  raise(run, {
    outcome = "unknown", cause = cause, status = cause.status,
    message = "the connection was cut before DO named its task; it is unknown whether the "
      .. "declaration was applied: GET " .. ROOT .. "/task shows the latest tasks",
  })
end

local function send(run, body)
  while true do
    local ok, answer = run:try("POST", ROOT, { body = body, changes = not run.dry_run })
    local result, whole = said(body_of(ok, answer))
    if result or ok then return result, whole or answer end
    if answer.outcome == "unknown" then unknown(run, answer) end
    if not calls.is_transient(answer) then
      local refusal = type(answer.body) == "table" and answer.body or nil
      if not refusal or not answer.status then error(answer, 0) end
      local found <const> = results.of { refusal }
      found[1].code, found[1].ok = found[1].code or answer.status, false
      raise(run, {
        status = answer.status, results = found, message = results.message("DO", found, false),
      })
    end
    if run:is_over() then error(answer, 0) end
    run:tell "DO does not answer yet"
    run:pause "send"
  end
end

--- Carries out a declaration; returns its one result.
function M.declare(bip, given, options)
  local run <const> = calls.new(bip, kinds.find "do", options)
  local body, inner = prepared(given, options.dry_run)
  run.dry_run = options.dry_run or false
  local info <const> = extensions.info(run)
  if options.dry_run and not kinds.at_least(info.version, run.extension.dry_run) then
    error(core.error_new {
      kind = "unsupported", device = bip:label(), method = "POST", path = ROOT,
      message = ("DO %s has no dry run (it needs %s); nothing was sent"):format(
        tostring(info.version), run.extension.dry_run),
    }, 0)
  end
  run.password = not options.dry_run and new_password(bip, inner) or nil
  local result, answer = send(run, body)
  local id = type(answer) == "table" and answer.id
  if result and not WORKING[result.status] and result.code ~= 202 then
    return finish(run, result, answer, ROOT)
  end
  if type(id) ~= "string" then
    raise(run, {
      outcome = "unknown",
      message = "DO took the declaration and named no task: how it ends is unknown",
    })
  end
  run.task = id
  return wait(run, ("%s/task/%s"):format(ROOT, id))
end

--- The declaration that DO was given last; nil: none.
function M.declared(bip)
  local run <const> = calls.new(bip, kinds.find "do", { timeout = 60 })
  extensions.info(run)
  local ok, answer = run:try("GET", ROOT, { retry = true })
  local _, whole = said(body_of(ok, answer))
  local found = whole and whole.declaration
  if type(found) == "table" and next(found) ~= nil then return found end
  if ok then return nil end
  if answer.kind == "not_found" then return nil end
  return error(answer, 0)
end

return M
