-- Declarations of DO: checked against the facts of its schemas, then against its other rules, then
-- for what the simulated device does not have.
local classes = require "sim.extensions.onboarding.classes"
local documents = require "sim.extensions.check.documents"
local formats = require "sim.extensions.onboarding.formats"
local json = require "f5.json"
local orders = require "sim.extensions.order"
local validate = require "sim.extensions.check.validate"

local M = {}

local BASE <const> = "do.schema.json"
local MAX_NAME <const> = 31

local resolve = documents.resolver "sim.extensions.onboarding.facts"

-- The path of a value as the validator of DO writes it: names that the schema does not know are in
-- brackets.
local function path_of(pointer)
  local parts, depth = {}, 0
  for name in pointer:gmatch "[^/]+" do
    depth = depth + 1
    name = name:gsub("~1", "/"):gsub("~0", "~")
    local is_object = depth == 3 and parts[2] == ".Common"
    if name:find "^%d+$" then
      parts[depth] = "[" .. name .. "]"
    elseif is_object or not name:find "^[%a_$][%w_$]*$" then
      parts[depth] = "['" .. name .. "']"
    else
      parts[depth] = "." .. name
    end
  end
  return table.concat(parts)
end

local function shown(one)
  return {
    keyword = one.keyword, dataPath = path_of(one.path), schemaPath = one.schema_path,
    params = one.params, message = one.message,
  }
end

local function check_schema(wrapper, order)
  local wrong = validate.value({
    resolve = resolve, coerce = true, schema_paths = true, formats = formats,
  }, resolve("#", BASE), wrapper, BASE, order)
  if not wrong then return nil end
  local list = json.array {}
  for i, one in ipairs(wrong) do list[i] = shown(one) end
  return list
end

-- -- other rules --

-- The objects of a class: name -> object.
local function of_class(declaration, class)
  local found = {}
  for name, object in pairs(declaration.Common or {}) do
    if type(object) == "table" and object.class == class then found[name] = object end
  end
  return found
end

local function check_system(declaration, add)
  for _, system in pairs(of_class(declaration, "System")) do
    local dhcp, kept = system.mgmtDhcpEnabled, system.preserveOrigDhcpRoutes
    if dhcp ~= nil and kept ~= nil and dhcp ~= kept then
      add "the values of mgmtDhcpEnabled and preserveOrigDhcpRoutes must match"
    end
    if declaration.Common.hostname and system.hostname and system.hostname ~= "bigip1" then
      add "multiple hostnames in declaration"
    end
  end
end

local function check_users(declaration, add)
  local users = of_class(declaration, "User")
  for _, name in ipairs(orders.keys(users)) do
    local user = users[name]
    if name == "root" then
      if user.userType == "regular" then add "root must have userType root" end
    else
      if user.userType == "root" then add(name .. " must have userType regular") end
      if #name > MAX_NAME then
        add(name .. " is too long. User names must be less than 32 characters")
      end
    end
  end
end

-- -- what is not simulated --

-- Members of a certificate that DO would read from somewhere else.
local function has_source(value)
  if type(value) ~= "table" then return false end
  if value.url ~= nil then return true end
  for _, inner in pairs(value) do
    if has_source(inner) then return true end
  end
  return false
end

-- What a request may say about the device that is meant: it is always the own one.
local TARGET <const> = {
  targetHost = { localhost = true }, targetPort = { [0] = true },
}

local function check_simulated(wrapper, add)
  local declaration = wrapper.declaration
  for name, value in pairs(wrapper) do
    local is_own = name == "targetTimeout" or TARGET[name] and TARGET[name][value]
    if name:find "^target" and not is_own then
      add(("%s: other devices than the own one are not simulated"):format(name))
    end
  end
  if declaration.webhook then add "webhook: calls of other hosts are not simulated" end
  local common = declaration.Common or {}
  for _, name in ipairs(orders.keys(common)) do
    local object = common[name]
    local class = type(object) == "table" and object.class
    if class then
      local reason = classes.not_simulated(class)
      if reason then add(("/Common/%s: %s"):format(name, reason)) end
      if has_source(object) then
        add(("/Common/%s: texts behind a URL are not simulated"):format(name))
      end
    end
  end
end

--- Checks a wrapper { class = "DO", declaration = … } and fills in defaults. Returns nil, or what
--- is wrong: a list as DO answers it.
-- @param order the order of the members (sim/extensions/order.lua), or nil
function M.check(wrapper, order)
  local wrong = check_schema(wrapper, order)
  if wrong then return wrong end
  for _, check in ipairs { check_system, check_users } do
    local list = json.array {}
    check(wrapper.declaration, function(message) list[#list + 1] = message end)
    if #list > 0 then return list end
  end
  local list = json.array {}
  check_simulated(wrapper, function(message) list[#list + 1] = message end)
  table.sort(list)
  return #list > 0 and list or nil
end

return M
