-- The kind "apply": sends exactly the steps of the plan that a check made for a device.

local apply = require "f5.plan.apply"
local calls = require "f5.queue.calls"
local core = require "f5.core"
local drift = require "f5.plan.drift"
local plans = require "f5.plan.file"
local words = require "f5.safe.words"

local M = {}

function M.open(content)
  local of <const> = (content.options or {}).apply_of
  if math.type(of) ~= "integer" then
    core.usage_error "its manifest does not say which check it applies"
  end
  return { checked = of }
end

-- The plan that was there when the run was submitted.
local function plan_of(job, run, device)
  local text = job:ask(function(db) return calls.plan(db, run.checked, device.plan.position) end)
  local name <const> = ("the plan for %s in run %d"):format(device.name, run.checked)
  if not text then core.usage_error(name .. " is not there any more") end
  if core.sha256(text) ~= device.plan.sha256 then
    core.usage_error(name .. " has changed since the run was submitted")
  end
  return plans.parse(text, name).devices[1]
end

local function conflict(format, ...)
  error(core.error_new { kind = "conflict", message = format:format(...) }, 0)
end

local function refuse_drift(job, bip, plan)
  local found <const> = drift.find(bip, plan)
  if #found == 0 then return end
  local paths = {}
  for i, one in ipairs(found) do paths[i] = one.path and words.name(one.path) or one.what end
  conflict("nothing was sent: the device has changed since the check (%s)%s",
    table.concat(paths, ", "), job.attempt > 1
      and "; an attempt before this one may have sent steps, see its change record" or "")
end

local function deviations(bip, plan)
  local list = {}
  for _, one in ipairs(apply.read_back(bip, plan)) do
    if one.given then list[#list + 1] = words.name(one.path) .. " " .. one.what end
  end
  return list
end

function M.work(job, run, device, bip)
  local plan <const> = plan_of(job, run, device)
  apply.check_device(bip, plan)
  refuse_drift(job, bip, plan)
  apply.check_transactions(bip, plan, "the user needs the right to begin one")
  local done <const> = apply.run(bip, plan)
  local save <const> = run.options.save and #done > 0
  if save then bip.sys.config:run "save" end
  local wrong <const> = deviations(bip, plan)
  local result <const> = {
    text = ("sent %d step%s"):format(#done, #done == 1 and "" or "s"), steps = #done,
    saved = save or nil,
  }
  if #wrong == 0 then return { result = result } end
  return {
    result = result, problem = "all steps were sent, but not everything is as planned: "
      .. table.concat(wrong, ", "),
  }
end

return M
