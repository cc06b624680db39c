-- What AS3 makes of a tenant: a list of BIG-IP objects in tmsh spelling.
--
--   local objects, uploads = map("T", tenant, context)
--
-- `tenant` is the tenant of the declaration with all defaults filled in. `context` has:
--   version      the version of BIG-IP
--   provisioned  function(module): whether "asm" is provisioned
--   tenants      all tenants of the declaration, with defaults: pointers may lead to /Common/Shared
--   original     the tenant as it was sent, without defaults (default: `tenant`)
--   exists       function(kind, path): whether the device has such an object
--   fetch        function(url): the text behind a URL, or nil; nil: no URL can be read
--
-- An object is { path =, kind =, properties = }, an upload { object =, path =, content = }, where
-- `path` is a place on the device. Mistakes are raised as { path =, message = }.
local properties = require "sim.extensions.as3.map.properties"
local files = require "sim.kinds.common.files"
local references = require "sim.extensions.as3.map.references"
local turns = require "sim.turns"

local handlers = {}
for _, name in ipairs {
  "certificate", "data", "monitor", "persist", "policy", "pool", "profile", "service", "tls",
  "http_profile", "feature_profile", "firewall", "lists", "network", "names.dns", "names.gslb",
  "logs.security",
} do
  for class, handler in pairs(require("sim.extensions.as3.map." .. name)) do
    handlers[class] = handler
  end
end

-- What a handler gets: where it is, and where its objects go.
local At = {}
At.__index = At

--- The path of an item of this application.
function At:path(name)
  return ("/%s/%s/%s"):format(self.tenant, self.app, name)
end

--- The path of an object at the root of the tenant; for Common that is /Common/Shared.
function At:root(name)
  if self.tenant == "Common" then return "/Common/Shared/" .. name end
  return ("/%s/%s"):format(self.tenant, name)
end

--- The path of an object at the root of the partition.
function At:root_only(name)
  return ("/%s/%s"):format(self.tenant, name)
end

--- The route domain of addresses that name none: "%2", or "" for 0.
function At:domain()
  local domain = self.declared.defaultRouteDomain
  if not math.type(domain) or domain == 0 then return "" end
  return ("%%%d"):format(domain)
end

function At:properties(kind, item)
  return properties.of(kind, item, self.context)
end

--- Adds an object. One that is there already takes over the new properties.
function At:add(kind, path, props)
  local key = kind .. " " .. path
  local object = self.seen[key]
  if object then
    object.properties = props
    return
  end
  object = { kind = kind, path = path, properties = props }
  self.seen[key] = object
  self.objects[#self.objects + 1] = object
end

--- A file that is uploaded before the object at `path` is made of it. Returns its place on the
--- device, and its checksum.
function At:upload(path, content)
  local place = "/var/config/rest/downloads/" .. path:gsub("/", "_")
  self.uploads[#self.uploads + 1] = { object = path, path = place, content = content }
  return "file:" .. place, files.checksum(content)
end

--- From now on, `new` stands wherever the objects name `old`.
function At:replace(old, new)
  self.replaced[old] = new
end

local function sorted(items)
  local names = {}
  for name in pairs(items) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function replace(value, replaced)
  if type(value) ~= "table" then return replaced[value] or value end
  for key, inner in pairs(value) do value[key] = replace(inner, replaced) end
  return value
end

local function application(at, app, name)
  at.app = name
  at:add("sys folder", ("/%s/%s"):format(at.tenant, name), {})
  for _, item_name in ipairs(sorted(app)) do
    turns.pause()
    local item = app[item_name]
    local class = type(item) == "table" and item.class
    if class and class ~= "Constants" then
      local handler = handlers[class]
      local path = at:path(item_name)
      if not handler then
        references.fail(path, ("class %s is not simulated"):format(class))
      end
      at.place = path
      handler(at, references.texts(at, references.absolute(at, item, path), path), item_name)
    end
  end
end

local function has_applications(tenant)
  for _, item in pairs(tenant) do
    if type(item) == "table" and item.class == "Application" then return true end
  end
  return false
end

return function(tenant_name, tenant, context)
  local at = setmetatable({
    tenant = tenant_name,
    declared = tenant,
    context = context,
    tenants = context.tenants or { [tenant_name] = tenant },
    original = context.original or tenant,
    objects = {},
    uploads = {},
    seen = {},
    replaced = {},
    handlers = handlers,
  }, At)
  if tenant.enable == false or not has_applications(tenant) then return {}, {} end
  if tenant_name ~= "Common" then
    at:add("auth partition", "/" .. tenant_name, at:properties("auth partition", tenant))
  end
  for _, name in ipairs(sorted(tenant)) do
    local app = tenant[name]
    if type(app) == "table" and app.class == "Application" then application(at, app, name) end
  end
  if next(at.replaced) then
    for _, object in ipairs(at.objects) do replace(object.properties, at.replaced) end
  end
  return at.objects, at.uploads
end
