-- When a periodic handler of iCall runs.
--
-- Times are those of the device, in UTC: "2026-11-28:10:15:00". `now` and `now+5m` are resolved
-- when they are written. All numbers are microseconds.
local M = {}

local SECOND <const> = 1000000
local UNITS <const> = { m = 60, h = 3600, d = 86400, w = 604800 }
-- What stands for "no time" in the two properties.
local NONE <const> = { ["0"] = true, ["-1"] = true }

--- A time as tmsh writes it.
function M.text(micros)
  return os.date("!%Y-%m-%d:%H:%M:%S", micros // SECOND)
end

local function day_exists(year, month, day)
  local last = os.date("!*t", os.time { year = year, month = month + 1, day = 0, hour = 12 }).day
  return month >= 1 and month <= 12 and day >= 1 and day <= last
end

-- Seconds since 1970 of a date, without the time zone of this machine.
local function seconds_of(year, month, day, hour, minute, second)
  local y = month <= 2 and year - 1 or year
  local era, m = y // 400, (month + 9) % 12
  local of_year = (153 * m + 2) // 5 + day - 1
  local of_era = (y - era * 400) * 365 + (y - era * 400) // 4 - (y - era * 400) // 100 + of_year
  return ((era * 146097 + of_era - 719468) * 24 + hour) * 3600 + minute * 60 + second
end

--- The time that a word means; nil for none. An invalid word raises its reason, a text.
function M.time(word, now)
  if word == nil or NONE[word] then return nil end
  if word == "now" then return now end
  if word:sub(1, 3) == "now" then
    local sign, count, unit = word:match "^now([+-])(%d+)(%l)$"
    if not UNITS[unit] or #count > 6 then error("invalid character following 'now'", 0) end
    local span = tonumber(count) * UNITS[unit] * SECOND
    return sign == "+" and now + span or now - span
  end
  local year, month, day, rest = word:match "^(%d%d%d%d)%-(%d%d?)%-(%d%d?)(.*)$"
  local hour, minute, second
  if rest == "" then
    hour, minute, second = "0", "0", "0"
  elseif rest then
    hour, minute, second = rest:match "^[:T](%d%d?):(%d%d):?(%d*)Z?$"
    if second == "" then second = "0" end
  end
  if not hour or #second > 2 then error("invalid date", 0) end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if not day_exists(year, month, day) or hour > 23 or minute > 59 or second > 59 then
    error("invalid date", 0)
  end
  return seconds_of(year, month, day, hour, minute, second) * SECOND
end

local function kept_time(word)
  local ok, time = pcall(M.time, word, 0)
  return ok and time or nil
end

--- When a handler runs next; nil: never again. `entry`: { anchor = since when it counts, last = the
--- occurrence that ran last, or nil }.
function M.next(object, entry)
  local interval = math.max(math.tointeger(object.interval) or 1, 1) * SECOND
  local first, final = kept_time(object.firstOccurrence), kept_time(object.lastOccurrence)
  local due = first or entry.anchor + interval
  local after = entry.anchor - 1
  -- an occurrence that was resolved from `now` lost its fraction of a second
  if first and entry.anchor - first < SECOND then after = first - 1 end
  if entry.last and entry.last > after then after = entry.last end
  if due <= after then due = due + ((after - due) // interval + 1) * interval end
  if final and due > final then return nil end
  return due
end

return M
