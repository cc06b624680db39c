-- What GET shows of the declarations that AS3 keeps, and what answers show of them.
local digest = require "sim.digest"
local json = require "f5.json"
local requests = require "sim.extensions.as3.requests"
local stored = require "sim.extensions.as3.stored"
local tables = require "sim.tables"
local validate = require "sim.extensions.as3.check.validate"

local M = {}

-- The key of a tenant: it changes with its text.
local function hash(tenant)
  local copy = tables.copy(tenant)
  copy.optimisticLockKey = nil
  local text = json.encode(copy, { sort = true })
  return digest.base64(digest.sha256(digest.base64(text)))
end
M.hash = hash

-- Only objects of a class.
local function filter(value, class)
  if type(value) ~= "table" then return nil end
  if value.class == class then return value end
  local found
  for key, item in pairs(value) do
    local kept = type(key) == "string" and filter(item, class)
    if kept then
      found = found or {}
      found[key] = kept
    end
  end
  return found
end

local function dress(declaration, asked)
  -- declarations of the past were checked: this only fills in defaults
  if asked.show == "full" or asked.show == "expanded" then validate.declaration(declaration) end
  if asked.show_hash then
    for _, name in ipairs(stored.tenants(declaration)) do
      declaration[name].optimisticLockKey = hash(declaration[name])
    end
  end
  if asked.filter_class then return filter(declaration, asked.filter_class) or {} end
  return declaration
end

--- An answer whose declaration is shown as the query asks.
function M.shown(_, body, asked)
  if type(body.declaration) ~= "table" or not (asked.show_hash or asked.filter_class
    or asked.show ~= "base")
  then
    return body
  end
  local copy = {}
  for key, value in pairs(body) do copy[key] = value end
  copy.declaration = dress(tables.copy(body.declaration), asked)
  return copy
end

local function check_tenants(declaration, in_path)
  local missing = {}
  for _, name in ipairs(in_path) do
    if declaration[name] == nil then
      missing[#missing + 1] = name
    elseif not stored.is_tenant(declaration[name]) then
      requests.refuse(409, "specified Tenant name '%s' matches non-Tenant property", name)
    end
  end
  if #missing > 0 then
    requests.refuse(404, "specified Tenant(s) '%s' not found in declaration",
      table.concat(missing, ","))
  end
end

local function nothing(in_path)
  if #in_path > 0 then requests.refuse(404, "declaration in specified path not found") end
  return { status = 204 }
end

--- Answers a GET of `declare`.
function M.get(device, asked, in_path, app)
  if asked.age == "list" then
    local list = stored.list(device)
    if #list == 0 then return nothing(in_path) end
    return { status = 200, body = list }
  end
  local declaration = stored.get(device, asked.age)
  if not declaration or #stored.tenants(declaration) == 0 then return nothing(in_path) end
  check_tenants(declaration, in_path)
  if #in_path > 0 then
    local wanted = { Common = true }
    for _, name in ipairs(in_path) do wanted[name] = true end
    for key, value in pairs(declaration) do
      if stored.is_tenant(value) and not wanted[key] then declaration[key] = nil end
    end
  end
  if app then
    local tenant = declaration[app.tenant]
    if app.name and type(tenant[app.name]) ~= "table" then
      requests.refuse(404, "specified Application '%s' not found in '%s'", app.name, app.tenant)
    end
    declaration = require("sim.extensions.as3.per_app").form(declaration, app)
  end
  return { status = 200, body = dress(declaration, asked) }
end

return M
