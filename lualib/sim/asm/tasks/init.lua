-- Tasks of ASM: NEW when asked for, STARTED a moment later, COMPLETED or FAILURE when done, with a
-- result.
--
-- What a task does stands in `M.run`, one function a kind: run(device, object, user) returns the
-- result (or nil), and refuses what fails. It is done at once, when its time has come.
local entity = require "sim.asm.entity"
local hooks = require "sim.asm.hooks"
local tree = require "sim.asm.tree"

local M = {}

-- Microseconds until a task starts, and until it is done.
local STARTS <const> = 20000
local DONE <const> = 150000

--- kind of task -> function
M.run = {}
--- kind of task -> function(device, object) that refuses the POST
M.check = {}

--- The policy that a reference means. Refuses one that is not there.
function M.policy(device, reference)
  local policy <const> = tree.follow(device, reference)
  if not policy or policy.policy ~= policy then
    entity.refuse(
      ("Could not find the policy '%s'."):format(
        tostring(type(reference) == "table" and reference.link)
      )
    )
  end
  return policy
end

--- A reference to a policy, as tasks send it.
function M.reference(policy)
  return { link = policy:link(), fullPath = policy.record.data.fullPath }
end

local function create(collection, body, request)
  local device <const>, spec <const> = collection.device, collection.spec
  local object <const> = entity.create(spec, body)
  for name, value in pairs(object) do
    if name:find("PolicyReference$") or name == "policyReference" then
      object[name] = M.reference(M.policy(device, value))
    end
  end
  if M.check[spec.task] then M.check[spec.task](device, object) end
  local asm <const>, now <const> = device.state.asm, device:now()
  asm.tasks_made = (asm.tasks_made or 0) + 1
  object._serial, object.status, object.startTime = asm.tasks_made, "NEW", entity.iso(now)
  object._user = request.user and { name = request.user.name } or nil
  local made <const> = collection:insert(object, device.hostname)
  device:schedule(now + STARTS, "asm-task-starts", { link = made:link() })
  device:schedule(now + DONE, "asm-task-ends", { link = made:link() })
  return made
end

local function start(device, data)
  local context <const> = tree.follow(device, data.link)
  if not context then return end
  local object <const> = context.record.data
  object.status, object.executionStartTime = "STARTED", entity.iso(device:now())
  object.lastUpdateMicros = entity.micros(device:now())
end

local function finish(device, data)
  local context <const> = tree.follow(device, data.link)
  if not context then return end
  local object <const> = context.record.data
  local ok <const>, result <const> = xpcall(M.run[context.spec.task], function(problem)
    if type(problem) == "table" and problem.refused then return problem end
    return debug.traceback(tostring(type(problem) == "table" and problem.odata or problem), 2)
  end, device, object, object._user)
  object.endTime, object.lastUpdateMicros = entity.iso(device:now()), entity.micros(device:now())
  if ok then
    object.status, object.result = "COMPLETED", result
  else
    object.status = "FAILURE"
    object.result =
      { message = type(result) == "table" and result.refused or "There was an internal error." }
    if type(result) ~= "table" then device:complain(result) end
  end
end

function M.install(device)
  hooks.attach_tasks(create)
  device:on("asm-task-starts", start)
  device:on("asm-task-ends", finish)
end

return M
