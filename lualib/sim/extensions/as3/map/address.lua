-- Addresses as AS3 reads and writes them.
local validate = require "sim.config.validate"

local M = {}

local function mask_of(bits, length, width, form, separator)
  local parts = {}
  for i = 1, length do
    local left = math.max(0, math.min(width, bits - (i - 1) * width))
    parts[i] = form:format(((1 << left) - 1) << (width - left))
  end
  return table.concat(parts, separator)
end

--- The parts of "192.0.2.0%2/24": `ip`, `domain` ("%2" or ""), `mask`.
function M.parse(text)
  if type(text) ~= "string" then return { ip = "", domain = "", mask = "any" } end
  local rest, bits = text:match "^(.-)/(%d+)$"
  rest = rest or text
  local ip, domain = rest:match "^([^%%]*)(%%?%d*)$"
  local after = text:match "/%d+(%%%d+)$"
  ip, domain = M.short(ip or rest), after or domain or ""
  if ip == "any" then ip = "0.0.0.0" elseif ip == "any6" then ip = "::" end
  local six = ip:find(":", 1, true)
  bits = bits and math.tointeger(bits) or six and 128 or 32
  local mask
  if bits == 0 or ip == "0.0.0.0" or ip == "::" then
    mask = six and "any6" or "any"
  elseif six then
    mask = mask_of(bits, 8, 16, "%x", ":")
  else
    mask = mask_of(bits, 4, 8, "%d", ".")
  end
  return { ip = ip, domain = domain, mask = mask }
end

--- An address in its short form.
function M.short(text)
  return validate.short_address(text)
end

--- ":" or ".", which parts an address and a port.
function M.colon(address)
  return (address:find(":", 1, true) or address:find("any6", 1, true)) and "." or ":"
end

return M
