-- The classes of DO: which property of a class is which property of BIG-IP, and what the simulated
-- device has of them.
--
-- An item of items.lua describes one kind: { schemaClass =, path =, properties = { { id = the name
-- on the device, newId = the name in declarations, truth =, falsehood = words for true and false,
-- skipWhenOmitted =, defaultWhenOmitted =, … } }, nameless = whether there is only one,
-- classOfTruth = false: what the declaration does not name stays }. A class may have several.
local json = require "f5.json"
local tables = require "sim.tables"

local M = {}

-- Classes that have no kind of their own in items.lua, but an effect.
local OTHERS <const> = {
  User = true, License = true, DeviceTrust = true, DeviceCertificate = true,
}

local NOT_SIMULATED <const> = {
  Disk = true, SecurityWaf = true,
}

-- Objects that stay although nobody declares them; true: all of the class.
local STAYS <const> = {
  TrafficGroup = true, RouteDomain = { ["0"] = true },
  Tunnel = { ["http-tunnel"] = true, ["socks-tunnel"] = true },
  GSLBMonitor = {
    http = true, http_head_f5 = true, https = true, https_head_f5 = true, gateway_icmp = true,
    tcp = true, udp = true,
  },
}

local items, by_class

local function load()
  if items then return end
  items, by_class = {}, {}
  for _, item in ipairs(json.decode(require "sim.extensions.onboarding.items")) do
    local class = item.schemaClass
    if not NOT_SIMULATED[class] then
      items[#items + 1] = item
      by_class[class] = by_class[class] or {}
      table.insert(by_class[class], item)
    end
  end
end

--- All items, in the order of DO.
function M.items()
  load()
  return items
end

--- The items of a class.
function M.of(class)
  load()
  return by_class[class] or {}
end

--- Whether there is only one object of a class.
function M.is_nameless(class)
  for _, item in ipairs(M.of(class)) do
    if item.nameless then return true end
  end
  return false
end

--- Whether DO is the source of truth for a class: what the declaration does not name goes, or gets
--- its original value.
function M.is_truth(class)
  for _, item in ipairs(M.of(class)) do
    if item.classOfTruth ~= false and item.path then return true end
  end
  return false
end

--- Whether an object stays although a declaration does not name it.
function M.stays(class, name)
  local list = STAYS[class]
  return list == true or list ~= nil and list[name] == true
end

--- Why an object of a class cannot be declared here; nil if it can.
function M.not_simulated(class)
  if NOT_SIMULATED[class] or not OTHERS[class] and #M.of(class) == 0 then
    return ("the class %s is not simulated"):format(class)
  end
  return nil
end

-- -- dotted names --

--- The value at a dotted name, such as "authentication.password".
function M.get(value, name)
  for part in name:gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    value = value[part]
  end
  return value
end

--- Puts a value at a dotted name.
function M.set(target, name, value)
  local last
  for part in name:gmatch "[^.]+" do
    if last then
      if type(target[last]) ~= "table" then target[last] = {} end
      target = target[last]
    end
    last = part
  end
  target[last] = value
end

--- What the value of a property is on the device.
function M.word(value, property)
  if value == nil and property.defaultWhenOmitted ~= nil then
    return tables.copy(property.defaultWhenOmitted)
  end
  if value == true and property.truth ~= nil then return property.truth end
  if value == false and property.falsehood ~= nil then return property.falsehood end
  if value == nil and not property.skipWhenOmitted then return property.falsehood or nil end
  return value
end

return M
