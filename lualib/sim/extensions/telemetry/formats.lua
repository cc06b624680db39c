-- Formats of texts that the schemas of TS name.
local M = {}

local function parts_of(text, least, most)
  local parts = {}
  for part in (text .. "."):gmatch "([^.]*)%." do parts[#parts + 1] = part end
  return #parts >= least and #parts <= most and parts or nil
end

function M.ipv4(text)
  local parts = parts_of(text, 4, 4)
  for _, part in ipairs(parts or {}) do
    local is_low = part:find "^[01]?%d?%d$"
    if not is_low and not part:find "^2[0-4]%d$" and not part:find "^25[0-5]$" then return false end
  end
  return parts ~= nil
end

function M.ipv6(text)
  local address = text:match "^%s*(.-)%s*$":gsub("%%.+$", "")
  local dotted = address:match ":(%d+%.[%d.]+)$"
  if dotted then
    if not M.ipv4(dotted) then return false end
    address = address:sub(1, -#dotted - 1) .. "0:0"
  end
  local _, gaps = address:gsub("::", "")
  if not address:find "^[%x:]*$" or not address:find ":" or address:find ":::" or gaps > 1 then
    return false
  end
  if address:find "^:[^:]" or address:find "[^:]:$" then return false end
  local groups = 0
  for group in address:gmatch "%x+" do
    if #group > 4 then return false end
    groups = groups + 1
  end
  return gaps == 1 and groups <= 7 or gaps == 0 and groups == 8
end

function M.hostname(text)
  if #text > 254 or text == "" then return false end
  for label in (text:gsub("%.$", "") .. "."):gmatch "([^.]*)%." do
    if #label > 63 or not label:find "^%w[%w-]*$" or label:sub(-1) == "-" then return false end
  end
  return true
end

return M
