-- Objects that have a key beside their name, as self IPs (an address) and routes (a network).
local errors = require "sim.http.errors"

local M = {}

-- Self IPs and routes have a key beside their name: an address, a network.
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
