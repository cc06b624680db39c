-- Declarations of single applications: /declare/TENANT/applications, since AS3 3.50. Other
-- applications of the tenant stay as they are.
local requests = require "sim.extensions.as3.requests"
local stored = require "sim.extensions.as3.stored"
local tables = require "sim.tables"
local version = require "sim.extensions.as3.version"

local M = {}

local function is_application(value)
  return type(value) == "table" and value.class == "Application"
end

--- What a request for applications asks for: the tenant, the application of the path, and the
--- request with a declaration of the tenant.
function M.read(device, request, parts)
  local allowed = version.per_app(device)
  if allowed == nil then requests.refuse(400, "Bad Request: Invalid path") end
  if not allowed then
    requests.refuse(400, "Per-application deployment has been disabled on the settings endpoint")
  end
  if parts[2]:find(",", 1, true) or (parts[4] or ""):find(",", 1, true) then
    requests.refuse(400, "declare/%s is an invalid path. Only 1 tenant and 1 application may be "
      .. "specified in the URL.", table.concat(parts, "/", 2))
  end
  local app = { tenant = parts[2], name = parts[4], names = {} }
  if request.method ~= "POST" then return app end
  local body = request.json
  if type(body) ~= "table" or #body > 0 then
    requests.refuse(422, "declaration should be an object")
  end
  if body.class == "ADC" or body[app.tenant] ~= nil then return app end
  local tenant, outer = { class = "Tenant" }, { class = "ADC" }
  for key, value in pairs(body) do
    if is_application(value) then
      tenant[key] = value
      app.names[key] = true
    elseif key == "controls" then
      tenant.controls = value
    else
      outer[key] = value
    end
  end
  if not next(app.names) then
    requests.refuse(422, "Invalid data property: Per-app declaration must contain at least one "
      .. "application")
  end
  outer[app.tenant] = tenant
  app.request = setmetatable({ json = outer }, { __index = request })
  return app
end

--- Adds the other applications of the tenant, or takes one away.
function M.prepare(device, task, app)
  local previous = stored.get(device)
  local kept = previous and previous[app.tenant]
  if task.action == "remove" then
    if not kept then
      requests.refuse(404, "specified Tenant(s) '%s' not found in declaration", app.tenant)
    end
    if not is_application(kept[app.name]) then
      requests.refuse(404, "specified Application '%s' not found in '%s'", app.name, app.tenant)
    end
    kept[app.name] = nil
    task.declaration[app.tenant] = kept
    return
  end
  if not kept then return end
  for key, value in pairs(task.declaration[app.tenant]) do kept[key] = value end
  if not task.declaration[app.tenant].controls then kept.controls = nil end
  task.declaration[app.tenant] = kept
end

--- A declaration in the form of single applications.
function M.form(declaration, app)
  local shown = { schemaVersion = declaration.schemaVersion }
  for key, value in pairs(declaration[app.tenant] or {}) do
    local wanted = is_application(value)
      and (app.name == nil and not next(app.names) or app.name == key or app.names[key])
    if wanted then shown[key] = value end
  end
  return tables.copy(shown)
end

--- An answer with its declaration in this form.
function M.shown(body, app)
  if type(body.declaration) ~= "table" or body.errors then return body end
  local copy = {}
  for key, value in pairs(body) do copy[key] = value end
  copy.declaration = next(body.declaration) and M.form(body.declaration, app) or body.declaration
  return copy
end

return M
