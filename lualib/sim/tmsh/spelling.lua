-- How tmsh and iControl REST spell the same thing: names of properties, and numbers with a unit.
local validate = require "sim.config.validate"

local M = {}

-- Words that mean something else in a body of REST.
local RENAMED <const> = {
  class = "tmClass", command = "tmCommand", default = "tmDefault", generation = "tmGeneration",
  interface = "tmInterface", kind = "tmKind", name = "tmName", options = "tmOptions",
}
-- Those that REST leaves as they are where the catalogue does not know the other name.
local OFTEN_PLAIN <const> = { class = true, interface = true, options = true }

--- The name in REST of a property of tmsh: "load-balancing-mode" -> "loadBalancingMode".
-- @param props table|nil: the properties that the catalogue knows of the kind
function M.rest(word, props)
  local renamed <const> = RENAMED[word]
  if renamed then
    if props and props[renamed] then return renamed end
    return OFTEN_PLAIN[word] and word or renamed
  end
  -- a word in capitals or with blanks is a name rather than a property
  if word:find "[^%l%d%-]" then return word end
  return validate.camel(word)
end

local plain <const> = {}
for word, renamed in pairs(RENAMED) do plain[renamed] = word end

local function dash(letter) return "-" .. letter:lower() end

-- Names that were spelled before. Names that users chose can be among them, so there is a limit.
local MAX_SPELLED <const> = 5000
local spelled, spelled_count = {}, 0

--- The name in tmsh of a property of REST.
function M.tmsh(name)
  local known = plain[name] or spelled[name]
  if known then return known end
  if name:find "^[^%l]" or name:find "[^%w_]" then return name end
  known = name:gsub("_(%d)", "-%1"):gsub("%u", dash)
  if spelled_count == MAX_SPELLED then spelled, spelled_count = {}, 0 end
  spelled[name], spelled_count = known, spelled_count + 1
  return known
end

-- Numbers with a unit: "8k" is 8192, "25mb" is 25 as in REST, "10mbps" is 10000000.
local FACTORS <const> = {
  k = 1024, m = 1024 ^ 2, g = 1024 ^ 3, kb = 1, mb = 1, gb = 1, bytes = 1,
  bps = 1, kbps = 1000, mbps = 1000 ^ 2, gbps = 1000 ^ 3,
}

--- The number of a word such as "8k"; the word itself if it is none.
function M.number(word)
  local digits, unit = word:match "^(%d+)(%l+)$"
  local factor <const> = unit and FACTORS[unit]
  return factor and math.tointeger(tonumber(digits) * factor) or word
end

local RATES <const> = { { "gbps", 1000 ^ 3 }, { "mbps", 1000 ^ 2 }, { "kbps", 1000 }, { "bps", 1 } }
local POWERS <const> = { { "k", 1024 } }
local MEGABYTES <const> = { { "mb", 1 } }
-- Kind and property -> the units that tmsh prints.
local UNITS <const> = {
  ["ltm/profile/http-compression gzipMemoryLevel"] = POWERS,
  ["ltm/profile/http-compression gzipWindowSize"] = POWERS,
  ["ltm/profile/web-acceleration cacheSize"] = MEGABYTES,
  ["ltm/profile/web-acceleration metadataCacheMaxSize"] = MEGABYTES,
  ["net/bwc/policy maxRate"] = RATES,
  ["net/bwc/policy maxUserRate"] = RATES,
}

--- A number with the unit that tmsh prints for a property.
function M.with_unit(template, name, value)
  local number <const> = math.tointeger(value)
  local units <const> = UNITS[template .. " " .. name]
  if not units or not number or number == 0 then return value end
  for _, unit in ipairs(units) do
    if number % unit[2] == 0 then return ("%d%s"):format(number // unit[2], unit[1]) end
  end
  return value
end

--- Properties whose block is a script: kind -> set of names.
M.SCRIPTS = {
  ["sys icall script"] = { definition = true },
  ["pem reporting format-script"] = { definition = true },
  ["sys application template"] = {
    implementation = true, presentation = true, macro = true, ["html-help"] = true,
  },
}

--- Kinds whose objects have no name in tmsh -> the property (of REST) that tells them apart.
M.NAMELESS = { ["apm/report/default-report"] = "user" }

-- Times that a device keeps: "2020-09-17T08:50:22Z" in REST, "2020-09-17:08:50:22" in tmsh.
local TIMES <const> = {
  creationTime = true, lastModifiedTime = true, createTime = true, lastUpdateTime = true,
}

--- A time of a property as REST writes it; any other value as it is.
function M.rest_time(name, value)
  if not TIMES[name] or type(value) ~= "string" then return value end
  return (value:gsub("^(%d+%-%d+%-%d+):(%d+:%d+:%d+)$", "%1T%2Z"))
end

--- A time of a property as tmsh writes it; any other value as it is.
function M.tmsh_time(name, value)
  if not TIMES[name] or type(value) ~= "string" then return value end
  return (value:gsub("^(%d+%-%d+%-%d+)T(%d+:%d+:%d+)Z$", "%1:%2"))
end

return M
