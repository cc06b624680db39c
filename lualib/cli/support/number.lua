-- Converters for options with a number. Their messages name the option.
local M = {}

local function converter(option, what, read)
  return function(text)
    local value = read(text)
    if value == nil then return nil, ("%s must be %s, not '%s'"):format(option, what, text) end
    return value
  end
end

--- A whole number: converter for parser:option.
function M.whole(option, what)
  return converter(option, what or "a whole number", math.tointeger)
end

--- Any number.
function M.any(option, what) return converter(option, what or "a number", tonumber) end

return M
