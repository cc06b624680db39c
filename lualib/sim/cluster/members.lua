-- Who belongs together: this device, its peers in the trust domain, the members of device groups.
--
-- device.state.trust = {
--   secret = text          what the devices of the trust domain show each other
--   peers = { [full name of a device] = { host =, port = } }
--   groups = { [full name of a group] = record }, see sim/cluster/sync.lua
--   active = { [full name of a traffic group] = true }, see sim/cluster/failover.lua
-- }
-- device.cluster holds what is not saved:
--   links = { [full name] = { seen = micros, hello = what the peer told, busy = true } }
local names = require "sim.config.names"

local M = {}

local CM <const> = "/mgmt/tm/cm/"
M.TRUST_GROUP = "/Common/device_trust_group"
--- The groups that all devices of a trust domain are in.
M.COMMON_GROUPS = {
  M.TRUST_GROUP, "/Common/gtm", "/Common/datasync-global-dg", "/Common/dos-global-dg",
}
-- A peer that was silent for this long is disconnected.
local SILENCE <const> = 3000000

function M.trust(device)
  local state = device.state
  state.trust = state.trust or { peers = {}, groups = {} }
  return state.trust
end

--- The object of this device in cm/device, and its path.
function M.own(device)
  for _, object in ipairs(device.store:list(CM .. "device")) do
    if object.selfDevice == "true" then
      return object, CM .. "device/" .. names.segment(object.fullPath)
    end
  end
  return nil
end

function M.own_name(device)
  local object = M.own(device)
  return object and object.fullPath or "/Common/bigip1"
end

--- Where other devices reach this one.
function M.endpoint(device)
  local given = device.options.management
  local host, port
  if given then host, port = M.split_endpoint(given, device.port) end
  return { host = host or device.address, port = port or device.port }
end

--- "10.0.0.1", "10.0.0.1:8443", "[::1]:8443", "::1" -> host, port; nil for anything else.
function M.split_endpoint(text, port)
  local host, given = text:match "^%[([%x:.]+)%]:?(%d*)$"
  if not host then host, given = text:match "^([^:]+):(%d+)$" end
  if not host then host, given = text, "" end
  if given ~= "" then port = math.tointeger(tonumber(given)) end
  if not port or port < 1 or port > 65535 then return nil end
  return host, port
end

function M.has_peers(device)
  local trust = device.state.trust
  return trust ~= nil and next(trust.peers) ~= nil
end

--- The full names of the peers, sorted.
function M.peers(device)
  local list = {}
  for name in pairs(M.trust(device).peers) do list[#list + 1] = name end
  table.sort(list)
  return list
end

function M.link(device, peer)
  local links = device.cluster.links
  links[peer] = links[peer] or {}
  return links[peer]
end

--- Whether the peer was heard of lately.
function M.is_connected(device, peer)
  local link = device.cluster.links[peer]
  return link ~= nil and link.seen ~= nil and device.real_clock() - link.seen < SILENCE
end

--- What a connected peer last told; nil if it is not connected.
function M.hello_of(device, peer)
  return M.is_connected(device, peer) and M.link(device, peer).hello or nil
end

--- { [full name of a device] = true } of a group.
function M.members(device, group)
  local set = {}
  local collection = CM .. "device-group/" .. names.segment(group) .. "/devices"
  for _, object in ipairs(device.store:list(collection)) do set[object.fullPath] = true end
  return set
end

--- The peers that are members of a group, sorted.
function M.peers_in(device, group)
  local members, list = M.members(device, group), {}
  for _, peer in ipairs(M.peers(device)) do
    if members[peer] then list[#list + 1] = peer end
  end
  return list
end

--- Whether a device group is one that devices keep for themselves.
function M.is_internal(group)
  for _, name in ipairs(M.COMMON_GROUPS) do
    if group.fullPath == name then return true end
  end
  return group._factory == true or group.hidden == "true"
end

--- The device groups of the configuration that this device is a member of; `with_others`: also
--- those that it is no member of.
function M.groups(device, with_others)
  local own, list = M.own_name(device), {}
  for _, group in ipairs(device.store:list(CM .. "device-group")) do
    if not M.is_internal(group) and (with_others or M.members(device, group.fullPath)[own]) then
      list[#list + 1] = group
    end
  end
  return list
end

--- The sync-failover group of this device, or nil.
function M.failover_group(device)
  for _, group in ipairs(M.groups(device)) do
    if group.type == "sync-failover" then return group end
  end
  return nil
end

return M
