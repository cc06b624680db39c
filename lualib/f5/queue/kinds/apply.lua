-- The kind "apply": sends exactly the steps of a plan to a device. The plan was made by a check in
-- the queue, or by `f5lua plan`.

local apply = require "f5.plan.apply"
local archive = require "build.archive"
local calls = require "f5.queue.calls"
local core = require "f5.core"
local drift = require "f5.plan.drift"
local plans = require "f5.plan.file"
local words = require "f5.safe.words"

local M = {}

-- The plans of a file, in the archive: entry -> text.
local function plans_in(row, content)
  if core.sha256(row.contents) ~= content.archive then
    core.usage_error "its plans are not those of its manifest"
  end
  local entries, why = archive.read(row.contents)
  if not entries then core.usage_error("the plans do not unpack: " .. why) end
  local found = {}
  for _, entry in ipairs(entries) do
    if entry.kind == "asset" then found[entry.name] = entry.contents end
  end
  return found
end

--- The plans are those of a check (`checked`, its run), or of a file (`plans`).
function M.open(content, row)
  local of <const> = (content.options or {}).apply_of
  if math.type(of) == "integer" then return { checked = of } end
  return { plans = plans_in(row, content) }
end

-- The plan that was there when the run was submitted.
local function plan_of(job, run, device)
  local wanted <const> = device.plan or {}
  local name <const> = run.checked and ("the plan for %s in run %d"):format(device.name,
    run.checked) or "the plan for " .. device.name
  local text
  if run.checked then
    text = job:ask(function(db) return calls.plan(db, run.checked, wanted.position) end)
  else
    text = run.plans[wanted.entry]
  end
  if not text then core.usage_error(name .. " is not there any more") end
  if core.sha256(text) ~= wanted.sha256 then
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
  conflict("nothing was sent: the device has changed since the plan was made (%s)%s",
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
