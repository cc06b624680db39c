-- Pools, their members and nodes.
local address = require "sim.extensions.as3.map.address"
local references = require "sim.extensions.as3.map.references"

local M = {}

local STATES <const> = {
  enable = { "user-up", "user-enabled" },
  disable = { "user-up", "user-disabled" },
  offline = { "user-down", "user-disabled" },
}

-- The paths of a list of monitors: words stand for those of /Common.
local function monitors(list)
  local paths = {}
  for _, monitor in ipairs(list or {}) do
    if type(monitor) == "string" then
      monitor = monitor == "icmp" and "gateway_icmp" or monitor
      paths[#paths + 1] = "/Common/" .. monitor:gsub("%-", "_")
    else
      paths[#paths + 1] = monitor.bigip or monitor.use
    end
  end
  return paths
end

--- The text of a monitor rule.
local function rule(paths, minimum)
  if minimum == "all" then return table.concat(paths, " and ") end
  return ("min %s of { %s }"):format(tostring(minimum or 1), table.concat(paths, " "))
end

-- A node takes over the ICMP monitors of its member.
local function node_monitor(at, paths)
  local own = {}
  for _, path in ipairs(paths) do
    local item = references.item(at, path)
    if path == "/Common/gateway_icmp" or path == "/Common/icmp" then
      own[#own + 1] = path
    elseif type(item) == "table" and item.monitorType == "icmp" then
      own[#own + 1] = path
    end
  end
  return #own > 0 and table.concat(own, " and ") or "default"
end

-- Where nodes live: the root of the tenant, /Common/Shared, or /Common if they are shared.
local function node_path(at, member, name)
  if member.shareNodes then return "/Common/" .. name end
  return at:root(name)
end

local function text_of_metadata(metadata)
  for _, entry in pairs(metadata or {}) do
    if type(entry) == "table" and entry.persist ~= nil then
      entry.persist = tostring(entry.persist)
    end
  end
end

local function member_of(at, member, paths, minimum)
  local states = STATES[member.adminState or "enable"]
  local entry = at:properties("ltm pool members", member)
  entry.monitor = #paths > 0 and rule(paths, minimum) or "default"
  entry.minimumMonitors = nil
  if math.type(member.rateLimit) and member.rateLimit <= 0 then entry["rate-limit"] = "disabled" end
  entry.state, entry.session = states[1], states[2]
  local fqdn = member.addressDiscovery == "fqdn" and member.autoPopulate
  entry.fqdn = { autopopulate = fqdn and "enabled" or "disabled" }
  return entry
end

-- The addresses of a member: pairs of address and name.
local function addresses(at, member)
  local list = {}
  for _, text in ipairs(member.serverAddresses or {}) do list[#list + 1] = { text } end
  for _, server in ipairs(member.servers or {}) do
    list[#list + 1] = { server.address, server.name }
  end
  for _, pair in ipairs(list) do
    local text = pair[1]
    if not text:find("%", 1, true) and member.routeDomain then
      text = ("%s%%%s"):format(text, member.routeDomain)
    end
    if not text:find("%", 1, true) then text = text .. at:domain() end
    pair[1] = address.short((text:gsub("%%0$", "")))
  end
  return list
end

local function fqdn_node(at, member, paths)
  local name = (member.fqdnPrefix or "") .. member.hostname
  local interval = member.queryInterval
  local properties = at:properties("ltm node", {
    fqdn = {
      addressFamily = member.addressFamily and member.addressFamily:lower(),
      autoPopulate = member.autoPopulate,
      downInterval = member.downInterval,
      hostname = member.hostname,
      queryInterval = interval == 0 and "ttl" or interval and tostring(interval),
    },
    metadata = { { name = "fqdnPrefix", value = member.fqdnPrefix } },
  })
  properties.monitor = node_monitor(at, paths)
  local path = node_path(at, member, name)
  at:add("ltm node", path, properties)
  return path
end

local function static_nodes(at, member, paths)
  local list = {}
  for _, pair in ipairs(addresses(at, member)) do
    local path = node_path(at, member, pair[2] or pair[1])
    local plain = at.declared.useCommonRouteDomainTenant == false and not member.shareNodes
    local properties = at:properties("ltm node", {
      address = plain and pair[1]:match "^[^%%]*" or pair[1],
    })
    if member.shareNodes then properties.metadata = { references = { value = "1" } } end
    properties.monitor = node_monitor(at, paths)
    at:add("ltm node", path, properties)
    list[#list + 1] = path
  end
  return list
end

local function members_of(at, member, members, place)
  local paths = monitors(member.monitors)
  local nodes
  if member.bigip then
    nodes = { member.bigip }
  elseif member.addressDiscovery == "fqdn" then
    nodes = { fqdn_node(at, member, paths) }
  elseif member.addressDiscovery == "static" then
    nodes = static_nodes(at, member, paths)
  else
    references.fail(place, "service discovery is not simulated")
  end
  text_of_metadata(member.metadata)
  for _, path in ipairs(nodes) do
    local name = ("%s%s%s"):format(path, address.colon(path), member.servicePort)
    members[name] = member_of(at, member, paths, member.minimumMonitors)
  end
end

M.Pool = function(at, item, name)
  local members = {}
  for i, member in ipairs(item.members or {}) do
    if member.enable then
      members_of(at, member, members, ("%s/members/%d"):format(at:path(name), i - 1))
    end
  end
  local paths, minimum = monitors(item.monitors), item.minimumMonitors
  item.members, item.monitors, item.minimumMonitors = nil, nil, nil
  text_of_metadata(item.metadata)
  local properties = at:properties("ltm pool", item)
  properties.members = members
  if #paths > 0 then properties.monitor = rule(paths, minimum) end
  at:add("ltm pool", at:path(name), properties)
end

M.SNAT_Pool = function(at, item, name)
  local members = {}
  if not item.snatAddresses then
    references.fail(at:path(name), "should have required property 'snatAddresses'")
  end
  for _, text in ipairs(item.snatAddresses) do
    local ip = address.short(text)
    members[#members + 1] = at:root_only(ip)
    at:add("ltm snat-translation", at:root_only(ip), {
      address = ip, arp = "enabled", ["connection-limit"] = 0, enabled = true,
      ["ip-idle-timeout"] = "indefinite", ["tcp-idle-timeout"] = "indefinite",
      ["traffic-group"] = "default", ["udp-idle-timeout"] = "indefinite",
    })
  end
  local properties = at:properties("ltm snatpool", item)
  properties.members = members
  at:add("ltm snatpool", at:path(name), properties)
end

M.SNAT_Translation = function(at, item)
  item.address = address.short(item.address)
  local properties = at:properties("ltm snat-translation", item)
  properties[item.adminState == "enable" and "enabled" or "disabled"] = true
  at:add("ltm snat-translation", at:root_only(item.address), properties)
end

return M
