-- Declarations of AS3: sent as a task, because an answer to the call itself may take longer than a
-- connection lives. Every task has one result for each tenant.

local calls = require "f5.declare.calls"
local core = require "f5.core"
local extensions = require "f5.declare.extensions"
local json = require "f5.json"
local kinds = require "f5.declare.kinds"
local results = require "f5.declare.results"

local M = {}

local ROOT <const> = "/mgmt/shared/appsvcs"
local SEARCH <const> = 20 -- seconds in which a request that was cut off must be in the list

local function raise(run, fields)
  fields.device = run.bip:label()
  fields.method, fields.path = fields.method or run.request.method, fields.path or run.request.path
  error(results.error(fields), 0)
end

-- -- tasks ----------------------------------------------------------------------------------------

-- The tasks that AS3 knows, by id; nil if it does not list them.
local function known_tasks(run)
  local ok, answer = run:try("GET", ROOT .. "/task", { retry = true })
  local list = ok and type(answer) == "table" and answer.items
  if type(list) ~= "table" then return nil end
  local found = {}
  for _, one in ipairs(list) do
    if type(one) == "table" and type(one.id) == "string" then found[one.id] = one end
  end
  return found
end

local function declaration_id(record)
  local id = type(record.declaration) == "table" and record.declaration.id
  for _, one in ipairs(type(record.results) == "table" and record.results or {}) do
    if type(one) == "table" and type(one.declarationId) == "string" then
      id = id or one.declarationId
    end
  end
  return type(id) == "string" and id or nil
end

-- Whether a new record can be that of the request. AS3 gives an id to a declaration without one.
local function may_be_ours(run, record)
  local id <const> = declaration_id(record)
  return run.request.id == nil or id == nil or id == run.request.id
end

-- The connection was cut: the task, if there is exactly one new one that can be ours.
local function search(run, cause)
  local stop <const> = core.now() + SEARCH
  while run.before do
    local now, candidates = known_tasks(run) or {}, {}
    for id, record in pairs(now) do
      if not run.before[id] and may_be_ours(run, record) then candidates[#candidates + 1] = id end
    end
    if #candidates == 1 then return candidates[1] end
    if #candidates > 1 or core.now() >= stop or run:is_over() then break end
    run:tell "the connection was cut; looking for the task"
    run:pause "search"
  end
  return raise(run, {
    outcome = "unknown", cause = cause, status = cause.status,
    message = "the connection was cut, and AS3 lists no task that is certainly this one; it is "
      .. "unknown whether the declaration was applied: look at " .. ROOT
      .. "/declare, or send it again, AS3 changes only what differs",
  })
end

local function lost(run, id, cause)
  raise(run, {
    method = "GET", path = ("%s/task/%s"):format(ROOT, id), status = 404, outcome = "unknown",
    cause = cause, task = id,
    message = "AS3 no longer knows this task: a restart of the device's services removed it; it is "
      .. "unknown which tenants were changed: look at " .. ROOT
      .. "/declare, or send the declaration again, AS3 changes only what differs",
  })
end

local RUNNING <const> = { ["in progress"] = true, pending = true }

local function first_message(record)
  local list = type(record) == "table" and record.results
  local first = type(list) == "table" and list[1]
  return type(first) == "table" and first.message, type(first) == "table" and first.code
end

local function cancelled(run, id)
  raise(run, {
    method = "GET", path = ("%s/task/%s"):format(ROOT, id), outcome = "unknown", task = id,
    message = "a restart of the device's services cancelled the task; it is unknown which tenants "
      .. "were changed before: look at " .. ROOT
      .. "/declare, or send the declaration again, AS3 changes only what differs",
  })
end

-- One look at a task. Returns the record if it has ended.
local function look(run, id)
  local ok, record = run:try("GET", ("%s/task/%s"):format(ROOT, id))
  if not ok then
    if record.kind == "not_found" then lost(run, id, record) end
    if not calls.is_transient(record) then error(record, 0) end
    run.last = record
    run:tell "no answer"
    return nil
  end
  run.last = nil
  local message <const>, code <const> = first_message(record)
  if message == "task cancelled" then cancelled(run, id) end
  if message and not RUNNING[message] and code ~= 0 then return record end
  run:tell(message or "in progress")
  return nil
end

-- Waits until a task has ended, and returns its record.
local function wait(run, id)
  while true do
    local record = look(run, id)
    if record then return record end
    if run:is_over() then
      run.task = id
      run:give_up("AS3", ("%s/task/%s"):format(ROOT, id))
    end
    run:pause "task"
  end
end

-- -- sending --------------------------------------------------------------------------------------

local BUSY <const> = 503

-- What an answer holds: one entry, or one for each declaration of an array. Each is a task that has
-- an id, or has ended already.
local function entries_of(answer)
  if type(answer) ~= "table" then return {} end
  return type(answer.items) == "table" and answer.items or { answer }
end

local function id_of(answer, entry)
  local id = type(entry) == "table" and entry.id
  return type(id) == "string" and (answer.items or first_message(entry) ~= nil) and id or nil
end

-- Whether everything was refused before a tenant was touched.
local function is_refusal(list)
  for _, one in ipairs(list) do
    local code <const> = type(one) == "table" and tonumber(one.code)
    local refused = (code == 422 or code == 400 or code == 404)
      and (type(one.tenant) ~= "string" or one.tenant == "")
    if not refused then return false end
  end
  return #list > 0
end

local function add(all, record)
  local list = type(record) == "table" and type(record.results) == "table" and record.results
    or { record }
  for _, one in ipairs(list) do
    if type(one) == "table" and record.dryRun and one.dryRun == nil then one.dryRun = true end
    all[#all + 1] = one
  end
end

local function refuse(run, err)
  local body = type(err.body) == "table" and err.body or nil
  local list = body and type(body.results) == "table" and body.results
  if body and type(body.items) == "table" and #body.items > 0 then
    list = {}
    for _, one in ipairs(body.items) do add(list, one) end
  end
  local found <const> = results.of(list or { body or { code = err.status, message = err.message } })
  if not found[1].code then found[1].code, found[1].ok = err.status, false end
  raise(run, {
    status = err.status, results = found, cause = not body and err or nil,
    message = results.message("AS3", found, is_refusal(list or { body or {} })),
  })
end

-- Sends the request until AS3 takes it. Returns the answer.
local function send(run)
  local request <const> = run.request
  while true do
    local ok, answer = run:try(request.method, request.path, {
      body = request.body, query = request.query, changes = not request.dry_run,
    })
    if ok then
      if not request.dry_run then run.posted = (run.posted or 0) + 1 end
      return answer
    end
    if answer.outcome == "unknown" then return { items = { { id = search(run, answer) } } } end
    if not calls.is_transient(answer) then
      if answer.status and (answer.kind == "invalid" or answer.kind == "not_found"
        or answer.kind == "protocol") then refuse(run, answer) end
      error(answer, 0)
    end
    if run:is_over() then error(answer, 0) end
    run:tell(answer.status == BUSY and "AS3 is busy" or "AS3 does not answer yet")
    run:pause "send"
  end
end

-- Whether a task only says that another one runs.
local function is_busy(record)
  local list = type(record.results) == "table" and record.results or {}
  return #list == 1 and type(list[1]) == "table" and tonumber(list[1].code) == BUSY
end

-- Sends the request and waits for all its tasks; again while AS3 is busy with another declaration.
local function carry_out(run)
  while true do
    local answer <const> = send(run)
    local entries <const>, all, busy = entries_of(answer), {}, false
    if #entries == 0 then
      raise(run, {
        outcome = "unknown",
        message = "the answer to the declaration is empty: how it ends is unknown",
      })
    end
    for _, entry in ipairs(entries) do
      local id <const> = id_of(answer, entry)
      if id then
        run.task = id
        local record <const> = wait(run, id)
        busy = #entries == 1 and is_busy(record)
        add(all, record)
      else
        add(all, entry)
      end
    end
    if not busy or run:is_over() then return all end
    run:tell "AS3 is busy"
    run:pause "busy"
  end
end

local function check_dry_run(run, found)
  for _, one in ipairs(found) do
    if one.ok and one.message ~= "no change" and not one.dry_run then
      raise(run, {
        outcome = "unknown", results = found,
        message = "AS3 does not say that this was a dry run: the declaration may have been applied",
      })
    end
  end
end

-- Takes back from the writes of the session what changed nothing: AS3 was busy, refused everything,
-- or found nothing to change.
local function count(run, found, refused)
  local changed = false
  for _, one in ipairs(found) do
    changed = changed or not refused and one.message ~= "no change" and one.code ~= BUSY
  end
  core.unchanged(run.bip, (run.posted or 0) - (changed and 1 or 0))
end

--- Carries out a request, and returns its results. Raises "declaration" if one failed.
-- @param request table: method, path, query, body, id, dry_run
function M.run(bip, request, options)
  local run <const> = calls.new(bip, kinds.find "as3", options)
  run.request = request
  local info <const> = extensions.info(run)
  if request.dry_run and not kinds.at_least(info.version, run.extension.dry_run) then
    error(core.error_new {
      kind = "unsupported", device = bip:label(), method = request.method, path = request.path,
      message = ("AS3 %s has no dry run that f5lua can rely on (it needs %s); nothing was sent")
        :format(tostring(info.version), run.extension.dry_run),
    }, 0)
  end
  run.before = known_tasks(run)
  local raw <const> = carry_out(run)
  local found <const> = results.of(raw)
  local refused <const> = is_refusal(raw)
  count(run, found, refused)
  if results.failed(found) > 0 then
    raise(run, {
      results = found, task = run.task, message = results.message("AS3", found, refused),
    })
  end
  if request.dry_run then check_dry_run(run, found) end
  return found
end

-- -- requests -------------------------------------------------------------------------------------

local function segment(name)
  return (name:gsub("[^%w%-%._~]", function(char) return ("%%%02X"):format(char:byte()) end))
end

local function in_path(tenants)
  local names = {}
  for i, name in ipairs(tenants or {}) do names[i] = segment(name) end
  return #names > 0 and "/" .. table.concat(names, ",") or ""
end

--- The request of a declaration.
-- @param form string: see kinds.of
function M.request(body, text, form, options)
  local query = { async = true }
  if options.show then query.show = options.show end
  if options.dry_run then
    query["controls.dryRun"], query["controls.logLevel"] = true, "debug"
  end
  local path = ROOT .. "/declare"
  if form == "applications" then
    if not options.tenant then
      core.usage_error(
        "declare: the declaration has applications and no tenant; name it: tenant = …"
      )
    end
    path = ("%s/%s/applications"):format(path, segment(options.tenant))
  elseif options.tenant then
    path = path .. in_path { options.tenant }
  end
  return {
    method = form == "patch" and "PATCH" or "POST", path = path, query = query,
    body = text or json.encode(body, { sort = true }),
    id = form == "one" and kinds.id_of(body) or nil,
    dry_run = options.dry_run or false,
  }
end

--- session:undeclare(tenants…)
function M.undeclare(bip, tenants, options)
  return M.run(bip, {
    method = "DELETE", path = ROOT .. "/declare" .. in_path(tenants), query = { async = true },
  }, options)
end

--- What is declared: the declaration, or nil.
function M.declared(bip, tenant, show)
  local run <const> = calls.new(bip, kinds.find "as3", { timeout = 60 })
  extensions.info(run)
  local path <const> = ROOT .. "/declare" .. in_path(tenant and { tenant } or nil)
  local ok, answer = pcall(bip.request, bip, "GET", path, { query = { show = show } })
  if ok then return answer ~= json.null and answer or nil end
  local err <const> = answer
  local is_none = type(err) == "table" and err.kind == "not_found"
    and (tostring(err.message):find "not found in declaration"
      or tostring(err.message):find "declaration in specified path not found")
  if is_none then return nil end
  error(err, 0)
end

return M
