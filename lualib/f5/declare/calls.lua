-- Calls to extensions that are busy, restart, or are not registered yet: they are repeated until
-- the time is over. A write whose outcome is unknown is never repeated here.

local core = require "f5.core"

local M = {}

local FIRST_PAUSE <const>, MAX_PAUSE <const> = 0.2, 10

---@class f5.declare.run
---@field bip f5.session
---@field extension f5.declare.extension
---@field limit number seconds
---@field began number
---@field progress? function(state, seconds)
local Run = {}
Run.__index = Run

--- Begins to count the time.
-- @param options table: timeout (seconds), progress
function M.new(bip, extension, options)
  return setmetatable({
    bip = bip, extension = extension, limit = options.timeout or 1800, began = core.now(),
    progress = options.progress,
  }, Run)
end

function Run:passed() return core.now() - self.began end

function Run:is_over() return self:passed() >= self.limit end

--- Tells the script how far it is.
function Run:tell(state)
  self.state = state
  if self.progress then self.progress(state, self:passed()) end
end

--- Waits before the next try; each pause is longer. `key`: what is waited for.
function Run:pause(key)
  if self.waiting ~= key then self.waiting, self.next = key, FIRST_PAUSE end
  local most <const> = math.max(0, self.limit - self:passed())
  core.real_sleep(math.min(self.next, most))
  self.next = math.min(self.next * 1.5, MAX_PAUSE)
end

--- The error of a time that is over.
function Run:timeout(fields)
  fields.kind, fields.device = "timeout", self.bip:label()
  return core.error_new(fields)
end

-- Ends the wait for a task whose time is over. `name`: what goes on with it.
function Run:give_up(name, path)
  error(self:timeout {
    method = "GET", path = path, outcome = "unknown", cause = self.last, task = self.task,
    message = ("not done after %g s (%s); %s continues: GET %s shows the result"):format(
      self.limit, self.state or "no answer", name, path),
  }, 0)
end

-- What an extension answers while it, or the device, restarts.
local TRANSIENT <const> = {
  not_ready = true, busy = true, transport = true, timeout = true, protocol = true, tls = false,
}

--- Whether waiting may help after an error. A 400 "roleEval may not be null." comes from a device
--- that starts.
function M.is_transient(err)
  if type(err) ~= "table" then return false end
  if err.kind == "invalid" and tostring(err.message):find("roleEval may not be null", 1, true) then
    return true
  end
  return TRANSIENT[err.kind] or false
end

--- One call, which is not repeated here: who waits says so to the script. Returns true and the
--- answer, or false and the error. Raises what no declaration can handle, such as a cancellation.
-- @param options table|nil: of session:request; retry = true repeats the call as the session does
function Run:try(method, path, options)
  options = options or {}
  if options.retry == nil then options.retry = false end
  local ok, answer = pcall(self.bip.request, self.bip, method, path, options)
  if ok then return true, answer end
  local err <const> = answer
  if type(err) ~= "table" or err.kind == "cancelled" or err.kind == "usage"
    or err.kind == "not_simulated" or err.kind == "not_recorded"
  then
    error(err, 0)
  end
  return false, err
end

return M
