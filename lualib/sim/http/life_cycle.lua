-- The life cycle of the API: the header X-F5-Api-Status for deprecated, early-access and test-only
-- interfaces, and a 404 where they are switched off.
--
-- state.api_status = { availability = {…}, resource = {…}, property = {…} }: the three pages of
-- /mgmt/shared/settings/api-status.
local errors = require "sim.http.errors"
local kinds = require "sim.kinds"
local logs = require "sim.status.logs"

local M = {}

local SETTING <const> = {
  DEPRECATED = "deprecatedApiAllowed",
  EARLY_ACCESS = "earlyAccessApiAllowed",
  TEST_ONLY = "testOnlyApiAllowed",
}
local PAGES <const> = {
  availability = "availability",
  ["log/resource"] = "resource",
  ["log/resource-property"] = "property",
}
local BASE <const> = "/mgmt/shared/settings/api-status"

local function settings(device, request)
  local place = table.concat(request.segments, "/", 5)
  local page = PAGES[place]
  if not page then return errors.not_registered(request) end
  local values = device.state.api_status[page]
  if request.method == "PATCH" or request.method == "POST" or request.method == "PUT" then
    if request.user.access["all-partitions"] ~= "admin" then
      return require("sim.auth.login").not_permitted(request)
    end
    local body = request.json or {}
    for name, value in pairs(body) do
      local text = tostring(value)
      if values[name] == nil or text ~= "true" and text ~= "false" then
        return errors.rest(request, 400, ("invalid setting %s: %s"):format(name, text))
      end
    end
    for name, value in pairs(body) do values[name] = tostring(value) end
  elseif request.method ~= "GET" then
    return errors.rest(request, 405, "Method not allowed: " .. request.method)
  end
  local answer = {
    kind = "mgmt:shared:settings:api-status:" .. place:gsub("/", ":") .. "state",
    selfLink = "https://localhost" .. BASE .. "/" .. place,
  }
  for name, value in pairs(values) do answer[name] = value end
  return { status = 200, body = answer }
end

-- Kinds with a status, on 14.1 and later: template -> facts. All others have NO_STATUS.
local with_status

local function find_status()
  with_status = {}
  for _, module in ipairs(kinds.modules()) do
    for template, kind in pairs((kinds.described(module))) do
      local facts = kind.facts
      if facts and (
        facts.api_status or facts.property_status
      ) then with_status[template] = facts end
    end
  end
end

-- The facts of the longest template with a status that the path equals or is below, and the
-- template; nil if there is none.
local function facts_of(request)
  for last = #request.segments, 3, -1 do
    local template = table.concat(request.segments, "/", 3, last)
    local facts = with_status[template]
    if facts then return facts, template end
  end
  return nil
end

local function dashed(name)
  return (name:gsub("%u", function(letter) return "-" .. letter:lower() end))
end

local function word(status) return (status:lower():gsub("_", " ")) end

-- The status of what a request is about, whether it is that of the "RESOURCE" or of a "PROPERTY",
-- and what the log calls it; nil if there is none.
local function status_of(request)
  local facts, template = facts_of(request)
  if not facts then return nil end
  if facts.api_status then
    return facts.api_status, "RESOURCE", ("%s: %s"):format(template, word(facts.api_status))
  end
  local body = request.json
  local found, names = nil, {}
  for name, status in pairs(facts.property_status) do
    if request.method == "GET" or type(body) == "table" and body[name] ~= nil then
      found = found or status
      names[#names + 1] = template .. "/" .. dashed(name)
    end
  end
  if not found then return nil end
  table.sort(names)
  return found, "PROPERTY", ("%s: no status; properties: %s: %s"):format(
    template, word(found), table.concat(names, ", ")
  )
end

function M.install(device)
  if not with_status then find_status() end
  device.state.api_status = device.state.api_status
    or {
      availability = {
        deprecatedApiAllowed = "true",
        earlyAccessApiAllowed = "true",
        testOnlyApiAllowed = "false",
      },
      resource = {
        deprecatedApiAllowed = "true",
        earlyAccessApiAllowed = "true",
        testOnlyApiAllowed = "true",
      },
      property = {
        deprecatedApiAllowed = "true",
        earlyAccessApiAllowed = "true",
        testOnlyApiAllowed = "true",
      },
    }
  device:route(BASE, settings)
end

function M.filter(device, request)
  if request.segments[2] ~= "tm" then return nil end
  local status, what, text = status_of(request)
  if not status then return nil end
  request.api_status = status .. "_" .. what
  local page = device.state.api_status[what == "RESOURCE" and "resource" or "property"]
  local available = device.state.api_status.availability[SETTING[status]] == "true"
  if (available or what == "PROPERTY") and page[SETTING[status]] == "true" then
    logs.api_status(device, text)
  elseif not available and what == "RESOURCE" then
    logs.unavailable(device, request)
  end
  if device.state.api_status.availability[SETTING[status]] == "true" then return nil end
  if what == "PROPERTY" and request.method == "GET" then
    request.api_status = nil
    return nil
  end
  local response = errors.rest(
    request,
    404,
    ("The API %s is not available as per the API status settings."):format(request.path)
  )
  return response
end

function M.observe(_, request, response)
  if not request.api_status then return end
  response.headers = response.headers or {}
  response.headers["X-F5-Api-Status"] = request.api_status
end

return M
