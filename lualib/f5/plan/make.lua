-- Makes a plan of what a check found.

local core = require "f5.core"
local findings = require "f5.plan.findings"
local json = require "f5.json"
local reads = require "f5.plan.reads"
local steps = require "f5.plan.steps"

local M = {}

local function fail(message) error(core.error_new { kind = "usage", message = message }, 0) end

--- Who a device is: { hostname, version, serial }; empty if the user may not read it.
function M.identity(session)
  local ok, list = pcall(function() return session.cm.device:list() end)
  if not ok then
    if type(list) == "table" and list.kind == "cancelled" then error(list, 0) end
    return {}
  end
  for _, one in ipairs(list) do
    if one.selfDevice == "true" or one.selfDevice == true or #list == 1 then
      return { hostname = one.hostname, version = one.version, serial = one.chassisId }
    end
  end
  return {}
end

-- -- steps ----------------------------------------------------------------------------------------

-- Writes of one upload become one step.
local function add_upload(list, step, open)
  local name = step.path:gsub("%?.*", "")
  if open[name] and not tostring(step.range):find "^0%-" then
    open[name].body = open[name].body .. (step.body or "")
    return
  end
  open[name] = {
    n = #list + 1, line = step.line, class = "upload", method = "POST", path = step.path,
    body = step.body or "", uncertain = step.uncertain,
  }
  list[#list + 1] = open[name]
end

-- The transactions that were committed.
local function committed(device)
  local done = {}
  for _, step in ipairs(device.steps) do
    local id = step.ok and steps.class_of(step.path) == "transaction" and step.method == "PATCH"
      and step.path:match "/transaction/(%d+)$"
    local body = id and steps.body_of(step)
    if body and body.state == "VALIDATING" and not body.validateOnly then done[id] = true end
  end
  return done
end

-- Ids that the twin gave are replaced by the step that will give them: "${3._taskId}".
local function note_ids(ids, step, n)
  if step.method ~= "POST" or not step.answer then return end
  local ok, answer = pcall(json.decode, step.answer)
  if not ok or type(answer) ~= "table" then return end
  for _, name in ipairs { "id", "_taskId" } do
    local id = answer[name]
    local text = tostring(id)
    local made = id ~= nil and #text >= 8 and not (step.body or ""):find(text, 1, true)
    if made and (math.type(id) == "integer" or type(id) == "string") then
      ids[#ids + 1] = { value = tostring(id), placeholder = ("${%d.%s}"):format(n, name) }
    end
  end
end

local function with_placeholders(text, ids)
  for _, id in ipairs(ids) do
    text = text and text:gsub("%f[%w_-]" .. id.value:gsub("%p", "%%%0") .. "%f[^%w_-]",
      (id.placeholder:gsub("%%", "%%%%")))
  end
  return text
end

local function refuse_gaps(device)
  local gap = device.not_simulated[1]
  if not gap then return end
  fail(("%s: there is no plan of this playbook, because %s %s is not simulated: %s"):format(
    gap.line, gap.method, gap.path, gap.reason
  ))
end

local function steps_of(device)
  local list, open, ids, done = {}, {}, {}, committed(device)
  for _, step in ipairs(device.steps) do
    local class = steps.class_of(step.path)
    local counts = step.ok and not step.harmless and class ~= "transaction"
      and (not step.transaction or done[step.transaction])
    if class == "task" and step.method ~= "POST" then counts = false end
    if counts and class == "upload" then
      add_upload(list, step, open)
    elseif counts then
      local n = #list + 1
      if class == "rest" and steps.is_command(step) then class = "commands" end
      list[n] = {
        n = n, line = step.line, class = class, method = step.method,
        path = with_placeholders(step.path, ids), body = with_placeholders(step.body, ids),
        transaction = step.transaction, validation = step.validation, uncertain = step.uncertain,
      }
      note_ids(ids, step, n)
    end
  end
  return json.array(list)
end

-- -- the plan of a device -------------------------------------------------------------------------

-- What the steps write: as it was, and as it will be.
local function objects_of(report)
  local objects = {}
  for _, entry in ipairs(report.differences) do
    objects[entry.path] = { kind = entry.kind, before = entry.before, after = entry.after }
  end
  return objects
end

local function shown(report)
  local text = require("f5.state.show").text({
    differences = report.differences, not_compared = report.not_compared,
  }, "json")
  return json.decode(text).differences
end

--- Returns the plan of one checked device.
-- @param device f5.plan.checked_device
-- @param identity table|nil: of the device that is meant, if there was only a file
function M.device(device, identity)
  refuse_gaps(device)
  local report = findings.of(device)
  local objects = objects_of(report)
  local seen, unwatched = reads.of(device, objects)
  local assumed = json.array {}
  for i, one in ipairs(device.report.assumed or {}) do
    assumed[i] = { path = one.path, property = one.property, reason = one.reason }
  end
  return {
    label = device.label, host = not identity and device.options.host or nil,
    port = not identity and device.options.port or nil,
    identity = identity or M.identity(device.real),
    steps = steps_of(device), objects = objects, reads = seen, unwatched = unwatched,
    assumed = assumed, left_out = device.left_out, differences = shown(report),
  }, report
end

--- Returns the plan of a check.
-- @param result what f5.plan.check returned, validated
-- @param made table: playbook, arguments, against (the file that stood for the device)
-- @param identity table|nil: of the device that the file came from
function M.plan(result, made, identity)
  local devices = json.array {}
  for i, device in ipairs(result.devices) do devices[i] = M.device(device, identity) end
  return M.whole(devices, made)
end

--- Returns the plan of these devices.
function M.whole(devices, made)
  made.time = os.date "!%Y-%m-%dT%H:%M:%SZ"
  made.f5lua = core.version
  return { plan = 1, made = made, devices = json.array(devices) }
end

return M
