-- The configuration of the device in the form of parse.lua, so that both can be compared.
local calls = require "sim.extensions.onboarding.calls"
local classes = require "sim.extensions.onboarding.classes"
local json = require "f5.json"
local regex = require "sim.extensions.check.pattern"
local tables = require "sim.tables"

local M = {}

local COMMON <const> = "/Common/"

local function short(value)
  if type(value) == "string" and value:sub(1, #COMMON) == COMMON then
    return value:sub(#COMMON + 1)
  end
  return value
end

-- -- properties --

local function part_of(rule, value)
  local found
  if rule.extract then
    found = json.array {}
    for i, entry in ipairs(value) do
      found[i] = type(entry) == "table" and entry[rule.extract] or entry
    end
    return found
  end
  found = tables.copy(value[rule.id])
  for _, name in ipairs(rule.removeKeys or {}) do
    for _, inner in pairs(type(found) == "table" and found or {}) do
      if type(inner) == "table" then inner[name] = nil end
    end
  end
  if rule.truth ~= nil and found == nil then found = rule.falsehood end
  return found
end

-- A property that is an object, or a list of objects or texts.
local function transformed(property, value)
  if property.transformAsArray then
    local rule = property.transform[1]
    if rule.extract then return part_of(rule, value) end
    local list = tables.copy(value)
    table.sort(list)
    return list
  end
  if json.is_array(value) then
    local list = json.array {}
    for i, item in ipairs(value) do list[i] = transformed(property, item) end
    return list
  end
  local object = {}
  for _, rule in ipairs(property.transform) do object[rule.id] = part_of(rule, value) end
  return object
end

local NO_LINKS <const> = { kind = true, selfLink = true }

-- A value without links and what only the REST service says.
local function bare(value)
  if type(value) ~= "table" or value == json.null then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do
    local is_link = type(key) == "string" and (NO_LINKS[key] or key:find "Reference$")
    if not is_link then copy[key] = bare(item) end
  end
  return copy
end

local function value_of(property, object)
  local value = bare(object[property.id])
  if property.truth and (value ~= nil or not property.skipWhenOmitted) then
    value = value or property.falsehood
  end
  if value == nil then return tables.copy(property.defaultWhenOmitted) end
  if not property.retainCommon then value = short(value) end
  if property.transform and type(value) == "table" then value = transformed(property, value) end
  if property.stringToInt then value = math.tointeger(tonumber(value)) or value end
  return value
end

-- The members of a reference, which the request has expanded; or the same as a list of the object.
local function referred(rules, reference, members)
  local list = json.array {}
  if type(reference) == "table" then members = reference.items end
  for i, object in ipairs(type(members) == "table" and members or {}) do
    list[i] = { name = object.name, placeAfter = object.placeAfter }
    for _, rule in ipairs(rules) do list[i][rule.id] = value_of(rule, object) end
  end
  return list
end

--- The properties of an object that DO looks at.
function M.properties(item, object)
  local found = {}
  for _, property in ipairs(item.properties) do
    if property.dereferenceId then
      local inner = property.dereferenceId
      local members = object[inner] or object[property.id:match "^(.-)Reference$"]
      found[inner] = referred(item.references[property.id], object[property.id], members)
    else
      found[property.id] = value_of(property, object)
    end
  end
  return found
end

-- -- classes --

local function is_ignored(item, object)
  for _, rule in ipairs(item.ignore or {}) do
    local name, pattern = next(rule)
    if object[name] and regex.matches(pattern, object[name]) then return true end
  end
  return false
end

local function is_in(item, object)
  if item.partitions then
    for _, name in ipairs(item.partitions) do
      if object.partition == name then return true end
    end
    return false
  end
  return object.partition == nil or object.partition == "Common"
end

local function has_modules(device, item)
  for _, needed in ipairs(item.requiredModules or {}) do
    -- versions that need it no more: all that are simulated
    local counts = needed.module and not needed.maxVersion
    if counts and not device:is_provisioned(needed.module) then return false end
  end
  return true
end

-- One object of a kind with several.
local function add_named(config, item, object)
  local class = item.schemaClass
  local found = M.properties(item, object)
  local name = short(object.name)
  if item.singleValue then
    config[class][object.name] = found[item.properties[1].id]
    return
  end
  if class == "Route" then found.localOnly = object.partition == "LOCAL_ONLY" end
  if class == "ManagementRoute" then
    name = object.fullPath:match "^/Common/(.*)$" or name
    found.fullPath = nil
    if found.gateway == "none" and found.type then found.gateway = nil end
  end
  if class == "MAC_Masquerade" then found.trafficGroup = name end
  if class:find "^Firewall" or class:find "^Net" then found.fullPath = nil end
  if not item.nameless then found.name = name end
  if class == "GSLBDataCenter" then found.disabled = object.disabled end
  found.monitorType = item.path:match "^/tm/gtm/monitor/(.+)$"
  if item.path:find "/vxlan$" then
    -- the profile of a tunnel has its name
    local tunnel = config[class][name:match "^(.*)_vxlan$" or ""]
    if tunnel then
      found.name = nil
      for key, value in pairs(found) do tunnel[key] = value end
      tunnel.profile = "vxlan"
    end
    return
  end
  config[class][name] = found
end

local SERVERS <const> = { system_auth_name1 = "primary", system_auth_name2 = "secondary" }

-- Objects of Authentication, which all belong into one.
local function add_part(config, item, object)
  local class = item.schemaClass
  config[class] = config[class] or {}
  local found = M.properties(item, object)
  if type(found.sslCiphers) == "string" then
    local list = json.array {}
    for word in found.sslCiphers:gmatch "[^:]+" do list[#list + 1] = word end
    found.sslCiphers = list
  end
  local path = item.schemaMerge and item.schemaMerge.path
  local target = config[class]
  if path then
    local dotted = table.concat(path, ".")
    if path[#path] == "servers" then
      local name = SERVERS[object.name]
      if name then classes.set(target, dotted .. "." .. name, found) end
      return
    end
    classes.set(target, dotted, found)
    return
  end
  for key, value in pairs(found) do target[key] = value end
end

local function read_db(device, config, wanted_names)
  for name in pairs(wanted_names) do
    local object = calls.get(device, "/tm/sys/db/" .. name:lower())
    if object then config.DbVariables[name] = object.value end
  end
end

local function path_of(device, item)
  if item.path:find "{{deviceName}}" then return calls.own_path(device) end
  return item.path
end

local function read_item(device, config, item, db_names)
  local class = item.schemaClass
  config[class] = config[class] or {}
  if class == "DbVariables" then return read_db(device, config, db_names) end
  local answer = calls.get(device, path_of(device, item) .. "?expandSubcollections=true")
  if not answer then return end
  if class == "Authentication" then
    for _, object in ipairs(answer.items or { answer }) do add_part(config, item, object) end
    return
  end
  if answer.items then
    for _, object in ipairs(answer.items) do
      if is_in(item, object) and not is_ignored(item, object) then
        add_named(config, item, object)
      end
    end
    return
  end
  local part = item.schemaMerge and item.schemaMerge.path
  if part then
    classes.set(config[class], table.concat(part, "."), M.properties(item, answer))
    return
  end
  for key, value in pairs(M.properties(item, answer)) do config[class][key] = value end
end

--- The configuration of the device.
-- @param db_names set of the variables that count
function M.read(device, db_names)
  local config = {}
  for _, item in ipairs(classes.items()) do
    if item.path and has_modules(device, item) then read_item(device, config, item, db_names) end
  end
  return config
end

return M
