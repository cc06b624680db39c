-- Times of the command line ("30d"), and those that are printed ("3 h").
local M = {}

local UNITS <const> = { s = 1, m = 60, h = 3600, d = 86400, w = 7 * 86400 }

--- Converter for parser:option: "30d", "12h", "90m", "45s", "2w" -> seconds.
function M.span(option)
  return function(text)
    local count, unit = text:match "^(%d+)(%a)$"
    if not count or #count > 6 or not UNITS[unit] then
      return nil, ("%s must be a time such as 30d, 12h or 90m, not '%s'"):format(option, text)
    end
    return math.tointeger(count) * UNITS[unit]
  end
end

--- A time for people, in its largest unit: "3 h".
function M.short(seconds)
  if seconds < 120 then return ("%d s"):format(seconds) end
  if seconds < 7200 then return ("%d min"):format(seconds // 60) end
  if seconds < 172800 then return ("%d h"):format(seconds // 3600) end
  return ("%d d"):format(seconds // 86400)
end

return M
