-- What has to change so that the device has the configuration that a declaration wants.
local classes = require "sim.extensions.onboarding.classes"
local json = require "f5.json"
local order = require "sim.extensions.order"
local tables = require "sim.tables"
local validate = require "sim.config.validate"

local M = {}

local function is_table(value) return type(value) == "table" and value ~= json.null end

--- Whether a value means that there is none.
local function is_nothing(value)
  return value == nil or value == "" or value == "none" or is_table(value) and next(value) == nil
end

local function same(path, wanted, there, list)
  if is_table(wanted) or is_table(there) then return tables.same(wanted, there) end
  return tostring(wanted) == tostring(there)
    or validate.short_address(wanted) == validate.short_address(there)
    or list.is_secret(path, wanted, there)
end

-- Adds the differences of two values. Members that nobody wants do not count.
local function walk(path, wanted, there, list)
  if is_nothing(wanted) and is_nothing(there) then return end
  if is_table(wanted) and is_table(there) and #wanted == #there then
    for _, key in ipairs(#wanted > 0 and {} or order.keys(wanted)) do
      local inner = table.move(path, 1, #path, 1, json.array {})
      inner[#inner + 1] = key
      walk(inner, wanted[key], there[key], list)
    end
    for i, item in ipairs(wanted) do
      local inner = table.move(path, 1, #path, 1, json.array {})
      inner[#inner + 1] = i - 1
      walk(inner, item, there[i], list)
    end
    return
  end
  if same(path, wanted, there, list) then return end
  list[#list + 1] = {
    kind = there == nil and "N" or wanted == nil and "D" or "E", path = path, lhs = there,
    rhs = wanted,
  }
end

local function compare_named(class, wanted, there, found)
  for _, name in ipairs(order.keys(wanted)) do
    local before = #found.list
    walk(json.array { "Common", class, name }, wanted[name], there[name], found.list)
    if #found.list > before then
      found.update[class] = found.update[class] or {}
      found.update[class][name] = wanted[name]
    end
  end
  for _, name in ipairs(order.keys(there)) do
    if wanted[name] == nil and not classes.stays(class, name) then
      found.list[#found.list + 1] = {
        kind = "D", path = json.array { "Common", class, name }, lhs = there[name],
      }
      found.remove[class] = found.remove[class] or {}
      table.insert(found.remove[class], name)
    end
  end
end

-- What the declaration does not name gets its original value. What had none gets "none".
local function original_of(original, there, is_nameless)
  local copy = tables.copy(original)
  if is_nameless then
    for key, value in pairs(there) do
      if copy[key] == nil and not is_nothing(value) then copy[key] = "none" end
    end
  end
  return copy
end

--- Adds to a wanted configuration what is not declared, as it was at first.
function M.complete(wanted, original, there)
  for class, value in pairs(original) do
    local own = wanted[class]
    local is_known = there[class] and (next(value) or not classes.is_nameless(class))
    local is_open = own == nil or next(own) == nil
    if classes.is_truth(class) and is_known and is_open then
      wanted[class] = original_of(value, there[class] or {}, classes.is_nameless(class))
    end
  end
  -- the name of a new device is none that can be set
  local system = wanted.System
  if system and system.hostname and not system.hostname:find(".", 1, true)
    and tables.same(system.hostname, original.System and original.System.hostname)
  then
    system.hostname = nil
  end
  local auth, first = wanted.Authentication, original.Authentication
  for _, name in ipairs(auth and { "radius", "tacacs", "ldap" } or {}) do
    if auth[name] == nil then auth[name] = "none" end
  end
  if auth and first and auth.remoteUsersDefaults == nil then
    auth.remoteUsersDefaults = tables.copy(first.remoteUsersDefaults)
  end
end

--- Compares. Returns { list = the differences as DO traces them, update = { class = objects that
--- are written }, remove = { class = names } }.
-- @param is_secret function(path, wanted, shown) -> whether the device shows this secret
function M.find(wanted, there, is_secret)
  local found = { list = { is_secret = is_secret }, update = {}, remove = {} }
  for _, class in ipairs(order.keys(wanted)) do
    if not classes.is_truth(class) then
      found.update[class] = wanted[class]
    elseif classes.is_nameless(class) then
      local before = #found.list
      walk(json.array { "Common", class }, wanted[class], there[class] or {}, found.list)
      if #found.list > before then found.update[class] = wanted[class] end
    else
      compare_named(class, wanted[class], there[class] or {}, found)
    end
  end
  found.list.is_secret = nil
  json.array(found.list)
  return found
end

return M
