-- Formats of the schemas of extensions.
local M = {}

local function matches(pattern)
  return function(text) return text:find(pattern) ~= nil end
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
