-- What cm/sync-status and cm/failover-status show.
local members = require "sim.cluster.members"
local sync = require "sim.cluster.sync"

local M = {}

local ALL_SYNCED <const> = "All devices in the device group are in sync"

-- The states, the worst first, with their colours.
local STATES <const> = {
  { "Sync Failure", "red" }, { "Disconnected", "red" }, { "Changes Pending", "yellow" },
  { "Not All Devices Synced", "yellow" }, { "Awaiting Initial Sync", "blue" },
  { "In Sync", "green" },
}

local function short(name) return name:match "[^/]+$" end

-- The names of the devices that have changes which others lack, sorted; the newest device.
local function pending(records)
  local list, newest = {}, nil
  for name, record in pairs(records) do
    if record.n > record.base then list[#list + 1] = name end
  end
  table.sort(list)
  for name, record in pairs(records) do
    local best = newest and records[newest]
    if not best or record.n > best.n or record.n == best.n and name < newest then newest = name end
  end
  return list, newest
end

local function are_equal(records)
  local first
  for _, record in pairs(records) do
    first = first or record
    if record.n ~= first.n or record.by ~= first.by then return false end
  end
  return true
end

-- The state of a group: { status =, text =, action =, red = }.
local function state_of(device, group)
  local records = sync.records(device, group)
  local own = sync.record(device, group)
  local peers = members.peers_in(device, group)
  for _, peer in ipairs(peers) do
    if not members.is_connected(device, peer) then
      return { status = "Disconnected", text = "One or more devices are disconnected",
        action = "Verify that the network between the devices works" }
    end
  end
  if own.failure then
    return {
      status = "Sync Failure",
      text = "A validation error occurred while syncing to a remote device",
      error = ("Sync error on %s: Load failed from %s %s"):format(
        short(own.failure.device), members.own_name(device), own.failure.message
      ),
      action = "Review the error message and determine corrective action on the device",
    }
  end
  -- the trust domain synchronises itself
  if group == members.TRUST_GROUP then return { status = "In Sync", text = ALL_SYNCED } end
  local changed, newest = pending(records)
  local action = ("Synchronize %s to group %s"):format(short(newest), short(group))
  local synced = false
  for _, record in pairs(records) do synced = synced or record.synced end
  if not synced then
    return { status = "Awaiting Initial Sync", action = action,
      text = "The device group is awaiting the initial config sync" }
  end
  if device.cluster.pushing[group] then
    return { status = "Not All Devices Synced", action = action,
      text = "Not all of the devices in the device group have received the last change" }
  end
  local alone = #peers == 0 and own.n == own.base
  if alone or #peers > 0 and are_equal(records) then
    return { status = "In Sync", text = ALL_SYNCED }
  end
  if #changed > 1 then
    return { status = "Changes Pending", red = true, action = action,
      text = ("There is a possible change conflict between %s and %s."):format(
        short(changed[1]), short(changed[2])) }
  end
  if #changed == 1 then
    action = ("Synchronize %s to group %s"):format(short(changed[1]), short(group))
    return { status = "Changes Pending", action = action,
      text = ("%s has changes that are not synchronized"):format(short(changed[1])) }
  end
  return { status = "Not All Devices Synced", action = action,
    text = "Not all of the devices in the device group have received the last change" }
end

local function mode_of(device, groups)
  for _, group in ipairs(groups) do
    if group.type == "sync-failover" then return "high-availability" end
  end
  if #groups > 0 then return "sync-only" end
  return members.has_peers(device) and "trust-only" or "standalone"
end

--- What cm/sync-status shows: { status, color, mode, summary }, list of details.
function M.sync(device)
  sync.settle(device)
  -- a group that does not have this device counts, as long as the device is alone
  local groups = members.groups(device, not members.has_peers(device))
  if #groups == 0 and not members.has_peers(device) then
    return { status = "Standalone", color = "green", mode = "standalone", summary = " " },
      { "Optional action: Add a device to the trust domain" }
  end
  local names, details, found = {}, {}, {}
  for _, peer in ipairs(members.peers(device)) do
    details[#details + 1] = ("%s: %s"):format(
      short(peer),
      members.is_connected(device, peer) and "connected" or "disconnected"
    )
  end
  for _, group in ipairs(groups) do names[#names + 1] = group.fullPath end
  if members.has_peers(device) then names[#names + 1] = members.TRUST_GROUP end
  for _, group in ipairs(names) do
    local state = state_of(device, group)
    found[state.status] = found[state.status] or state
    details[#details + 1] = ("%s (%s): %s"):format(short(group), state.status, state.text)
    if state.error then details[#details + 1] = state.error end
    if state.action then details[#details + 1] = " - Recommended action: " .. state.action end
  end
  for _, entry in ipairs(STATES) do
    local state = found[entry[1]]
    if state then
      return {
        status = state.status, color = state.red and "red" or entry[2],
        mode = mode_of(device, groups), summary = state.text,
      }, details
    end
  end
end

--- What cm/failover-status shows.
function M.failover(device)
  local state = device.state.failover
  local groups = {}
  local active = members.trust(device).active
  for _, group in ipairs(device.store:list "/mgmt/tm/cm/traffic-group") do
    local full = group.fullPath
    local is_local = full == "/Common/traffic-group-local-only"
    if not is_local and (not active or active[full]) then groups[#groups + 1] = full end
  end
  local details
  if state == "active" then
    details = {}
    for i, full in ipairs(groups) do details[i] = "active for " .. full end
  end
  local word = state == "standby" and "standby" or "active"
  return {
    status = state:upper():gsub("%-", " "), color = state == "active" and "green" or "gray",
    summary = ("%d/1 %s"):format(
      (state == "active" or state == "standby") and 1 or 0, word),
  }, details
end

return M
