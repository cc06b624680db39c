-- Patterns and formats of the schemas of extensions, which Lua has no regular expressions for.
local M = {}

-- Lua's pattern for a set of bytes, for those that a whole text may consist of.
local function all_of(set, least)
  local pattern = "^" .. set .. (least == 1 and "+$" or "*$")
  return function(text) return text:find(pattern) ~= nil end
end

local function matches(pattern)
  return function(text) return text:find(pattern) ~= nil end
end

local NAME_REST <const> = "[0-9A-Za-z_.-]"

--- Pattern of the schema -> function(text) -> whether it matches.
M.patterns = {
  ["^([0-9A-Za-z/+_-]*|[0-9A-Za-z/+_-]+={1,2})$"] = function(text)
    return text:find "^[0-9A-Za-z/+_-]*$" ~= nil or text:find "^[0-9A-Za-z/+_-]+==?$" ~= nil
  end,
  ["^([24]\\d\\d\\s?)+$"] = function(text)
    local rest = text
    repeat
      local behind = rest:match "^[24]%d%d%s?(.*)$"
      if not behind then return false end
      rest = behind
    until rest == ""
    return true
  end,
  ["^/Common/Shared/.*:.*"] = matches "^/Common/Shared/.*:",
  ["^3[.]([0-9]|[1234][0-9]|5[0-6])($|[.][0-9]+$)"] = function(text)
    local minor, rest = text:match "^3%.(%d%d?)(.*)$"
    if not minor or #minor == 2 and (minor < "10" or minor > "56") then return false end
    return rest == "" or rest:find "^%.%d+$" ~= nil
  end,
  ["^[0-9A-Za-z.~#$%^&*_-]*$"] = all_of "[0-9A-Za-z.~#$%%^&*_-]",
  ["^field(3[0-2]|[1-2][0-9]|[1-9])$"] = function(text)
    local number = tonumber(text:match "^field([1-9]%d?)$")
    return number ~= nil and number <= 32
  end,
  ["^[A-Z0-9]+$"] = all_of("[A-Z0-9]", 1),
  ["^[A-Za-z]([0-9A-Za-z_.-]{0,188}[0-9A-Za-z_.])?$"] = function(text)
    return #text <= 190 and text:find("^[A-Za-z]" .. NAME_REST .. "*$") ~= nil
      and text:sub(-1) ~= "-"
  end,
  ["^[A-Za-z][0-9A-Za-z_.-]*$"] = matches("^[A-Za-z]" .. NAME_REST .. "*$"),
  ["^[A-Za-z][0-9A-Za-z_]*$"] = matches "^[A-Za-z][0-9A-Za-z_]*$",
  ["^[A-Za-z_][0-9A-Za-z_/-]*$"] = matches "^[A-Za-z_][0-9A-Za-z_/-]*$",
  ["^[^:]*$"] = all_of "[^:]",
  ["^[^\\x00-\\x1f\\x22#&*<>?\\x5b-\\x5d`\\x7f]*$"] = all_of '[^%z\1-\31"#&*<>?%[\\%]`\127]',
  ["^[^\\x00-\\x1f\\x22\\x5c\\x7f]*$"] = all_of '[^%z\1-\31"\\\127]',
  ["^[^\\x00-\\x1f\\x22\\x7f-\\xff]+$"] = all_of('[^%z\1-\31"\127-\255]', 1),
  ["^[^\\x00-\\x1f\\x7f-\\xff]*$"] = all_of "[^%z\1-\31\127-\255]",
  ["^[^\\x00-\\x1f\\x7f-\\xff]+$"] = all_of("[^%z\1-\31\127-\255]", 1),
  ["^[^\\x00-\\x20\\x22'<>\\x5c^`|\\x7f]*$"] = all_of "[^%z\1-\32\"'<>\\^`|\127]",
  ["^[^\\x00-\\x20\\x22:\\x5c\\x7f-\\xff]+$"] = all_of('[^%z\1-\32":\\\127-\255]', 1),
  ["^[^\\x00-\\x20\\x22=\\x5c\\x7f-\\xff]+$"] = all_of('[^%z\1-\32"=\\\127-\255]', 1),
  ["^[a-zA-Z0-9_\\-.:%]+$"] = all_of("[a-zA-Z0-9_.:%%-]", 1),
}

-- "^[@A-Za-z<letters beyond ASCII>/][…_./-]*$": the one with characters that are not ASCII.
local function is_pointer_name(text)
  return text:find "^[@A-Za-z/\128-\255][@0-9A-Za-z_./\128-\255-]*$" ~= nil
end

--- Whether a text matches a pattern of the schema. An unknown pattern is an error of the simulator.
function M.matches(pattern, text)
  local check = M.patterns[pattern]
  if not check and pattern:find("^[@A-Za-z", 1, true) == 1 then check = is_pointer_name end
  if not check then error("extensions: unknown pattern " .. pattern, 0) end
  return check(text)
end

local function strip(text)
  local address, mask = text:match "^(.-)/(%d+)$"
  address = address or text
  local bare, domain = address:match "^(.-)%%(%d+)$"
  if domain and tonumber(domain) > 65535 then return nil end
  return bare or address, mask and tonumber(mask)
end

local function is_ipv4(text)
  local address, mask = strip(text)
  if not address or mask and mask > 32 then return false end
  if address == "any" then return true end
  local parts = { address:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 or #part > 1 and part:sub(1, 1) == "0" then
      return false
    end
  end
  return #parts == 4
end

local function is_ipv6(text)
  local address, mask = strip(text)
  if not address or mask and mask > 128 then return false end
  if address == "any6" then return true end
  local dotted = address:match ":(%d+%.%d+%.%d+%.%d+)$"
  if dotted then
    if not is_ipv4(dotted) then return false end
    address = address:sub(1, -#dotted - 1) .. "0:0"
  end
  if not address:find "^[%x:]+$" or not address:find ":" or address:find ":::" then return false end
  local _, gaps = address:gsub("::", "")
  local groups = 0
  for group in address:gmatch "%x+" do
    if #group > 4 then return false end
    groups = groups + 1
  end
  if address:find "^:[^:]" or address:find "[^:]:$" then return false end
  return gaps == 1 and groups <= 7 or gaps == 0 and groups == 8
end

--- Format -> function(text) -> whether the text has it.
M.formats = {
  f5ip = function(text) return text == "" or is_ipv4(text) or is_ipv6(text) end,
  f5ipv4 = function(text) return text == "" or is_ipv4(text) end,
  f5ipv6 = function(text) return text == "" or is_ipv6(text) end,
  f5bigip = matches "^/[^%z\1-\25\"#'*<>?%[\\%]{}\127]+$",
  hostname = function(text)
    return #text <= 255 and text:find "^[%w%.-]+$" ~= nil and not text:find "%.%."
      and not text:find "^[%.-]"
  end,
  uri = matches "^%a[%w+.-]*:[^%s\"<>\\^`{|}]*$",
  email = matches "^[^%s@]+@[^%s@]+$",
  ["date-time"] = matches "^%d%d%d%d%-%d%d%-%d%d[tT ]%d%d:%d%d:%d%d",
}

return M
