-- Writes the classes of the network: trunks, VLANs, addresses, routes, tunnels, routing.
local bgp = require "sim.extensions.onboarding.bgp"
local calls = require "sim.extensions.onboarding.calls"
local json = require "f5.json"
local names = require "sim.extensions.onboarding.names"
local order = require "sim.extensions.order"
local tables = require "sim.tables"

local M = {}

-- What the firewall needs, and the rest.
M.first, M.rest = {}, {}

local each <const> = calls.each

M.first[1] = { "Trunk", function(device, list)
  each(list, function(_, trunk) calls.put(device, "/tm/net/trunk", trunk) end)
end }

M.first[2] = { "VLAN", function(device, list)
  each(list, function(_, vlan) calls.put(device, "/tm/net/vlan", vlan, "Common") end)
end }

-- Calls f(name, object) for all. Objects may need others of the list: what is refused is tried
-- again after them.
local function each_in_need(device, list, f)
  local waiting = order.keys(list)
  while #waiting > 0 do
    local again, first = {}, nil
    for _, name in ipairs(waiting) do
      local ok, problem = pcall(device.store.atomically, device.store, f, name, list[name])
      if not ok then
        first = first or problem
        again[#again + 1] = name
      end
    end
    if #again == #waiting then error(first, 0) end
    waiting = again
  end
end

local function parent_of(domain)
  return domain.parent ~= "none" and names.full(domain.parent) or domain.parent
end

M.first[3] = { "RouteDomain", function(device, list)
  each_in_need(device, list, function(_, domain)
    local body = tables.copy(domain)
    body.vlans, body.parent = body.vlans or json.array {}, parent_of(body)
    calls.put(device, "/tm/net/route-domain", body, "Common")
  end)
end }

M.first[4] = { "DNS_Resolver", function(device, list)
  each(list, function(_, resolver)
    calls.put(device, "/tm/net/dns-resolver", resolver, "Common")
  end)
end }

local PROFILE <const> = {
  "defaultsFrom", "encapsulationType", "floodingType", "port",
}

-- The profile of a tunnel for VXLAN.
local function write_vxlan(device, tunnel)
  local body = { name = tunnel.name .. "_vxlan", description = tunnel.description }
  for _, name in ipairs(PROFILE) do body[name], tunnel[name] = tunnel[name], nil end
  body.defaultsFrom = names.full(body.defaultsFrom)
  calls.put(device, "/tm/net/tunnels/vxlan", body, "Common")
  tunnel.profile = body.name
end

M.first[5] = { "Tunnel", function(device, list, _, there)
  each(list, function(name, object)
    local tunnel = tables.copy(object)
    if tunnel.profile == "vxlan" then write_vxlan(device, tunnel) end
    tunnel.profile = names.full(tunnel.profile)
    tunnel.trafficGroup = tunnel.trafficGroup ~= "none" and names.full(tunnel.trafficGroup) or nil
    local now = (there.Tunnel or {})[name]
    local same = now and now.profile == object.profile and now.trafficGroup == object.trafficGroup
    if now and not same then
      calls.call(device, "DELETE", calls.place("/tm/net/tunnels/tunnel", name, "Common"))
    end
    calls.put(device, "/tm/net/tunnels/tunnel", tunnel, "Common")
  end)
end }

M.first[6] = { "NetAddressList", function(device, list)
  each(list, function(_, one) calls.put(device, "/tm/net/address-list", one, "Common") end)
end }

M.first[7] = { "NetPortList", function(device, list)
  each(list, function(_, one) calls.put(device, "/tm/net/port-list", one, "Common") end)
end }

-- -- addresses --

local function is_floating(self)
  return self.trafficGroup ~= nil and not self.trafficGroup:find "traffic%-group%-local%-only$"
end

local WARNING <const> = "The default value for 'allowService' on a 'SelfIp' changed from 'default' "
  .. "to 'none' in f5-declarative-onboarding version 1.36.0."

local function self_body(self)
  local body = tables.copy(self)
  body.vlan, body.trafficGroup = names.full(body.vlan), names.full(body.trafficGroup)
  for _, name in ipairs { "fwEnforcedPolicy", "fwStagedPolicy" } do
    body[name] = names.full(body[name])
  end
  return body
end

-- Addresses cannot be changed: they are made again, and what needs them stays.
M.rest[1] = { "SelfIp", function(device, list, _, there, job)
  local now, path = there.SelfIp or {}, "/tm/net/self"
  table.insert(job.warnings, WARNING)
  for _, floating in ipairs { true, false } do
    each(list, function(name, self)
      if now[name] and is_floating(now[name]) == floating then
        local same = now[name].address == self.address and now[name].vlan == self.vlan
        -- what can be changed is changed
        if not same then calls.call(device, "DELETE", calls.place(path, name, "Common")) end
      end
    end)
  end
  for _, floating in ipairs { false, true } do
    each(list, function(name, self)
      if is_floating(self) ~= floating then return end
      local body, place = self_body(self), calls.place(path, name, "Common")
      if not calls.get(device, place) then
        body.partition = "Common"
        calls.call(device, "POST", path, body)
        return
      end
      body.name, body.address, body.vlan = nil, nil, nil
      calls.modify(device, place, body)
    end)
  end
end }

local FOLDER <const> = "LOCAL_ONLY"

M.rest[2] = { "Route", function(device, list, _, there)
  local now, path = there.Route or {}, "/tm/net/route"
  each(list, function(name, route)
    local partition = route.localOnly and FOLDER or "Common"
    if partition == FOLDER and not calls.get(device, "/tm/sys/folder/~" .. FOLDER) then
      calls.call(device, "POST", "/tm/sys/folder", { name = FOLDER, subPath = "/" })
    end
    if now[name] then
      local old = now[name].localOnly and FOLDER or "Common"
      calls.call(device, "DELETE", calls.place(path, name, old))
    end
    local target = names.full(route.tmInterface)
    calls.call(device, "POST", path, {
      name = name, partition = partition, network = route.network, mtu = route.mtu,
      tmInterface = target, gw = not target and route.gw or nil,
    })
  end)
end }

M.rest[3] = { "DagGlobals", function(device, globals)
  calls.modify(device, "/tm/net/dag-globals", globals)
end }

-- -- dynamic routing --

local ROUTING <const> = {
  "RoutingBGP", "RouteMap", "RoutingAsPath", "RoutingAccessList", "RoutingPrefixList",
}

M.rest[4] = { "", function(device, _, update)
  for _, class in ipairs(ROUTING) do
    if update[class] and next(update[class]) then
      calls.modify(device, "/tm/sys/db/tmrouted.tmos.routing", { value = "enable" })
    end
  end
end }

-- Entries have numbers as names.
local function with_entries(object, change)
  local body, entries = tables.copy(object), json.array {}
  for i, entry in ipairs(body.entries or {}) do
    entry.name = tostring(entry.name)
    if change then change(entry) end
    entries[i] = entry
  end
  body.entries = entries
  return body
end

-- What the real DO sends: the objects of a list, in an order in which they may refer to each other.
local function lists(kind, change)
  return function(device, list, _, there, job)
    each_in_need(device, list, function(name, object)
      local now = (there[job.class] or {})[name]
      local path = "/tm/net/routing/" .. kind
      local domain = now and now.routeDomain
      if domain and object.routeDomain and domain ~= object.routeDomain then
        calls.call(device, "DELETE", calls.place(path, name, "Common"))
      end
      local body = with_entries(object, change)
      local place = calls.place(path, name, "Common")
      if not calls.get(device, place) then
        body.partition = "Common"
        calls.call(device, "POST", path, body)
      else
        body.name, body.routeDomain = nil, nil
        calls.call(device, "PATCH", place, body)
      end
    end)
  end
end

M.rest[5] = { "RoutingAsPath", lists("as-path", function(entry) entry.action = "permit" end) }
M.rest[6] = { "RoutingAccessList", lists "access-list" }
M.rest[7] = { "RoutingPrefixList", lists "prefix-list" }
M.rest[8] = { "RouteMap", lists "route-map" }

-- The device does not change groups of peers that have members: the process is made again.
M.rest[9] = { "RoutingBGP", function(device, all, _, there)
  local path = "/tm/net/routing/bgp"
  each(all, function(name, process)
    if (there.RoutingBGP or {})[name] then
      calls.call(device, "DELETE", calls.place(path, name, "Common"))
    end
    local body = bgp.body(process)
    body.partition = "Common"
    calls.call(device, "POST", path, body)
  end)
end }

return M
