-- The clock of a check. A playbook that sleeps does not wait: the time of its world moves on. That
-- is the time of the twins, of f5.sleep, os.time, os.date and os.clock.
--
-- Fibers sleep side by side. Time moves on to the earliest end of a sleep when all others had the
-- chance to do something.

local core = require "f5.core"

local M = {}

local TURN <const> = 0.002 -- s of real time that other fibers get before time moves on
local STUCK <const> = 3600 -- s of that time without a change

local Clock = {}
Clock.__index = Clock

--- Starts it: replaces f5.sleep and the functions of `os`. Closing it brings them back.
-- @param move function(seconds): moves the clocks of the twins
-- @param where function() -> string: the line of the script that is running
function M.start(move, where)
  local f5 = require "f5"
  local self = setmetatable({
    now = 0, changed = 0, sleepers = {}, move = move, where = where,
    saved = {
      sleep = f5.sleep, core_sleep = core.sleep, time = os.time, date = os.date, clock = os.clock,
    },
  }, Clock)
  local saved = self.saved
  local function sleep(seconds)
    if math.type(seconds) == nil or seconds ~= seconds or seconds < 0 then
      return saved.sleep(seconds) -- raises what it always raises
    end
    self:sleep(seconds)
  end
  f5.sleep, core.sleep = sleep, sleep
  rawset(os, "time", function(table)
    if table ~= nil then return saved.time(table) end
    return saved.time() + math.floor(self.now)
  end)
  rawset(os, "date", function(format, time) return saved.date(format, time or os.time()) end)
  rawset(os, "clock", function() return saved.clock() + self.now end)
  return self
end

-- The earliest end of a sleep.
local function earliest(sleepers)
  local first
  for target in pairs(sleepers) do
    local is_before = not first or target.at < first.at
      or target.at == first.at and target.order < first.order
    if is_before then first = target end
  end
  return first
end

local function advance(self, to)
  local seconds <const> = to - self.now
  if seconds <= 0 then return end
  self.now = to
  self.move(seconds)
end

function Clock:sleep(seconds)
  self.order = (self.order or 0) + 1
  local mine <const> = { at = self.now + seconds, order = self.order }
  if mine.at - self.changed > STUCK then
    error(core.error_new {
      kind = "timeout",
      message = (
        "%s waits, and nothing has changed for an hour of the check's time: a check cannot wait "
        .. "for what happens outside of it"
      ):format(self.where()),
    }, 0)
  end
  self.sleepers[mine] = true
  local ok, problem = pcall(function()
    repeat
      self.saved.core_sleep(TURN)
      if mine.at > self.now and earliest(self.sleepers) == mine then advance(self, mine.at) end
    until mine.at <= self.now
  end)
  self.sleepers[mine] = nil
  if not ok then error(problem, 0) end
end

--- Notes that something has changed.
function Clock:touch() self.changed = self.now end

function Clock:stop()
  local saved, f5 = self.saved, require "f5"
  if not saved then return end
  self.saved = nil
  f5.sleep, core.sleep = saved.sleep, saved.core_sleep
  for _, name in ipairs { "time", "date", "clock" } do rawset(os, name, saved[name]) end
end

Clock.__close = Clock.stop

return M
