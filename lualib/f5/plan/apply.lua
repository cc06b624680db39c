-- Applies a plan: sends exactly its steps, after a look whether the device is still as the plan saw
-- it. Steps that fit a transaction are sent in one.

local core = require "f5.core"
local compare = require "f5.state.compare"
local drift = require "f5.plan.drift"
local files = require "f5.plan.file"
local json = require "f5.json"
local make = require "f5.plan.make"
local queue = require "f5.change.queue"
local validate = require "f5.plan.validate"
local steps = require "f5.plan.steps"

local M = {}


local function fail(message, fields)
  fields = fields or {}
  fields.kind, fields.message = fields.kind or "conflict", message
  error(core.error_new(fields), 0)
end

-- -- before the first write -----------------------------------------------------------------------

--- Raises unless the device is the one of the plan.
function M.check_device(session, device)
  local same, why = drift.same_device(device.identity, make.identity(session))
  if same == false then
    fail(("%s is not the device of the plan: %s"):format(session:label(), why), {
      device = session:label(),
    })
  end
  return same, why
end

--- The steps of a plan that nothing can take back.
-- @param device table: of the plan
function M.final_steps(device)
  local list = {}
  for _, step in ipairs(device.steps) do
    local plain = step.class == "rest" or step.class == "upload"
      or step.path:find "^/mgmt/tm/ltm/policy$" -- publishing a draft
      or require("f5.safe.declaration").is_one(step.path, step.method)
    if not plain then list[#list + 1] = step end
  end
  return list
end

-- -- groups of steps ------------------------------------------------------------------------------

-- Consecutive steps that one transaction can hold; with `single` each step is a group of its own.
local function groups_of(device, single)
  local groups, current, touched = {}, nil, {}
  for _, step in ipairs(device.steps) do
    local target = steps.target_of(step)
    local before = touched[target]
    local clash = before and (before == "DELETE" or step.method == "DELETE")
    local fits = not single and step.class == "rest" and not validate.outside(step)
    if not fits or clash or step.path:find "%${" then current, touched = nil, {} end
    if not fits then
      groups[#groups + 1] = { step }
    else
      if not current then
        current = { transaction = true }
        groups[#groups + 1] = current
      end
      current[#current + 1] = step
      touched[target] = step.method
    end
  end
  for _, group in ipairs(groups) do
    if #group == 1 then group.transaction = nil end
  end
  return groups
end

M.groups_of = groups_of

-- Whether an answer means that this user may not begin transactions, or that the device has none.
-- It may be busy, too.
local function is_refusal(err)
  local status = type(err) == "table" and err.status
  if not status or err.kind == "busy" or err.kind == "timeout" or err.kind == "not_ready" then
    return false
  end
  return status // 100 == 4 or status == 501
end

--- Raises if the plan has steps that are sent in a transaction, and the device does not begin one
--- for this user. Nothing is written.
-- @param otherwise string: how to send each step by itself
function M.check_transactions(session, device, otherwise)
  local count = 0
  for _, group in ipairs(groups_of(device)) do
    if group.transaction then count = count + #group end
  end
  if count == 0 then return end
  local began, tx = pcall(session.begin, session, { keep_alive = false })
  if began then return tx:rollback() end
  if not is_refusal(tx) then error(tx, 0) end
  fail(("nothing was sent: the device does not begin a transaction for this user, and %d of the %d "
    .. "steps belong into one (%s); %s"):format(count, #device.steps, tx.message, otherwise), {
      kind = tx.kind, device = session:label(),
    })
end

-- -- sending --------------------------------------------------------------------------------------

local function filled(text, answers)
  return text and (text:gsub("%${(%d+)%.([%w_]+)}", function(n, name)
    local answer = answers[tonumber(n)]
    local value = type(answer) == "table" and answer[name]
    if value == nil then
      fail(("the answer to step %s has no %s, which a later step needs"):format(n, name), {
        kind = "protocol",
      })
    end
    return tostring(value)
  end))
end

local function send(session, step, body)
  return session:request(step.method, step.path_now, { body = body ~= "" and body or nil })
end

local function upload(session, step, body)
  local name = os.tmpname()
  local file <close> = assert(io.open(name, "wb"))
  local done, why = file:write(body)
  file:close()
  if not done then fail("cannot write " .. tostring(why), { kind = "transfer" }) end
  local remote = step.path:gsub("%?.*", ""):match "([^/]+)$"
  local ok, answer = pcall(session.upload, session, name, {
    name = remote, to = steps.place_of(step.path),
  })
  os.remove(name)
  if not ok then error(answer, 0) end
  return answer
end

local function run_one(run, step)
  local session, body = run.session, filled(files.body_of(step), run.answers)
  step.path_now = filled(step.path, run.answers)
  if step.class == "upload" then return upload(session, step, body) end
  if step.class == "task" then
    local kind = step.path_now:match "^/mgmt/tm/task/([^?]+)"
    return session:task(kind, json.decode(body)):wait()
  end
  if step.class == "declaration" and step.method == "POST" then return session:declare(body) end
  return send(session, step, body)
end

local function run_transaction(run, group)
  local session, commands = run.session, {}
  for i, step in ipairs(group) do
    step.path_now = filled(step.path, run.answers)
    commands[i] = {
      method = step.method, path = step.path_now, where = step.line,
      body = filled(files.body_of(step), run.answers),
    }
  end
  local tx <close> = session:begin()
  local refused, problem = queue.commands(session, tx, commands, true)
  if refused then error(problem, 0) end
  tx:commit()
end

--- Sends the steps of a plan.
-- @param session f5.session
-- @param device table: of the plan
-- @param progress function(group, done)|nil: before and after each group
-- @param single boolean|nil: each step by itself, no transactions
-- @return array of the steps that were carried out
function M.run(session, device, progress, single)
  local run = { session = session, answers = {}, done = {} }
  progress = progress or function() end
  for _, group in ipairs(groups_of(device, single)) do
    progress(group, false)
    if group.transaction then
      run_transaction(run, group)
    else
      run.answers[group[1].n] = run_one(run, group[1])
    end
    table.move(group, 1, #group, #run.done + 1, run.done)
    progress(group, true)
  end
  return run.done
end

-- -- afterwards -----------------------------------------------------------------------------------

-- The properties that the plan itself sets, by path. Others are the device's own choice.
local function all_given(device)
  local by_path = {}
  for _, step in ipairs(device.steps) do
    local target = steps.target_of(step)
    local names = by_path[target] or {}
    by_path[target] = names
    for name in pairs(steps.body_of(step) or {}) do names[name] = true end
  end
  return by_path
end

-- Why an object is not as planned; nil: it is.
local function deviation(path, object, now, given)
  if object.after and not now then
    return { path = path, kind = object.kind, what = "missing", given = true }
  elseif not object.after and now then
    return { path = path, kind = object.kind, what = "exists", given = true }
  elseif not now then
    return nil
  end
  local changes, is_given = compare.objects(object.kind, object.after, now), false
  for _, change in ipairs(changes) do
    is_given = is_given or given ~= nil and given[change.keys[1]] or false
  end
  return #changes > 0 and {
    path = path, kind = object.kind, what = "differs", changes = changes, given = is_given,
  } or nil
end

--- Reads every object back and compares it with the plan.
-- @return array of { path, kind, what = "missing"|"exists"|"differs", changes, given = true if a
--   value that the plan sets differs }; empty: everything is as planned
function M.read_back(session, device)
  local found, paths, results, given = {}, {}, {}, all_given(device)
  for path in pairs(device.objects) do paths[#paths + 1] = path end
  table.sort(paths)
  local at = 0
  local function worker()
    while at < #paths do
      at = at + 1
      local path = paths[at]
      local object = device.objects[path]
      local now = drift.load(session, path, object.kind)
      results[path] = deviation(path, object, now, given[path])
    end
  end
  core.all { worker, worker, worker, worker }
  for _, path in ipairs(paths) do found[#found + 1] = results[path] end
  return found
end

return M
