-- Random writes with a change record, in a process of its own. It can kill itself at any write:
--
--   f5lua undo_run.lua SEED [before|after N]
--
-- "before": the record has the N-th write, the device has not. "after": the device has done it, the
-- record has no outcome.
package.path = arg[0]:match "^(.*)/walk/[^/]*$" .. "/?.lua;" .. package.path
local core = require "f5.core"
local f5 = require "f5"
local random = require "walk.random_changes"

local seed, point, at = tonumber(arg[1]), arg[2], tonumber(arg[3])
local bip <close> = f5.connect {}

local function kill()
  local stat <close> = assert(io.open("/proc/self/stat", "r"))
  os.execute("kill -KILL " .. stat:read "n")
end

if point then
  local count = 0
  local function look(write)
    if write.harmless then return end
    count = count + 1
    if count == at then kill() end
  end
  -- The recorder of the change record is there already: it is before this one, and after it.
  core.record(bip, {
    before = point == "before" and look or function() end,
    after = point == "after" and look or function() end,
  })
end

random.new(seed):run(bip)
