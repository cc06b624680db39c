-- Standard output of subcommands: output(text, …) writes, output.flush() brings it to its place
-- now; both end the program with an error when that is not possible.
local fail = require "f5.fail"

-- EPIPE: nobody reads any more; the signal that came with it ends the program, quietly
local BROKEN_PIPE <const> = 32

local function check(done, why, code)
  if not done and code ~= BROKEN_PIPE then fail("standard output could not be written: %s", why) end
end

return setmetatable({ flush = function() check(io.stdout:flush()) end }, {
  __call = function(_, ...) check(io.stdout:write(...)) end,
})
