-- BGP in declarations and on the device: both get the same form, with both address families, all
-- their defaults, and lists in the order of their names.
local json = require "f5.json"
local names = require "sim.extensions.onboarding.names"
local tables = require "sim.tables"

local M = {}

local function by_name(list)
  table.sort(list, function(a, b) return tostring(a.name) < tostring(b.name) end)
end

-- The families "ipv4" and "ipv6"; "all" means both.
local function families(list, defaults)
  local found = {}
  for _, family in ipairs(list or {}) do
    for _, name in ipairs(family.name == "all" and { "ipv4", "ipv6" } or { family.name }) do
      found[name] = tables.copy(family)
      found[name].name = name
    end
  end
  local both = json.array {}
  for i, name in ipairs { "ipv4", "ipv6" } do
    local family = found[name] or { name = name }
    for key, value in pairs(defaults) do
      if family[key] == nil then family[key] = value end
    end
    both[i] = family
  end
  return both
end

local function route_maps(map)
  if type(map) ~= "table" then return nil end
  local named = { ["in"] = names.full(map["in"]), out = names.full(map.out) }
  return next(named) and named or nil
end

--- Gives a process the form that both sides have.
function M.normalize(bgp)
  bgp.addressFamily = families(bgp.addressFamily, {})
  for _, family in ipairs(bgp.addressFamily) do
    local list = json.array {}
    for i, one in ipairs(family.redistribute or {}) do
      list[i] = { name = one.routingProtocol or one.name, routeMap = names.full(one.routeMap) }
    end
    by_name(list)
    family.redistribute = #list > 0 and list or nil
  end
  bgp.peerGroups, bgp.neighbors = bgp.peerGroups or json.array {}, bgp.neighbors or json.array {}
  for _, group in ipairs(bgp.peerGroups) do
    group.addressFamily = families(group.addressFamily, { softReconfigurationInbound = "disabled" })
    for _, family in ipairs(group.addressFamily) do
      family.routeMap = route_maps(family.routeMap)
    end
  end
  for _, neighbor in ipairs(bgp.neighbors) do
    neighbor.addressFamily = families(neighbor.addressFamily, { asOverride = "disabled" })
  end
  by_name(bgp.peerGroups)
  by_name(bgp.neighbors)
end

--- The body of a process.
function M.body(bgp)
  local body = tables.copy(bgp)
  body.peerGroup, body.peerGroups = body.peerGroups, nil
  body.neighbor, body.neighbors = body.neighbors, nil
  return body
end

--- What a process is in a declaration, after its members got their names.
function M.declared(bgp)
  for _, family in ipairs(bgp.addressFamilies or {}) do
    for _, one in ipairs(family.redistributionList or {}) do
      one.routingProtocol, one.name = one.name, nil
    end
  end
end

return M
