-- FAST (Application Services Templates): /mgmt/shared/fast. Template sets are uploaded; their
-- applications are deployed by AS3.
--
-- state.extensions.fast = { sets = (sets.lua), settings =, requests = their count, task_ids =,
-- id_map =, pending =, errored =, next_id = (driver.lua) }
local driver = require "sim.extensions.templates.driver"
local extensions = require("sim.lazy") "sim.extensions"
local json = require "f5.json"
local needs = require "sim.extensions.templates.needs"
local order = require "sim.extensions.order"
local ordered = require "sim.extensions.templates.ordered"
local sets = require "sim.extensions.templates.sets"
local settings = require "sim.extensions.templates.settings"
local tables = require "sim.tables"

local M = {}

local PREFIX <const> = "/mgmt/shared/fast"

local function state_of(device) return device.state.extensions.fast end

-- -- answers --

-- Texts of messages: < and > are escaped, everywhere inside.
local function escaped(value)
  if type(value) == "string" then return (value:gsub("<", "&lt;"):gsub(">", "&gt;")) end
  if type(value) ~= "table" or value == json.null then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do copy[escaped(key)] = escaped(item) end
  return copy
end

local function answer(call, status, message)
  return {
    status = status,
    body = {
      code = status, requestId = call.id, message = escaped(message), _links = { self = call.path },
    },
  }
end

local function refuse(status, format, ...)
  local message = select("#", ...) > 0 and format:format(...) or format
  error({ fast = message, status = status }, 0)
end

-- The text of an error of this folder, and the status that it asks for; raises others again.
local function reason(problem)
  local text = type(problem) == "table" and (problem.fast or problem.template or problem.driver)
  if not text then error(problem, 0) end
  return text, problem.status
end

-- An object with its link.
local function shown(call, body)
  body._links = { self = call.path }
  return { status = 200, body = body }
end

-- A list whose members have links. `name`: function(item) -> the end of the link
local function listed(call, list, name)
  for _, item in ipairs(list) do
    if type(item) == "table" then item._links = { self = call.path .. "/" .. name(item) } end
  end
  return { status = 200, body = json.array(list) }
end

-- -- rendering --

local function prepared(device, full)
  return needs.prepared(device, sets.template(device, full), full)
end

-- Names of applications that there are: { ["tenant/name"] = true }.
local function known_applications(device)
  local known = {}
  for _, one in ipairs(driver.list(device)) do known[one.tenant .. "/" .. one.name] = true end
  return known
end

local function name_of(wanted)
  local name = wanted.name
  local set, template = tostring(name):match "^([^/]+)/([^/]+)"
  if not set then
    refuse(nil, 'expected name to be of the form "setName/templateName", but got %s',
      tostring(name))
  end
  return set, set .. "/" .. template
end

-- What one request for an application becomes.
local function render_one(device, wanted, known)
  local ok, set, full, template = pcall(function()
    local set, full = name_of(wanted)
    sets.get(device, set)
    return set, full, prepared(device, full)
  end)
  if not ok then refuse(nil, "Unable to load template: %s. %s", wanted.name, (reason(set))) end
  local text = template:render(wanted.parameters)
  local good, definition = pcall(json.decode, text)
  if not good or type(definition) ~= "table" then
    refuse(nil, "the template %s makes no JSON object", full)
  end
  ordered.note(definition, order.read(text, 30))
  local tenant, name = driver.names(definition)
  if wanted.allowOverwrite == false and known[tenant .. "/" .. name] then
    refuse(nil, 'application %s/%s already exists and "allowOverwrite" is false', tenant, name)
  end
  return definition, set
end

-- Renders requests for applications. Raises { fast = why, status = }.
local function render(device, list)
  local known, results = known_applications(device), {}
  for i, wanted in ipairs(list) do
    if type(wanted) ~= "table" or not wanted.name then
      refuse(400, "name property is missing")
    elseif type(wanted.parameters) ~= "table" then
      refuse(400, "parameters property is missing")
    end
    local ok, definition, set = pcall(render_one, device, wanted, known)
    if not ok then
      local why = ("Failed to render template: %s. %s"):format(wanted.name, (reason(definition)))
      refuse(why:find "Could not find template" and 404 or 400, "%s", why)
    end
    results[i] = {
      definition = definition,
      meta = {
        template = wanted.name, setHash = sets.data(device, set).hash,
        view = tables.copy(wanted.parameters), templateType = "local",
        lastModified = driver.timestamp(device), ipamAddrs = {},
      },
    }
  end
  return results
end

-- -- applications --

-- The requests of a body: an array, or one. The order of the members counts in messages.
local function wanted_of(request)
  local body, known = request.json, order.read(request.body or "", 30)
  if body == nil then refuse(400, "name property is missing") end
  ordered.note(body, known)
  return #body > 0 and body or { body }
end

-- An answer of AS3 to applications that were sent.
local function sent(call, status, message, id, more)
  local result = answer(call, status, message)
  for key, value in pairs(more or {}) do
    if result.body[key] == nil then result.body[key] = value end
  end
  result.body._links.task = call.path:gsub("/[^/]*$", "") .. "/tasks/" .. id
  return result
end

local function deploy(device, call, list)
  local rendered = render(device, list)
  local ok, body = pcall(driver.create, device, rendered)
  if not ok then
    refuse(type(body) == "table" and body.answered or 500,
      "Error: Could not generate AS3 declaration: %s", (reason(body)))
  end
  local message = json.array {}
  for i, one in ipairs(list) do
    message[i] = { id = body.id, name = one.name, parameters = one.parameters }
  end
  return sent(call, 202, message, body.id)
end

local function post_applications(device, request, call)
  return deploy(device, call, wanted_of(request))
end

-- An application as AS3 has it.
local function get_application(device, call, tenant, name)
  local ok, declaration = pcall(driver.declaration, device)
  local found = ok and type(declaration[tenant]) == "table" and declaration[tenant][name]
  if type(found) ~= "table" then
    refuse(404, "Client Error: Could not find application %s/%s", tenant, tostring(name))
  end
  return shown(call, { class = "Application", constants = found.constants })
end

local function get_applications(device, _, call, parts)
  if parts[2] then return get_application(device, call, parts[2], parts[3]) end
  local ok, list = pcall(driver.list, device)
  if not ok then refuse(400, "%s", (reason(list))) end
  return listed(call, list, function(one) return one.tenant .. "/" .. one.name end)
end

local function names_of(body)
  local names = {}
  for i, text in ipairs(body or {}) do
    local tenant, name = tostring(text):match "^([^/]*)/([^/]*)$"
    if type(text) ~= "string" then
      refuse(400, "Incorrect app info provided: %s", json.encode(body))
    end
    if not tenant then refuse(400, "Invalid application name(s) supplied: %s", text) end
    names[i] = { tenant, name }
  end
  return names
end

local function delete_applications(device, request, call, parts)
  local names
  if parts[2] then
    names = names_of { parts[2] .. "/" .. (parts[3] or "undefined") }
  else
    local ok, body = pcall(json.decode, request.body or "")
    names = names_of(ok and type(body) == "table" and body or nil)
  end
  local ok, body = pcall(function()
    for _, one in ipairs(names) do driver.get(device, one[1], one[2]) end
    return driver.delete(device, names)
  end)
  if not ok then
    local text = reason(body)
    local is_unknown = text:find "no tenant found" or text:find "could not find application"
    refuse(is_unknown and 404 or 500, "%s", text)
  end
  local message = json.array {}
  for i = 1, math.max(1, #names) do message[i] = { id = body.id } end
  return sent(call, 202, message, body.id, body)
end

local function patch_applications(device, request, call, parts)
  if not parts[2] then refuse(400, "Client Error: PATCH is not supported on this endpoint") end
  local ok, result = pcall(function()
    local app = driver.get(device, parts[2], parts[3] or "undefined")
    local more = (request.json or {}).parameters
    local view = ordered.assign(app.view or {}, ordered.is_object(more) and more or {})
    local one = { name = app.template, parameters = view }
    local tenant, name = driver.names(render(device, { one })[1].definition)
    local moved = tenant ~= parts[2] and { "tenant", parts[2], tenant }
      or name ~= parts[3] and { "application", parts[3], name }
    if moved then
      refuse(422, "Client Error: PATCH would change %s name from %s to %s", table.unpack(moved))
    end
    return deploy(device, call, { one })
  end)
  if ok then return result end
  local text, status = reason(result)
  return refuse(status == 422 and 422 or 500, "%s", text)
end

-- -- tasks, templates, sets --

local function get_tasks(device, _, call, parts)
  local ok, list = pcall(driver.tasks, device)
  if not ok then
    reason(list)
    refuse(500, parts[2] and "Internal Error: Could not get task " .. parts[2]
      or "Internal Error: Could not get tasks list")
  end
  if not parts[2] then return listed(call, list, function(one) return tostring(one.id) end) end
  for _, one in ipairs(list) do
    if one.id == parts[2] then return shown(call, one) end
  end
  return refuse(404, "Client Error: Unknown task ID: %s", parts[2])
end

local function get_templates(device, _, call, parts)
  if not parts[2] then return { status = 200, body = sets.list(device) } end
  local full = parts[2] .. "/" .. (parts[3] or "undefined")
  local ok, template = pcall(prepared, device, full)
  if ok then return shown(call, template:shown()) end
  if reason(template):find "Could not find template" then
    refuse(404, "Client Error: Could not find template %s", full)
  end
  return refuse(400, "Client Error: Could not load template %s", full)
end

-- A set with the applications of its templates.
local function set_data(device, name, list)
  local data = sets.data(device, name)
  local deleted = false
  for _, one in ipairs(driver.settings(device).deletedTemplateSets) do
    deleted = deleted or one == name
  end
  data.enabled = not deleted
  for _, template in ipairs(data.templates) do
    template.appsList = json.array {}
    for _, app in ipairs(list) do
      if app.template == template.name then
        table.insert(template.appsList, app.tenant .. "/" .. app.name)
      end
    end
  end
  return data
end

local function get_sets(device, request, call, parts)
  local ok, list = pcall(driver.list, device)
  if not ok then
    reason(list)
    refuse(500, parts[2] and "Internal Error: Could not get templateset " .. parts[2]
      or "Internal Error: Could not get templatesets list")
  end
  if parts[2] then
    if not state_of(device).sets[parts[2]] then
      refuse(404, "Template set %s does not exist", parts[2])
    end
    return shown(call, set_data(device, parts[2], list))
  end
  local result, hidden = json.array {}, request.query.showDisabled ~= nil
  for _, name in ipairs(sets.names(device)) do
    local data = set_data(device, name, list)
    if data.enabled ~= hidden then result[#result + 1] = data end
  end
  return listed(call, result, function(one) return one.name end)
end

local function post_set(device, request, call)
  local body = request.json or {}
  if body.gitHubRepo or body.gitLabRepo then
    refuse(404, "failed fetching: the simulated device reads no template sets from a network")
  end
  if type(body.name) ~= "string" or body.name == "" then
    refuse(400, "Client Error: Must supply one of the following parameters: name, gitHubRepo, "
      .. "gitLabRepo")
  end
  sets.install(device, body.name, body.gitSubDir)
  return answer(call, 200, "")
end

local function delete_sets(device, _, call, parts)
  if not parts[2] then
    for _, name in ipairs(sets.names(device)) do sets.remove(device, name) end
    return answer(call, 200, "success")
  end
  sets.get(device, parts[2])
  local used = json.array {}
  for _, template in ipairs(set_data(device, parts[2], driver.list(device)).templates) do
    table.move(template.appsList, 1, #template.appsList, #used + 1, used)
  end
  if #used > 0 then
    refuse(400, "Cannot delete template set %s, it is being used by:\n%s", parts[2],
      ordered.json(used))
  end
  sets.remove(device, parts[2])
  return answer(call, 200, "success")
end

-- -- the rest --

local function get_info(device, _, call)
  local ok, list = pcall(driver.list, device)
  if not ok then
    reason(list)
    refuse(500, "Internal Error: Could not gather info.")
  end
  local installed = json.array {}
  for i, name in ipairs(sets.names(device)) do installed[i] = set_data(device, name, list) end
  return shown(call, {
    version = extensions.version(device, "fast"), as3Info = driver.info(device),
    installedTemplates = installed, config = driver.settings(device),
  })
end

local function post_render(device, request, call)
  local message = json.array {}
  for i, one in ipairs(render(device, wanted_of(request))) do
    message[i] = { appDef = one.definition, metaData = one.meta }
  end
  return answer(call, 200, message)
end

local function get_settings(device, _, call) return shown(call, driver.settings(device)) end

local function set_settings(device, request, call)
  local before = request.method == "PATCH" and driver.settings(device) or {}
  for name, value in pairs(request.json or {}) do before[name] = value end
  local problem = settings.problem(before)
  if problem then refuse(422, "Client Error: Supplied settings were not valid:\n%s", problem) end
  state_of(device).settings = before
  return answer(call, 200, "")
end

local function delete_settings(device, _, call)
  state_of(device).settings = nil
  return answer(call, 200, "success")
end

local ROUTES <const> = {
  info = { GET = get_info },
  templates = { GET = get_templates },
  templatesets = { GET = get_sets, POST = post_set, PUT = post_set, DELETE = delete_sets },
  applications = {
    GET = get_applications, POST = post_applications, PUT = post_applications,
    DELETE = delete_applications, PATCH = patch_applications,
  },
  tasks = { GET = get_tasks },
  render = { POST = post_render, PUT = post_render },
  settings = {
    GET = get_settings, POST = set_settings, PUT = set_settings, PATCH = set_settings,
    DELETE = delete_settings,
  },
}

--- Answers a request.
function M.handle(device, request)
  local state = state_of(device)
  state.requests = state.requests + 1
  local parts = table.move(request.segments, 4, #request.segments, 1, {})
  local call = {
    id = state.requests,
    path = PREFIX .. (#parts > 0 and "/" .. table.concat(parts, "/") or ""),
  }
  local kind = tostring(request.headers["content-type"])
  local needs_json = request.method == "POST" or request.method == "PATCH"
  if needs_json and kind ~= "application/json" then
    return answer(call, 400, "Content-Type application/json is required, got "
      .. (request.headers["content-type"] or "undefined"))
  end
  local run = (ROUTES[parts[1]] or {})[request.method]
  if not run then return answer(call, 404, "Client Error: unknown endpoint undefined") end
  local ok, response = pcall(run, device, request, call, parts)
  if ok then return response end
  if type(response) == "table" and response.status and response.body then return response end
  local text, status = reason(response)
  return answer(call, status or 400, text)
end

--- Tasks that wait for their turn do not survive a restart of restnoded.
function M.restarted(device)
  if state_of(device) then driver.forget(device) end
end

function M.install(device)
  if not state_of(device) then
    device.state.extensions.fast = { sets = {} }
    driver.forget(device)
  end
  driver.install(device)
end

return M
