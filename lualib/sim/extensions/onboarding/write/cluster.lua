-- Writes the classes of clusters: addresses of the own device, device groups, traffic groups.
local calls = require "sim.extensions.onboarding.calls"
local join = require "sim.extensions.onboarding.join"
local json = require "f5.json"
local order = require "sim.extensions.order"
local tables = require "sim.tables"

local M = {}

M[1] = { "ConfigSync", function(device, sync)
  calls.modify(device, calls.own_path(device), { configsyncIp = sync.configsyncIp or "none" })
end }

M[2] = { "FailoverUnicast", function(device, unicast)
  local list = unicast.unicastAddress
  local addresses = json.array {}
  for i, one in ipairs(type(list) == "table" and list or {}) do
    addresses[i] = { ip = one.ip:match "^[^/]*", port = one.port }
  end
  calls.call(device, "PATCH", calls.own_path(device), {
    unicastAddress = #addresses > 0 and addresses or "none",
  })
end }

M[3] = { "FailoverMulticast", function(device, multicast)
  calls.modify(device, calls.own_path(device), {
    multicastInterface = multicast.multicastInterface, multicastIp = multicast.multicastIp,
    multicastPort = multicast.multicastPort,
  })
end }

-- The name of the device that has an address; other names stay.
local function name_of(device, member)
  for _, one in ipairs(calls.call(device, "GET", "/tm/cm/device").items) do
    if one.configsyncIp == member or one.managementIp == member then return one.name end
  end
  return member
end

local SETTINGS <const> = {
  "type", "autoSync", "saveOnAutoSync", "networkFailover", "fullLoadOnSync", "asmSync",
}

local GROUPS <const> = "/tm/cm/device-group"

-- Members that are not trusted yet join when they are.
local function trusted_members(device, group)
  local trusted, members = {}, {}
  for _, one in ipairs(calls.call(device, "GET", "/tm/cm/device").items) do
    trusted[one.name] = true
  end
  for _, member in ipairs(group.members or {}) do
    local known = name_of(device, member:match "^[^/]*")
    if trusted[known] then members[known] = true end
  end
  return members
end

-- Makes a device group. Only its owner does that.
local function write_group(device, name, group)
  local body = { name = name }
  for _, key in ipairs(SETTINGS) do body[key] = group[key] end
  for _, key in ipairs { "saveOnAutoSync", "fullLoadOnSync" } do
    if body[key] ~= nil then body[key] = tostring(body[key]) end
  end
  for _, key in ipairs { "autoSync", "networkFailover", "asmSync" } do
    if type(body[key]) == "boolean" then body[key] = body[key] and "enabled" or "disabled" end
  end
  local members = trusted_members(device, group)
  local place = calls.place(GROUPS, name, "Common")
  calls.put(device, GROUPS, body, "Common")
  local there = {}
  for _, one in ipairs(calls.call(device, "GET", place .. "/devices").items or {}) do
    there[one.name] = true
  end
  for _, member in ipairs(order.keys(members)) do
    if not there[member] then calls.call(device, "POST", place .. "/devices", { name = member }) end
  end
  for _, member in ipairs(next(members) and order.keys(there) or {}) do
    if not members[member] then
      calls.call(device, "DELETE", ("%s/devices/~Common~%s"):format(place, member))
    end
  end
end

-- The group of another owner is joined, after this device has joined the trust domain.
M[4] = { "DeviceGroup", function(device, list, update, _, job)
  local own = calls.own_device(device)
  local trust = update.DeviceTrust
  local is_remote = trust and join.is_own(device, trust.remoteHost)
  job.trust = join.needed(device, trust)
  for _, name in ipairs(order.keys(list)) do
    local owner = name_of(device, (list[name].owner or ""):match "^[^/]*")
    if owner == own.name or owner == own.hostname or is_remote then
      write_group(device, name, list[name])
    else
      job.groups[name] = true
    end
  end
  if not job.trust then join.groups(device, job.groups) end
end }

M[5] = { "TrafficGroup", function(device, list)
  for _, name in ipairs(order.keys(list)) do
    local body = tables.copy(list[name])
    local kept = json.array {}
    local known = {}
    for _, one in ipairs(calls.call(device, "GET", "/tm/cm/device").items) do
      known[one.name] = true
    end
    for _, member in ipairs(body.haOrder or {}) do
      if known[member:match "[^/]+$"] then kept[#kept + 1] = member end
    end
    body.haOrder = #kept > 0 and kept or nil
    if body.autoFailbackEnabled ~= nil then
      body.autoFailbackEnabled = tostring(body.autoFailbackEnabled)
    end
    body.name = name
    calls.put(device, "/tm/cm/traffic-group", body, "Common")
  end
end }

local ADDRESSES <const> = "/tm/sys/mac-address"

-- The address of an interface, with the bit of local addresses turned over.
local function masquerade_of(device, interface)
  local entries = calls.call(device, "GET", ADDRESSES).entries or {}
  for _, entry in pairs(entries) do
    local fields = entry.nestedStats.entries
    if fields.objectId.description == interface then
      local mac = fields.macAddress.description
      local digit = tonumber(mac:sub(2, 2), 16) ~ 2
      return ("%s%x%s"):format(mac:sub(1, 1), digit, mac:sub(3))
    end
  end
  error({ onboarding = "Cannot find MAC for given interface" }, 0)
end

M[6] = { "MAC_Masquerade", function(device, list)
  for _, name in ipairs(order.keys(list)) do
    local one = list[name]
    local mac = one.mac or "none"
    if one.source then mac = masquerade_of(device, one.source.interface) end
    local group = one.trafficGroup:match "[^/]+$"
    calls.modify(device, "/tm/cm/traffic-group/~Common~" .. group, { mac = mac })
  end
end }

M[7] = { "MirrorIp", function(device, mirror)
  calls.modify(device, calls.own_path(device), {
    mirrorIp = mirror.mirrorIp or "any6", mirrorSecondaryIp = mirror.mirrorSecondaryIp or "any6",
  })
end }

M[8] = { "DeviceTrust", function(device, trust, _, _, job)
  job.trust = join.needed(device, trust)
end }

return M
