-- The configuration of the device as a declaration: parse.lua the other way round.
local bgp = require "sim.extensions.onboarding.bgp"
local classes = require "sim.extensions.onboarding.classes"
local current = require "sim.extensions.onboarding.current"
local fixes = require "sim.extensions.onboarding.fixes"
local json = require "f5.json"
local order = require "sim.extensions.order"
local schema = require "sim.extensions.onboarding.schema"
local tables = require "sim.tables"

local M = {}

-- Classes that a declaration of this kind leaves out.
local SILENT <const> = {
  DbVariables = true, DeviceGroup = true, TrafficGroup = true, MAC_Masquerade = true,
}

-- The value of a property in a declaration; nil: it is left out.
local function value_of(property, value)
  if property.truth ~= nil then
    if value == nil and property.skipWhenOmitted then return nil end
    return value == property.truth
  end
  local default = property.defaultWhenOmitted
  if value == "none" or default ~= nil and tables.same(value, default) then return nil end
  return value
end

local function rename(value, rules)
  if type(value) ~= "table" then return end
  if json.is_array(value) then
    for _, item in ipairs(value) do rename(item, rules) end
    return
  end
  for _, rule in ipairs(rules) do
    local found = value[rule.id]
    value[rule.id] = nil
    classes.set(value, rule.newId or rule.id, value_of(rule, found))
  end
end

local declared

local function one(property, item, source, target)
  local inner = property.dereferenceId
  if inner then
    for _, entry in ipairs(type(target[inner]) == "table" and target[inner] or {}) do
      declared(item.references[property.id], item, entry)
    end
    return
  end
  local value = value_of(property, source[property.id])
  local named = property.transform and property.transform[1].newId
  if named then rename(value, property.transform) end
  if value ~= nil then classes.set(target, property.newId or property.id, value) end
end

-- Gives the members of an object the names and values of declarations.
function declared(properties, item, object)
  local source = tables.copy(object)
  for _, property in ipairs(properties) do object[property.id] = nil end
  for _, property in ipairs(properties) do one(property, item, source, object) end
end

local function translate(class, object)
  for _, item in ipairs(classes.of(class)) do
    local only = item.schemaMerge and item.schemaMerge.specificTo
    local fits = not only or object[only.property] == only.value
    local path = item.schemaMerge and item.schemaMerge.path
    if fits and not path then
      declared(item.properties, item, object)
    elseif fits then
      local part = classes.get(object, table.concat(path, "."))
      local is_servers = path[#path] == "servers"
      for _, inner in pairs(type(part) ~= "table" and {} or is_servers and part or { part }) do
        declared(item.properties, item, inner)
      end
    end
  end
end

-- -- classes --

local last = {}

function last.Authentication(auth)
  local ldap = auth.ldap
  if ldap then ldap.sslCaCert, ldap.sslClientCert, ldap.sslClientKey = nil, nil, nil end
  if not (auth.radius and auth.radius.servers and auth.radius.servers.primary) then
    auth.radius = nil
  end
end

function last.DNS_Resolver(resolver)
  for _, zone in ipairs(resolver.forwardZones or {}) do
    for i, server in ipairs(zone.nameservers or {}) do zone.nameservers[i] = server.name end
  end
end

-- The address of the management port is not an address to a declaration.
function last.FailoverUnicast(unicast)
  local list = json.array {}
  for _, pair in ipairs(unicast.addressPorts or {}) do
    if pair.address ~= "management-ip" then list[#list + 1] = pair end
  end
  unicast.addressPorts = #list > 0 and list or nil
end

-- Modules that are not named are not provisioned.
function last.Provision(modules)
  for name, level in pairs(tables.copy(modules)) do
    if level == "none" then modules[name] = nil end
  end
end

function last.System(system)
  system.preserveOrigDhcpRoutes = system.mgmtDhcpEnabled
end

function last.Analytics(analytics)
  if not analytics.offboxEnabled then analytics.offboxProtocol = nil end
end

function last.SecurityAnalytics(settings)
  local rules = settings.collectStaleRulesEnabled
  if type(rules) == "table" then settings.collectStaleRulesEnabled = rules.collect == "enabled" end
end

local function one_word(object)
  if type(object.allow) == "table" and object.allow[1] == "all" then object.allow = "all" end
end

last.SSHD, last.HTTPD = one_word, one_word

last.RoutingBGP = bgp.declared

function last.GSLBProberPool(pool)
  for _, member in ipairs(pool.members or {}) do member.order = nil end
end

function last.GSLBServer(server)
  for _, one_device in ipairs(server.devices or {}) do
    one_device.address, one_device.name = one_device.name, nil
    one_device.addressTranslation, one_device.translation = one_device.translation, nil
    if one_device.addressTranslation == "none" then one_device.addressTranslation = nil end
  end
end

-- Objects without a member are left out.
local EMPTY <const> = { ConfigSync = true, FailoverUnicast = true, FailoverMulticast = true }

local function add(common, class, name, object, is_named)
  object = tables.copy(object)
  translate(class, object)
  local keeps_name = class == "SnmpCommunity" or class == "SnmpUser"
  if is_named and not keeps_name then object.name = nil end
  if last[class] then last[class](object) end
  if EMPTY[class] and next(object) == nil then return end
  object.class = class
  common[name] = object
end

local function name_of(class, name)
  if class == "ManagementIp" then return "currentManagementIp" end
  if class == "RouteDomain" and name == "0" then return "rd0" end
  return name
end

-- The objects of all classes, by their names in the declaration.
local function objects(config)
  local common = { class = "Tenant" }
  for _, class in ipairs(order.keys(config)) do
    local found = config[class]
    if SILENT[class] or #classes.of(class) == 0 then
      found = {}
    elseif classes.is_nameless(class) then
      if next(found) then add(common, class, "current" .. class, found, false) end
      found = {}
    end
    for _, name in ipairs(order.keys(found)) do
      local is_first = class == "GSLBMonitor" and classes.stays(class, name)
      if not is_first then add(common, class, name_of(class, name), found[name], true) end
    end
  end
  return common
end

--- Returns the declaration, and what is wrong with it; nil if it can be sent.
function M.run(device, version)
  local config = current.read(device, { ["config.auditing"] = true })
  fixes.current(config)
  local body = {
    class = "DO", declaration = {
      class = "Device", schemaVersion = version, Common = objects(config),
    },
  }
  return body, schema.check(tables.copy(body))
end

return M
