-- What all lists and links have in common, whoever made them: the API version of the request, and
-- the part of a list that $top and $skip select. Handlers that do both themselves are left alone.
local errors = require "sim.http.errors"
local json = require "f5.json"
local names = require "sim.config.names"
local paging = require "sim.config.paging"

local M = {}

-- ASM and live update have OData with rules of their own.
local OWN_PAGING <const> = { asm = true, ["live-update"] = true }

-- icrd serves /mgmt/tm except for /mgmt/tm/shared.
local function is_icrd(request)
  return request.segments[2] == "tm" and request.segments[3] ~= "shared"
end

local function selects(request)
  return request.method == "GET"
    and (request.query["$top"] or request.query["$skip"])
    and not (request.segments[2] == "tm" and OWN_PAGING[request.segments[3]])
end

-- Refuses a version that the device does not support, and counts that are no counts.
function M.filter(device, request)
  if request.query.ver and is_icrd(request) then names.version(device, request) end
  if selects(request) and request.segments[2] ~= "tm" then paging.page(request, 0, "", "") end
end

-- The links of a value, with `ver` of the request.
local function with_version(value, own, wanted)
  if type(value) == "string" then
    if value:sub(1, 18) ~= "https://localhost/" then return value end
    return (value:gsub("([?&]ver=)([%d.]+)", function(before, version)
      return version == own and before .. wanted or nil
    end))
  end
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do copy[key] = with_version(item, own, wanted) end
  return copy
end

local function page(device, request, body)
  local items = body.items or json.array {}
  local first, last, add = paging.page(request, #items, device.version.version, request.path)
  local copy = {}
  for key, value in pairs(body) do copy[key] = value end
  copy.items = json.array(table.move(items, first, last, 1, {}))
  if #copy.items == 0 then copy.items = nil end
  add(copy)
  if not is_icrd(request) and not request.query.ver then  -- restjavad's links have no version
    for _, name in ipairs { "nextLink", "previousLink" } do
      copy[name] = copy[name] and copy[name]:gsub("[?&]ver=[%d.]+$", "")
    end
  end
  return copy
end

function M.observe(device, request, response)
  local body = response.body
  if request.method ~= "GET" or response.status ~= 200 or type(body) ~= "table" then return end
  if
    selects(request) and body.currentItemCount == nil
    and (json.is_array(body.items) or (body.kind or ""):find "collectionstate$")
  then
    local ok, result = pcall(page, device, request, body)
    if not ok and not (type(result) == "table" and result.status) then
      device:complain(tostring(result))
      result = errors.tm(500, "There was an internal server error", 1337)
    end
    response.status = ok and 200 or result.status
    response.body = ok and result or result.body
  end
  local wanted, own = request.query.ver, device.version.version
  if wanted and wanted ~= own and is_icrd(request) then
    response.body = with_version(response.body, own, wanted)
  end
end

return M
