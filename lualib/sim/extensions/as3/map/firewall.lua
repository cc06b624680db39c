-- The network firewall and NAT: rules, policies, translations, their logs.
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

M.Firewall_Rule_List = properties.handler "security firewall rule-list"

M.Firewall_Policy = function(at, item, name)
  local path = at:path(name)
  if item.routeDomainEnforcement then
    references.fail(path .. "/routeDomainEnforcement", "is not simulated")
  end
  for i, rule in ipairs(item.rules or {}) do
    local list = rule.use or rule.bigip
    if list then item.rules[i] = { name = list:match "[^/]+$", ruleList = list } end
  end
  at:add("security firewall policy", path, at:properties("security firewall policy", item))
end

M.NAT_Policy = function(at, item, name)
  for _, rule in ipairs(item.rules or {}) do
    if rule.sourceTranslation then
      rule.translation = { source = references.plain(rule.sourceTranslation) }
    end
  end
  at:add("security nat policy", at:path(name), at:properties("security nat policy", item))
end

local PAT <const> = {
  clientConnectionLimit = 0, hairpinModeEnabled = false, inboundMode = "none", patMode = "napt",
}
local BLOCKS <const> = {
  blockIdleTimeout = 3600, blockLifetime = 0, blockSize = 64, clientBlockLimit = 1,
  zombieTimeout = 0,
}

local function copy_of(source)
  local copy = {}
  for key, value in pairs(source) do copy[key] = value end
  return copy
end

local function named(list)
  local found = {}
  for i, value in ipairs(list) do
    found[i] = { name = math.type(value) and ("%d"):format(value) or value }
  end
  return found
end

local function translate_ports(item)
  for key, value in pairs(PAT) do
    if not item[key] then item[key] = value end
  end
  item.mapping = item.mapping or { mode = "address-pooling-paired", timeout = 300 }
  if item.patMode == "pba" and not item.portBlockAllocation then
    item.portBlockAllocation = copy_of(BLOCKS)
  end
end

M.NAT_Source_Translation = function(at, item, name)
  if item.type == "dynamic-pat" then translate_ports(item) end
  if item.addresses then item.addresses = named(item.addresses) end
  if item.ports then item.ports = named(item.ports) end
  if item.excludeAddresses then
    local addresses, lists = {}, {}
    for _, value in ipairs(item.excludeAddresses) do
      local target = type(value) == "table" and lists or addresses
      target[#target + 1] = { name = properties.path_of(value) }
    end
    item.excludeAddresses, item.excludeAddressLists = addresses, lists
  end
  item.egressInterfaces = item.allowEgressInterfaces or item.disallowEgressInterfaces or {}
  local flag = item.allowEgressInterfaces and "egressInterfacesEnabled"
    or "egressInterfacesDisabled"
  item[flag] = true
  at:add("security nat source-translation", at:path(name),
    at:properties("security nat source-translation", item))
end

M.ALG_Log_Profile = function(at, item, name)
  for _, side in ipairs { "startControlChannel", "endControlChannel", "startDataChannel",
    "endDataChannel" } do
    local channel = item[side]
    if type(channel) == "table" then
      channel.elements = channel.includeDestination == true and { "destination" } or {}
    end
  end
  at:add("ltm alg-log-profile", at:path(name), at:properties("ltm alg-log-profile", item))
end

return M
