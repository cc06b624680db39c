-- Standard output of subcommands: output(text, …) writes, output.flush() flushes. Both end the
-- program with an error if that fails.
local fail = require "f5.fail"
local terminal = require "f5.terminal"

-- EPIPE: the reader has ended. The signal that came with it ends the program without a message.
local BROKEN_PIPE <const> = 32

local function check(done, why, code)
  if not done and code ~= BROKEN_PIPE then fail("cannot write to standard output: %s", why) end
end

return setmetatable({ flush = function() check(io.stdout:flush()) end }, {
  __call = function(_, ...) check(terminal.out(...)) end,
})
