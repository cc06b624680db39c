-- Converters for options with a number. Their messages name the option.
local M = {}

local function converter(option, what, read)
  return function(text)
    local value = read(text)
    if value == nil then return nil, ("%s must be %s, not '%s'"):format(option, what, text) end
    return value
  end
end

local function whole(text)
  local value <const> = math.tointeger(text)
  return value and value >= 0 and value or nil
end

--- A whole number, 0 or more: converter for parser:option.
function M.whole(option, what) return converter(option, what or "a whole number", whole) end

--- Any number.
function M.any(option, what) return converter(option, what or "a number", tonumber) end

return M
