-- Lines of standard input, for a program that another f5lua has started. Other fibers go on
-- meanwhile.
local core = require "f5.core"

local M = {}

local MAX_LINE <const> = 256 << 20

--- Returns a function that returns the next line; nil at the end.
-- @param too_long function: called if a line has no end
-- @param most integer|nil: bytes of a line
function M.reader(too_long, most)
  most = most or MAX_LINE
  local rest = ""
  return function()
    local parts, length = { rest }, #rest
    while not parts[#parts]:find("\n", 1, true) do
      local piece = core.read_input()
      if not piece then return nil end
      parts[#parts + 1], length = piece, length + #piece
      if length > most then too_long() end
    end
    local line
    line, rest = table.concat(parts):match "^([^\n]*)\n(.*)$"
    return line
  end
end

return M
