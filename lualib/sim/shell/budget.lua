-- What a script of the device's shell may use: commands, bytes, depth and processor time. One
-- thread serves all requests, so an endless script must not stop the device.
--
-- Shells that a script starts share its budget. A script that needs more raises a stop, which
-- `is_stop` recognizes.
local turns = require "sim.turns"

local M = {}

M.MAX_COMMANDS = 20000
M.MAX_BYTES = 64 << 20  -- read, written and expanded
M.MAX_FILE = 16 << 20  -- of one file that a program reads
M.MAX_DEPTH = 50  -- substitutions, scripts and subshells inside of each other
M.MAX_SECONDS = 0.6  -- of processor time, so that a busy machine does not count

local STEPS <const> = 1024  -- so many, and the time is checked

local Budget <const> = {}
Budget.__index = Budget

--- @param limits table|nil: { commands =, seconds = } instead of those above
function M.new(limits)
  limits = limits or {}
  return setmetatable({
    commands = 0, bytes = 0, steps = 0, depth = 0, started = turns.clock(),
    max_commands = limits.commands or M.MAX_COMMANDS, max_seconds = limits.seconds or M.MAX_SECONDS,
  }, Budget)
end

--- Begins anew, for a script that has waited.
function Budget:restart()
  self.commands, self.bytes, self.started = 0, 0, turns.clock()
end

local function stop(format, ...)
  error({ stop = format:format(...) }, 0)
end

function M.is_stop(problem)
  return type(problem) == "table" and problem.stop ~= nil
end

-- Checks the time. Loops over many lines call it now and then.
function Budget:tick()
  turns.pause()
  if turns.clock() - self.started > self.max_seconds then stop("the script takes too long") end
end

function Budget:command()
  self.commands = self.commands + 1
  if self.commands > self.max_commands then
    stop("the script runs more than %d commands", self.max_commands)
  end
  self:tick()
end

-- Counts bytes. Programs do so for each line, so the time is checked now and then.
function Budget:spend(bytes)
  self.bytes, self.steps = self.bytes + bytes, self.steps + 1
  if self.steps % STEPS == 0 then self:tick() end
  if self.bytes > M.MAX_BYTES then
    stop("the script handles more than %d bytes", M.MAX_BYTES)
  end
end

-- Calls run(...) one level deeper.
function Budget:deeper(run, ...)
  self.depth = self.depth + 1
  if self.depth > M.MAX_DEPTH then
    stop("the script nests more than %d levels", M.MAX_DEPTH)
  end
  run(...)
  self.depth = self.depth - 1
end

return M
