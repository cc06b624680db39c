-- The same as fixes.lua for classes of modules: GSLB and the firewall.
local json = require "f5.json"
local names = require "sim.extensions.onboarding.names"
local validate = require "sim.config.validate"

local M = { current = {}, wanted = {} }

local current <const>, wanted <const> = M.current, M.wanted

-- -- GSLB --

-- Devices have a property for each of both states.
local function state_of(object)
  if object.enabled == nil then object.enabled = not object.disabled end
  object.enabled = object.enabled == true or object.enabled == "True"
  object.disabled = nil
end

local function monitors(text)
  local list = json.array {}
  for name in (text or ""):gmatch "/[^%s]+" do list[#list + 1] = name end
  return list
end

current.GSLBDataCenter = state_of

function current.GSLBServer(server)
  state_of(server)
  server.monitor = monitors(server.monitor)
  for i, one in ipairs(server.devices or {}) do
    local address = one.addresses and one.addresses[1] or {}
    server.devices[i] = {
      name = address.name, translation = address.translation or "none",
      description = one.description,
    }
  end
  for _, one in ipairs(server.virtualServers or {}) do
    state_of(one)
    local address, port = (names.short(one.destination) or ""):match "^(.*)[.:]([^.:]*)$"
    one.address, one.port, one.destination = address, math.tointeger(tonumber(port)) or port, nil
    one.monitor = monitors(one.monitor)
  end
end

function current.GSLBProberPool(pool)
  state_of(pool)
  for _, member in ipairs(pool.members or {}) do state_of(member) end
  table.sort(pool.members or {}, function(a, b) return (a.order or 0) < (b.order or 0) end)
end

function wanted.GSLBDataCenter(list)
  for _, center in pairs(list) do center.proberPool = names.short(center.proberPool) end
end

function wanted.GSLBMonitor(list)
  for _, monitor in pairs(list) do monitor.cert = names.short(monitor.cert) end
end

function wanted.GSLBServer(list)
  for _, server in pairs(list) do
    server.datacenter = names.short(server.datacenter)
    server.proberPool = names.short(server.proberPool)
    if not server.monitor then
      server.monitor = json.array { server.product == "bigip" and "/Common/bigip" or nil }
    end
    for i, one in ipairs(server.devices or {}) do
      server.devices[i] = {
        name = one.address, translation = one.addressTranslation or "none",
        description = one.description,
      }
    end
    server.virtualServers = server.virtualServers or json.array {}
    for i, one in ipairs(server.virtualServers) do
      one.name, one.label = one.name or tostring(i - 1), nil
      one.address = validate.short_address(one.address)
      one.monitor = one.monitor or json.array {}
      one.destination = nil
    end
  end
end

function wanted.GSLBProberPool(list)
  for _, pool in pairs(list) do
    pool.members = pool.members or json.array {}
    for i, member in ipairs(pool.members) do
      member.name, member.order, member.label = names.short(member.name), i - 1, nil
    end
  end
end

-- -- the firewall and its statistics --

-- A word that is an object on the device.
function wanted.SecurityAnalytics(settings)
  local word = settings.staleRules
  if type(word) == "boolean" then word = word and "enabled" or "disabled" end
  if type(word) == "string" then settings.staleRules = { collect = word } end
end

local SIDES <const> = { "addressLists", "portLists", "vlans" }

local function side(value)
  local kept = {}
  for _, name in ipairs(SIDES) do
    local list = type(value) == "table" and value[name]
    if type(list) == "table" and #list > 0 then
      kept[name] = json.array {}
      for i, one in ipairs(list) do kept[name][i] = names.full(one) end
    end
  end
  return kept
end

local function rules(object)
  for _, rule in ipairs(object.rules or {}) do
    rule.source, rule.destination, rule.label = side(rule.source), side(rule.destination), nil
  end
end

-- The rules in their order: each says after which one it stands, if somebody has placed it.
local function in_order(list)
  local after, sorted = {}, json.array {}
  for _, rule in ipairs(list) do
    local place = rule.placeAfter
    if place and place ~= "first" and not after[place] then after[place] = rule end
  end
  local seen = {}
  local function add(rule)
    while rule and not seen[rule.name] do
      seen[rule.name], sorted[#sorted + 1] = true, rule
      rule = after[rule.name]
    end
  end
  for _, rule in ipairs(list) do
    if not rule.placeAfter or rule.placeAfter == "first" then add(rule) end
  end
  for _, rule in ipairs(list) do add(rule) end
  for _, rule in ipairs(sorted) do rule.placeAfter = nil end
  return sorted
end

local function current_rules(object)
  rules(object)
  if object.rules then object.rules = in_order(object.rules) end
end

current.FirewallPolicy, current.ManagementIpFirewall = current_rules, current_rules

function wanted.FirewallPolicy(list)
  for _, policy in pairs(list) do rules(policy) end
end

wanted.ManagementIpFirewall = rules

local function sorted(...)
  local properties = { ... }
  return function(all)
    for _, object in pairs(all) do
      for _, name in ipairs(properties) do
        local list = object[name]
        for i, value in ipairs(list or {}) do list[i] = tostring(value) end
        if list then table.sort(list) end
      end
    end
  end
end

wanted.NetAddressList, wanted.NetPortList = sorted "addresses", sorted "ports"
wanted.FirewallAddressList = sorted("addresses", "fqdns", "geo")
wanted.FirewallPortList = sorted "ports"

local function sorted_one(...)
  local sort = sorted(...)
  return function(object) sort { object } end
end

current.NetAddressList, current.NetPortList = sorted_one "addresses", sorted_one "ports"
current.FirewallAddressList = sorted_one("addresses", "fqdns", "geo")
current.FirewallPortList = sorted_one "ports"

return M
