-- Objects with a second key besides their name: self IPs (address) and routes (network).
local errors = require "sim.http.errors"

local M = {}

--- Refuses an object with the second key of another one.
function M.refuse(noun, key, partition)
  error(
    errors.tm(
      409,
      ("01020066:3: The requested %s (%s) already exists in partition %s."):format(
        noun,
        key,
        partition
      ),
      3
    ),
    0
  )
end

return M
