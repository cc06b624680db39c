-- The kind "check": what the playbook would do to a device. Nothing is written; the plan is stored.

local calls = require "f5.queue.calls"
local checkers = require "f5.queue.checks.checkers"
local core = require "f5.core"
local run_kind = require "f5.queue.kinds.run"

local M = { reads_only = true }

function M.open(content, row)
  local run <const> = run_kind.open(content, row)
  run.archive = row.contents
  return run
end

local function is_empty(answer) return answer.changes == 0 and answer.steps == 0 end

local function summary(answer)
  if is_empty(answer) then return "no changes" end
  return ("would make %d change%s with %d step%s"):format(
    answer.changes, answer.changes == 1 and "" or "s", answer.steps, answer.steps == 1 and "" or "s"
  )
end

function M.work(job, run, device, _, options)
  run.checker = run.checker or checkers.new(run, job.lease)
  local answer <const> = run.checker:check(device, options)
  for _, line in ipairs(answer.printed or {}) do job:print(line) end
  job.usage.calls, job.usage.bytes = answer.calls or 0, answer.bytes or 0
  if answer.skipped then return { skipped = answer.skipped } end
  if answer.problem then
    local problem <const> = answer.problem
    problem.message = "not checked to its end: " .. tostring(problem.message)
    return { problem = problem }
  end
  local is_kept <const> = job:ask(function(db)
    return calls.save_plan(db, job.worker, job, answer.plan)
  end)
  if not is_kept then core.usage_error "the lease of the job was lost" end
  local result <const> = {
    text = summary(answer), changes = answer.changes, steps = answer.steps, final = answer.final,
    findings = is_empty(answer) and "" or answer.text,
  }
  return { result = result, problem = answer.rejected }
end

return M
