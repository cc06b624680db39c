-- Tasks of ASM. A task is NEW after the POST, STARTED a moment later, and COMPLETED or FAILURE with
-- a result at the end.
--
-- The modules below have the work of each kind of task: run(device, object, user) returns the
-- result (or nil), and refuses what fails. check(device, object), if there is one, refuses a POST.
local entity = require "sim.asm.entity"
local reference = require "sim.asm.tasks.reference"
local tree = require "sim.asm.tree"

local M = {}

local modules <const> = {}
for i, name in ipairs { "policy", "diff", "signature", "vulnerability", "secret" } do
  modules[i] = require("sim.asm.tasks." .. name)
end

-- Microseconds from the POST until the start and the end of a task.
local STARTS <const> = 20000
local DONE <const> = 150000

-- The function `run` or `check` of a kind of task, or nil.
local function find(list, kind)
  for _, module in ipairs(modules) do
    if module[list][kind] then return module[list][kind] end
  end
  return nil
end

--- Makes a task in a collection of them.
function M.create(collection, body, request)
  local device, spec = collection.device, collection.spec
  local object = entity.create(spec, body)
  for name, value in pairs(object) do
    if name:find("PolicyReference$") or name == "policyReference" then
      object[name] = reference.of(reference.policy(device, value))
    end
  end
  local check = find("check", spec.task)
  if check then check(device, object) end
  local asm, now = device.state.asm, device:now()
  asm.tasks_made = (asm.tasks_made or 0) + 1
  object._serial, object.status, object.startTime = asm.tasks_made, "NEW", entity.iso(now)
  object._user = request.user and { name = request.user.name } or nil
  local made = collection:insert(object, device.hostname)
  device:schedule(now + STARTS, "asm-task-starts", { link = made:link() })
  device:schedule(now + DONE, "asm-task-ends", { link = made:link() })
  return made
end

--- Starts a task that was made a moment ago.
function M.start(device, data)
  local context = tree.follow(device, data.link)
  if not context then return end
  local object = context.record.data
  object.status, object.executionStartTime = "STARTED", entity.iso(device:now())
  object.lastUpdateMicros = entity.task_micros(device:now())
end

--- Does the work of a task, and keeps its result.
function M.finish(device, data)
  local context = tree.follow(device, data.link)
  if not context then return end
  local object = context.record.data
  local ok, result = xpcall(find("run", context.spec.task), function(problem)
    if type(problem) == "table" and problem.refused then return problem end
    return debug.traceback(tostring(type(problem) == "table" and problem.odata or problem), 2)
  end, device, object, object._user)
  object.endTime = entity.iso(device:now())
  object.lastUpdateMicros = entity.task_micros(device:now())
  if ok then
    object.status, object.result = "COMPLETED", result
  else
    object.status = "FAILURE"
    object.result =
      { message = type(result) == "table" and result.refused or "There was an internal error." }
    if type(result) ~= "table" then device:complain(result) end
  end
end

return M
