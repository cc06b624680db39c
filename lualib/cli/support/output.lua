-- Standard output of subcommands: output(text, …) writes, and ends the program with an error when that is not possible.
local fail = require "f5.fail"

local BROKEN_PIPE <const> = 32 -- EPIPE: nobody reads any more; the signal that came with it ends the program, quietly

return function(...)
  local written, why, code = io.stdout:write(...)
  if not written and code ~= BROKEN_PIPE then fail("standard output could not be written: %s", why) end
end
