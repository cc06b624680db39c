-- What AS3 checks of a declaration before it touches a tenant: words, schema, repeated values,
-- pointers, modules, nodes. Defaults are filled in.
local existing = require "sim.extensions.as3.check.existing"
local properties = require "sim.extensions.as3.map.properties"
local stored = require "sim.extensions.as3.stored"
local tables = require "sim.tables"
local validate = require "sim.extensions.as3.check.validate"
local words = require "sim.extensions.as3.check.words"

local M = {}

local function mistake(path, message, ...)
  return { path = path, message = select("#", ...) > 0 and message:format(...) or message }
end

-- -- repeated values --

local UNIQUE <const> = {
  "rules", "doNotProxyHosts", "members", "certificates", "tcpOptions", "monitors",
  "persistenceMethods", "iRules",
}

local function has_repeated(list)
  for i = 2, #list do
    for j = 1, i - 1 do
      if tables.same(list[i], list[j]) then return true end
    end
  end
  return false
end

local function find_repeated(value, name)
  for key, item in pairs(value) do
    if type(item) == "table" then
      if key == name and #item > 0 and has_repeated(item) then return true end
      if find_repeated(item, name) then return true end
    end
  end
  return false
end

-- The name of a list that has the same value twice.
local function repeated(declaration)
  for _, name in ipairs(UNIQUE) do
    if find_repeated(declaration, name) then return name end
  end
  return nil
end

-- -- pointers --

-- What a pointer from a path means: nil and a message if it means nothing.
local function follow(declaration, pointer, path)
  if not pointer:find "^[A-Za-z_@/0-9][A-Za-z0-9_./@-]*#?$" or pointer == "#" then
    return nil, "contains an invalid path (invalid character)"
  end
  local from = {}
  for word in path:gmatch "[^/]+" do from[#from + 1] = word end
  if not pointer:find "^[A-Za-z_/]" then return true end -- relative ones are for the mapping
  if pointer:find("#", 1, true) then return true end
  local absolute = pointer:sub(1, 1) == "/"
  local list = absolute and {} or { from[1], from[2] }
  for word in pointer:gmatch "[^/]+" do list[#list + 1] = word end
  local at = declaration
  for i, word in ipairs(list) do
    if word == "@" then word = from[i] or word end
    local key = type(at) == "table" and #at > 0 and tonumber(word)
    at = type(at) == "table" and at[key and key + 1 or word] or nil
    if at == nil then return nil, "contains path to non-existent object " .. word end
  end
  return at
end

local function check_pointer(declaration, entry)
  local pointer = entry.value
  if type(pointer) ~= "string" or pointer == "" then return nil end
  local target, problem = follow(declaration, pointer, entry.path)
  if not target then return mistake(entry.path, problem) end
  local wanted = entry.data
  if target == true or type(wanted) ~= "table" or type(wanted.properties) ~= "table" then
    return nil
  end
  local class = wanted.properties.class
  local good = type(target) == "table"
  for _, name in ipairs(wanted.required or {}) do good = good and target[name] ~= nil end
  if good and class and class.enum then
    local is_known = false
    for _, name in ipairs(class.enum) do is_known = is_known or name == target.class end
    good = is_known
  elseif good and class and class.const then
    good = class.const == target.class
  end
  if good then return nil end
  return mistake(entry.path, "AS3 pointer %s does not point to required object type", pointer)
end

-- -- the device --

local function check_modules(device, entry)
  local list = type(entry.data) == "table" and entry.data or { entry.data }
  for _, module in ipairs(list) do
    if device:is_provisioned(module) then return nil end
  end
  return mistake(entry.path, "One of these F5 modules needs to be provisioned: %s",
    table.concat(list, ", "))
end

-- Whether a declaration as it was sent has something at a path.
local function has(declaration, path)
  local at = declaration
  for word in path:gmatch "[^/]+" do
    if type(at) ~= "table" then return false end
    local number = #at > 0 and math.tointeger(tonumber(word))
    at = at[number and number + 1 or word]
  end
  return at ~= nil
end

-- What older devices do not have is left out; `strict`: it is a mistake.
local function check_version(device, entry, original, warnings)
  local data = type(entry.data) == "table" and entry.data or { version = entry.data }
  if properties.at_least(device.version.version, data.version) then return nil end
  entry.parent[entry.key] = nil
  if not has(original, entry.path) then return nil end
  local what = ("%s.%s"):format(tostring(entry.parent.class), tostring(entry.key))
  if data.strict then
    return mistake(entry.path, "%s is only valid on BIG-IP versions %s and above.", what,
      data.version)
  end
  warnings[#warnings + 1] = {
    tenant = entry.path:match "^/([^/]+)", dataPath = entry.path,
    keyword = "f5PostProcess(minVersion)", params = {},
    message = ("%s ignored. This is only valid on BIG-IP versions %s and above."):format(what,
      data.version),
  }
  return nil
end

-- Addresses of tenants go with their last virtual server.
local function keeps_address(declaration)
  for name, tenant in pairs(declaration) do
    if name ~= "Common" and stored.is_tenant(tenant) then
      for _, app in pairs(tenant) do
        for _, item in pairs(type(app) == "table" and app or {}) do
          local is_address = type(item) == "table" and item.class == "Service_Address"
          if is_address and item.autoDelete == false then return true end
        end
      end
    end
  end
  return false
end

--- Checks a declaration and fills in its defaults. Returns nil and a list of warnings, or { message
--- = } or { path =, message = }.
-- @param original the declaration as it was sent
function M.check(device, declaration, original)
  local word = words.unknown(declaration)
  if word then return { message = "Invalid data property: " .. word } end
  local problem, found = validate.declaration(declaration)
  if problem then return problem end
  local name = repeated(declaration)
  if name then return { message = "declaration has duplicate values in " .. name } end
  local there, warnings = existing.new(device), {}
  for _, entry in ipairs(found) do
    if entry.tag == "pointer" then
      problem = check_pointer(declaration, entry)
    elseif entry.tag == "modules" then
      problem = check_modules(device, entry)
    elseif entry.tag == "minVersion" then
      problem = check_version(device, entry, original, warnings)
    elseif entry.tag == "bigComponent" then
      problem = there:component(entry)
    elseif entry.tag == "node" then
      problem = there:members(entry, declaration)
    elseif entry.tag == "virtualAddress" then
      problem = there:addresses(entry)
    end
    if problem then return problem end
  end
  if keeps_address(declaration) then
    return {
      message = "Disabling auto-delete for service addresses in non-common tenants is not "
        .. "supported.",
    }
  end
  return nil, warnings
end

return M
