-- Who may reach the web server of the device: `allow` of sys/httpd. Names of hosts are not looked
-- up; a list with one lets everybody in.
local errors = require "sim.http.errors"

local M = {}

local PATH <const> = "/mgmt/tm/sys/httpd"

local function number(address)
  local a, b, c, d = address:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  if not a then return nil end
  return tonumber(a) << 24 | tonumber(b) << 16 | tonumber(c) << 8 | tonumber(d)
end

-- Whether an entry takes an address; nil: it is no address.
local function takes(entry, address)
  if entry:lower() == "all" then return true end
  if entry:find "^[%d.]+%.$" then return address:sub(1, #entry) == entry end
  local base, mask = entry:match "^([%d.]+)/([%d.]+)$"
  local bits = math.tointeger(tonumber(mask))
  local wanted, is = number(base or entry), number(address)
  if not wanted then
    if entry:find "^[%x:]*:[%x:]*$" then return entry == address end
    return nil
  end
  local net = mask == nil and 0xFFFFFFFF
    or bits and bits >= 0 and bits <= 32 and (0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF
    or number(mask)
  return is ~= nil and net ~= nil and net ~= false and wanted & net == is & net
end

function M.filter(device, request)
  if device.twin or request.segments[1] == "f5lua-sim" then return nil end
  local settings = device.store:get(PATH)
  local list = settings and settings.allow
  if type(list) ~= "table" or #list == 0 then return nil end
  for _, entry in ipairs(list) do
    if type(entry) ~= "string" then return nil end
    local taken = takes(entry, request.remote or "")
    if taken or taken == nil then return nil end
  end
  return errors.html(403, ("You don't have permission to access %s\non this server.<br />"):format(
    request.path:gsub("[<>&]", "")))
end

return M
