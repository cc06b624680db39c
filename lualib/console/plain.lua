--- Entries from input that is not a terminal: line by line, without a prompt.

local Plain = {}
Plain.__index = Plain

function Plain.new() return setmetatable({}, Plain) end

--- @return line; or nil, "eof"
function Plain.read()
  local line = io.read "l"
  if not line then return nil, "eof" end
  return line
end

function Plain.done() end

return Plain
