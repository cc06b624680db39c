-- Columns that are no properties of a device: what f5lua works out of an object, or reads from the
-- statistics of the collection.
--
--   computed["ltm/pool"].state.value(pool, statistics_of_the_pool) --> "available"
--
-- Fields: value(object, statistics|nil); statistics = true if it needs them; from = the properties
-- that it needs.

local HOUR <const>, DAY <const> = 3600, 86400

local function text_of(value) return type(value) == "string" and value or nil end

-- -- from statistics --

-- "available", "offline", "unknown"; with "(disabled)" if somebody has disabled it.
local function state(_, statistics)
  local available = text_of(statistics["status.availabilityState"])
  local enabled = text_of(statistics["status.enabledState"])
  if not available then return nil end
  return (enabled and enabled:find "^disabled") and available .. " (disabled)" or available
end

-- "2/3": members that get traffic, and all.
local function members(_, statistics)
  local up, all = statistics.activeMemberCnt, statistics.memberCnt
  if math.type(up) ~= "integer" then return nil end
  return math.type(all) == "integer" and ("%d/%d"):format(up, all) or tostring(up)
end

-- -- from the object --

-- Devices send either enabled = true or disabled = true.
local function enabled(object) return object.disabled == true and "disabled" or "enabled" end

-- The events of an iRule: "when HTTP_REQUEST priority 10 {".
local function events(rule)
  local found, names = {}, {}
  for line in (text_of(rule.apiAnonymous) or ""):gmatch "[^\n]+" do
    local name = line:match "^%s*when%s+([%u_%d]+)"
    if name and not found[name] then
      found[name], names[#names + 1] = true, name
    end
  end
  return table.concat(names, " ")
end

local function lines(rule)
  local text = text_of(rule.apiAnonymous)
  if not text then return nil end
  local _, breaks = text:gsub("\n", "")
  return breaks + ((text == "" or text:sub(-1) == "\n") and 0 or 1)
end

local function size(group) return type(group.records) == "table" and #group.records or 0 end

local function names(list)
  local out = {}
  for i, item in ipairs(type(list) == "table" and list or {}) do
    out[i] = type(item) == "table" and tostring(item.name) or tostring(item)
  end
  return #out > 0 and table.concat(out, " ") or nil
end

-- "admin", or "operator@Common guest@Tenant".
local function roles(user)
  local out = {}
  for i, access in ipairs(type(user.partitionAccess) == "table" and user.partitionAccess or {}) do
    local role, partition = tostring(access.role), tostring(access.name)
    out[i] = partition == "all-partitions" and role or role .. "@" .. partition
  end
  return #out > 0 and table.concat(out, " ") or nil
end

-- -- certificates --

local MONTHS <const> = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10,
  Nov = 11, Dec = 12,
}

-- Days from 1970-01-01 to a day of the Gregorian calendar.
local function days_to(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day
    - 719469
end

-- Seconds since 1970 of "Jan 01 00:00:00 2035 GMT"; nil if it is no such text.
local function seconds_of(text)
  local month, day, hour, minute, second, year =
    (text_of(text) or ""):match "^(%a%a%a)%s+(%d+)%s+(%d+):(%d+):(%d+)%s+(%d+)"
  if not MONTHS[month] then return nil end
  return days_to(tonumber(year), MONTHS[month], tonumber(day)) * DAY + tonumber(hour) * HOUR
    + tonumber(minute) * 60 + tonumber(second)
end

local function expiry(certificate)
  local seconds = math.tointeger(certificate.expirationDate)
  if seconds and seconds > 0 then return seconds end
  local raw = type(certificate.apiRawValues) == "table" and certificate.apiRawValues or {}
  return seconds_of(certificate.expirationString) or seconds_of(raw.expiration)
end

local function expires(certificate)
  local seconds = expiry(certificate)
  return seconds and os.date("!%Y-%m-%d", seconds) or nil
end

-- Whole days until the certificate expires, by the clock of this machine; below 0: it has expired.
local function days(certificate)
  local seconds = expiry(certificate)
  return seconds and (seconds - os.time()) // DAY or nil
end

-- "CN=www.example.net,OU=IT,O=Example" -> "www.example.net".
local function subject_name(certificate)
  local subject = text_of(certificate.subject)
  return subject and ((", " .. subject):match ",%s*CN=([^,]+)" or subject) or nil
end

-- -- the kinds --

local function read(value) return { value = value, statistics = true, from = { "fullPath" } } end
local function made(value, ...) return { value = value, from = { ... } } end

local STATE <const> = { state = read(state) }
local ENABLED <const> = { state = made(enabled, "enabled", "disabled") }
local EXPIRY <const> = { "expirationDate", "expirationString", "apiRawValues" }
local CERTIFICATE <const> = {
  expires = made(expires, table.unpack(EXPIRY)),
  days = made(days, table.unpack(EXPIRY)),
}

return {
  ["ltm/pool"] = { state = STATE.state, members = read(members) },
  ["ltm/virtual"] = STATE,
  ["ltm/rule"] = { events = made(events, "apiAnonymous"), lines = made(lines, "apiAnonymous") },
  ["ltm/data-group/internal"] = { size = made(size, "records") },
  ["net/interface"] = ENABLED,
  ["auth/user"] = { roles = made(roles, "partitionAccess") },
  ["sys/file/ssl-cert"] = {
    expires = CERTIFICATE.expires,
    days = CERTIFICATE.days,
    subjectName = made(subject_name, "subject"),
  },
  ["sys/crypto/cert"] = CERTIFICATE,
  ["gtm/datacenter"] = STATE,
  ["gtm/server"] = STATE,
  ["gtm/server/virtual-servers"] = ENABLED,
  ["gtm/wideip/*"] = {
    state = STATE.state,
    pools = { value = function(wideip) return names(wideip.pools) end, from = { "pools" } },
  },
  ["gtm/pool/*"] = STATE,
  ["gtm/pool/a/members"] = ENABLED,
  ["gtm/pool/aaaa/members"] = ENABLED,
}
