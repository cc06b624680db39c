-- A declaration of DO as the configuration that it wants: { class = { name = object } }, or { class
-- = object } where there is only one. Names and values are those of the device.
local classes = require "sim.extensions.onboarding.classes"
local digest = require "sim.digest"
local json = require "f5.json"
local modules = require "sim.modules"
local tables = require "sim.tables"

local M = {}

-- -- pointers --

local function meaning(declaration, pointer)
  local value = declaration
  for name in pointer:gmatch "[^/]+" do
    if type(value) ~= "table" then return nil end
    local index = math.tointeger(tonumber(name))
    if index and json.is_array(value) then
      value = value[index + 1]
    else
      value = value[name]
    end
  end
  return value
end

-- Replaces pointers to texts by these texts. Others are names such as /Common/vlan.
local function follow(declaration, object)
  for key, value in pairs(object) do
    if type(value) == "string" and value:sub(1, 1) == "/" then
      local found = meaning(declaration, value)
      if type(found) == "string" then object[key] = found end
    elseif type(value) == "table" and value ~= json.null then
      follow(declaration, value)
    end
  end
end

-- Texts in Base64 as what they mean.
local function decode(object)
  for key, value in pairs(object) do
    if type(value) == "table" and value ~= json.null then
      if type(value.base64) == "string" then
        object[key] = digest.unbase64(value.base64) or value.base64
      else
        decode(value)
      end
    end
  end
end

-- -- names and values --

local rename

-- The members of a property that is an object or a list of objects.
local function transform(value, rules)
  if type(value) ~= "table" then return end
  if json.is_array(value) then
    for _, item in ipairs(value) do transform(item, rules) end
    return
  end
  for _, rule in ipairs(rules) do
    local given = rule.newId or rule.id
    local found = classes.get(value, given)
    if found == nil then found = classes.get(value, rule.id) end
    if given ~= rule.id then value[given:match "^[^.]+"] = nil end
    classes.set(value, rule.id, classes.word(found, rule))
  end
end

local function is_plain(property)
  for _, rule in ipairs(property.transform or {}) do
    if rule.newId or rule.truth then return false end
  end
  return true
end

local function one(property, item, source, target, gone)
  local given = property.newId or property.id
  local value = classes.get(source, given)
  if value == nil then value = source[property.id] end
  value = classes.word(value, property)
  if value ~= nil then target[property.id] = value end
  if property.newId and property.newId ~= "name" then
    gone[#gone + 1] = property.newId:match "^[^.]+"
  end
  if not is_plain(property) then transform(target[property.id], property.transform) end
  local inner = property.dereferenceId
  for _, entry in ipairs(inner and type(target[inner]) == "table" and target[inner] or {}) do
    rename(item.references[property.id], item, entry)
  end
end

-- Gives the members of an object the names and values of the device.
function rename(properties, item, object)
  local gone, kept = {}, {}
  local source = tables.copy(object)
  for _, property in ipairs(properties) do
    one(property, item, source, object, gone)
    kept[property.id] = true
  end
  for _, name in ipairs(gone) do
    if not kept[name] then object[name] = nil end
  end
end

local function fits(item, object)
  local only = item.schemaMerge and item.schemaMerge.specificTo
  return not only or object[only.property] == only.value
end

local function translate(class, object)
  local list = {}
  for _, item in ipairs(classes.of(class)) do
    if fits(item, object) then list[#list + 1] = item end
  end
  for _, item in ipairs(list) do
    local path = item.schemaMerge and item.schemaMerge.path
    if not path then
      rename(item.properties, item, object)
    else
      local part = classes.get(object, table.concat(path, "."))
      if type(part) == "table" then
        local is_servers = path[#path] == "servers"
        for _, inner in pairs(is_servers and part or { part }) do
          rename(item.properties, item, inner)
        end
      end
    end
  end
end

-- -- objects --

local function add(wanted, class, name, object)
  if not classes.is_nameless(class) and #classes.of(class) > 0 or class == "User" then
    wanted[class] = wanted[class] or {}
    wanted[class][name] = object
    return
  end
  wanted[class] = wanted[class] or {}
  for key, value in pairs(object) do wanted[class][key] = value end
end

--- The configuration that a declaration wants.
function M.wanted(declaration)
  local wanted = {}
  local common = tables.copy(declaration.Common or {})
  for name, object in pairs(common) do
    if type(object) == "table" and object.class then
      local class = object.class
      object.class = nil
      follow(declaration, object)
      decode(object)
      if class == "Provision" then
        for _, module in ipairs(modules) do object[module] = object[module] or "none" end
      end
      local is_named = not classes.is_nameless(class) and #classes.of(class) > 0
      if is_named and object.name == nil then object.name = name end
      translate(class, object)
      if is_named and (class == "SnmpCommunity" or class == "SnmpUser") then object.name = name end
      object.label = nil
      add(wanted, class, name, object)
    end
  end
  if type(common.hostname) == "string" then
    wanted.System = wanted.System or {}
    wanted.System.hostname = common.hostname
  end
  return wanted
end

return M
