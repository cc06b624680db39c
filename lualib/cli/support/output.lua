-- Standard output of subcommands: output(text, …) writes, output.line(text, …) writes a line,
-- output.flush() flushes. All end the program with an error if that fails.
local fail = require "f5.fail"
local terminal = require "f5.terminal"

-- EPIPE: the reader has ended. The signal that came with it ends the program without a message.
local BROKEN_PIPE <const> = 32

local function check(done, why, code)
  if not done and code ~= BROKEN_PIPE then fail("cannot write to standard output: %s", why) end
end

local M = {}

--- Writes and flushes. Returns whether that worked; the next call of `flush` ends the program then.
function M.try(...)
  return (terminal.out(...) and io.stdout:flush()) ~= nil
end

function M.flush() check(io.stdout:flush()) end

function M.line(...)
  check(terminal.out(...))
  check(terminal.out "\n")
end

return setmetatable(M, { __call = function(_, ...) check(terminal.out(...)) end })
