-- Handles of long work that ASM does on its own: state, result, wait, delete, as every task has them.
local core = require "f5.core"

local M = {}

local Task <const> = {}
Task.__index = Task

local FIRST_PAUSE <const>, LONGEST_PAUSE <const> = 0.2, 5

--- A handle of what `reference` points to. family: { done = { STATUS = true }, failed = { STATUS = true }, result = function(body) },
--- keep = true if it is no task of its own, so that nothing is to be deleted.
function M.handle(reference, family, body)
  return setmetatable({ reference = reference, family = family, body = body }, Task)
end

function Task:__tostring() return "task " .. tostring(self.reference) end

function Task:load()
  self.body = self.reference:load()
  return self.body
end

--- The device's word for where the work stands.
function Task:state() return self:load().status end

local function failure(self)
  local result <const> = self.body.result
  local message <const> = type(result) == "table" and result.message or ("the device says %s"):format(tostring(self.body.status))
  error(core.error_new {
    kind = "task", message = message, method = "GET", path = tostring(self.reference), cause = result,
  }, 0)
end

--- Removes the task from the device.
function Task:delete()
  if self.deleted or self.family.keep then return end
  self.deleted = true
  self.reference:delete()
end

--- The result of work that is done; raises what failed.
function Task:result()
  local body = self.body
  if not self.family.done[body.status] and not self.family.failed[body.status] then body = self:load() end
  if self.family.failed[body.status] then failure(self) end
  if not self.family.done[body.status] then
    core.usage_error(2, ("the task has no result yet: it is %s"):format(tostring(body.status)))
  end
  return self.family.result(body)
end

--- Waits until the work is done and returns its result. options: timeout (seconds, 600), interval (seconds between two looks),
--- progress (function(state, seconds)), keep (leave the task on the device).
function Task:wait(options)
  options = options or {}
  local limit <const>, waited, pause = options.timeout or 600, 0, options.interval or FIRST_PAUSE
  while true do
    local status <const> = self:state()
    if options.progress then options.progress(status, waited) end
    if self.family.done[status] or self.family.failed[status] then break end
    if waited >= limit then
      error(core.error_new {
        kind = "timeout", message = ("not done after %g seconds; it goes on as %s"):format(limit, tostring(self.reference)),
        path = tostring(self.reference),
      }, 0)
    end
    require("f5").sleep(math.min(pause, limit - waited))
    waited = waited + pause
    if not options.interval then pause = math.min(pause * 1.5, LONGEST_PAUSE) end
  end
  local ok <const>, result <const> = pcall(self.result, self)
  if not options.keep then self:delete() end
  if not ok then error(result, 0) end
  return result
end

M.families = {
  asm = {
    done = { COMPLETED = true }, failed = { FAILURE = true },
    result = function(body) return body.result or {} end,
  },
  live_update = {
    done = { ["install-complete"] = true, installed = true, staged = true }, failed = { error = true, ERROR = true }, keep = true,
    result = function(body) return body end,
  },
}

return M
