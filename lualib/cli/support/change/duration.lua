-- Times of --confirm: whole minutes, as the timers of a device know them.
local M = {}

local UNITS <const> = { [""] = 60, m = 60, h = 3600, d = 86400 }
local MAX_SECONDS <const> = 7 * 86400

--- Converter for parser:option: "5", "5m", "2h" -> seconds.
function M.minutes(option)
  return function(text)
    local count, unit = text:match "^(%d+)(%a?)$"
    local seconds = count and #count < 7 and UNITS[unit] and tonumber(count) * UNITS[unit]
    if not seconds or seconds < 60 or seconds > MAX_SECONDS then
      return nil, ("%s must be a time from 1m to 7d, such as 5m or 2h, not '%s'"):format(
        option, text)
    end
    return math.tointeger(seconds)
  end
end

--- "5 minutes", "2 hours", "40 seconds"
function M.text(seconds)
  seconds = math.max(0, math.floor(seconds + 0.5))
  local count, unit = seconds, "second"
  if seconds >= 7200 and seconds % 3600 == 0 then
    count, unit = seconds // 3600, "hour"
  elseif seconds >= 60 then
    count, unit = seconds // 60, "minute"
  end
  return ("%d %s%s"):format(count, unit, count == 1 and "" or "s")
end

return M
