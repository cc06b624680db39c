-- Fail-over: which device of a sync-failover group is active for which traffic group.
--
-- trust.active = { [full name of a traffic group] = true }: those that this device is active for.
-- It is used while the device has a peer in a sync-failover group with network fail-over. Then
-- state.failover, which all other parts read, follows from it. Each device tells the others its
-- state about once a second, and at once when it changes.
local calls = require "sim.cluster.calls"
local daemons = require "sim.status.daemons"
local members = require "sim.cluster.members"
local restart = require "sim.http.restart"

local M = {}

local CM <const> = "/mgmt/tm/cm/"
local LOCAL_GROUP <const> = "/Common/traffic-group-local-only"
local HELLO_MS <const> = 2000
-- After its start a device waits this long for its peers before it becomes active.
local PATIENCE <const> = 3000000

-- The floating traffic groups.
local function traffic_groups(device)
  local list = {}
  for _, group in ipairs(device.store:list(CM .. "traffic-group")) do
    if group.fullPath ~= LOCAL_GROUP then list[#list + 1] = group end
  end
  return list
end

--- The peers that can take over; nil if there is no fail-over with others.
function M.partners(device)
  local group = members.failover_group(device)
  if not group or group.networkFailover ~= "enabled" then return nil end
  local peers = members.peers_in(device, group.fullPath)
  return #peers > 0 and peers or nil
end

local function is_up(state) return state == "active" or state == "standby" end

-- The traffic groups that this device is active for.
local function own_active(device)
  local trust = members.trust(device)
  if not trust.active then
    trust.active = {}
    if device.state.failover == "active" then
      for _, group in ipairs(traffic_groups(device)) do trust.active[group.fullPath] = true end
    end
  end
  return trust.active
end

-- Sets the state of the device to what follows from its traffic groups.
local function settle_state(device)
  if not is_up(device.state.failover) then return end
  local state = next(own_active(device)) and "active" or "standby"
  if state ~= device.state.failover then daemons.set_failover(device, state) end
end

-- A value by which addresses can be compared.
local function rank(device, name)
  local peer = members.trust(device).peers[name]
  local endpoint = peer or members.endpoint(device)
  local parts = {}
  for part in endpoint.host:gmatch "[^.]+" do
    parts[#parts + 1] = ("%03d"):format(tonumber(part) or 0)
  end
  return ("%s:%05d %s"):format(table.concat(parts, "."), endpoint.port, name)
end

-- The devices of the fail-over group that are up, the preferred one first: in the order of the
-- traffic group, then the one with the highest management address.
local function candidates(device, group, partners)
  local list = {}
  if is_up(device.state.failover) and not restart.is_booting(device) then
    list[1] = members.own_name(device)
  end
  for _, peer in ipairs(partners) do
    local hello = members.hello_of(device, peer)
    if hello and is_up(hello.state) then list[#list + 1] = peer end
  end
  local order = {}
  for i, name in ipairs(type(group.haOrder) == "table" and group.haOrder or {}) do
    order[name:sub(1, 1) == "/" and name or "/Common/" .. name] = i
  end
  table.sort(list, function(a, b)
    local x, y = order[a] or math.huge, order[b] or math.huge
    if x ~= y then return x < y end
    return rank(device, a) > rank(device, b)
  end)
  return list, order
end

-- Whether a device is active for a traffic group, as far as this one knows.
local function is_active(device, name, group)
  if name == members.own_name(device) then return own_active(device)[group] == true end
  local hello = members.hello_of(device, name)
  return hello ~= nil and (hello.active or {})[group] == true
end

-- Whether the device takes a traffic group back that a peer is active for.
local function takes_back(device, group, order)
  local own = members.own_name(device)
  local seconds = math.tointeger(tonumber(group.autoFailbackTime)) or 60
  return group.autoFailbackEnabled == "true"
    and order[own] == 1
    and device:now() - device.cluster.up_since >= seconds * 1000000
end

-- Whether a device without an active partner waits: for partners that it has not heard of since its
-- start, or for the partner that it gave the traffic group to.
local function is_waiting(device, group, partners)
  local now, cluster = device.real_clock(), device.cluster
  if now < (cluster.handed[group] or 0) then return true end
  for _, peer in ipairs(partners) do
    local unknown = not members.link(device, peer).hello
    if unknown and now - cluster.started < PATIENCE then return true end
  end
  return false
end

local function decide(device, group, partners)
  local own, active = members.own_name(device), own_active(device)
  local list, order = candidates(device, group, partners)
  local is_candidate, holder = false, nil
  for _, name in ipairs(list) do
    is_candidate = is_candidate or name == own
    if not holder and is_active(device, name, group.fullPath) then holder = name end
  end
  if not is_candidate then
    active[group.fullPath] = nil
  elseif holder == own then
    return  -- it is the preferred one of those that are active
  elseif holder then
    active[group.fullPath] = takes_back(device, group, order) or nil
  elseif list[1] == own then
    if not is_waiting(device, group.fullPath, partners) then active[group.fullPath] = true end
  end
end

--- Decides for each traffic group whether this device is active.
function M.decide(device)
  local partners = M.partners(device)
  local trust = members.trust(device)
  if not partners then
    if trust.active then  -- the group is gone: a device on its own is active
      trust.active = nil
      if device.state.failover == "standby" then daemons.set_failover(device, "active") end
    end
    return
  end
  if restart.is_booting(device) then
    trust.active, device.cluster.up_since = {}, device:now()
    return
  end
  local before = device.state.failover
  local held = next(own_active(device)) ~= nil
  for _, group in ipairs(traffic_groups(device)) do decide(device, group, partners) end
  settle_state(device)
  if before ~= device.state.failover or held ~= (next(own_active(device)) ~= nil) then
    M.announce(device)
  end
end

-- -- what devices tell each other --

--- What this device tells about itself.
function M.told(device)
  return {
    state = restart.is_booting(device) and "offline" or device.state.failover,
    active = is_up(device.state.failover) and M.partners(device) and own_active(device) or {},
    version = device.version.version, at = device.real_clock(),
  }
end

-- Shows the state of a peer in its object.
local function show_state(device, peer, state)
  local path = CM .. "device/" .. peer:gsub("/", "~")
  local object = device.store:get(path)
  if not object or object.failoverState == state then return end
  local copy = {}
  for key, value in pairs(object) do copy[key] = value end
  copy.failoverState = state
  local quiet = device.cluster.quiet
  device.cluster.quiet = true
  device.store:put(path, copy)
  device.cluster.quiet = quiet
end

--- Takes what a peer told.
function M.heard(device, peer, hello)
  local link = members.link(device, peer)
  link.seen = device.real_clock()
  -- a message can overtake an older one
  if link.hello and (link.hello.at or 0) > (hello.at or 0) then return end
  link.hello = hello
  show_state(device, peer, hello.state)
  M.decide(device)
end

local function greet(device, peer)
  local link = members.link(device, peer)
  link.busy = true
  local endpoint = members.trust(device).peers[peer]
  calls.send(
    device, endpoint, "hello", device.cluster.hello(device), device.cluster.headers(device),
    HELLO_MS,
    function(answer)
      link.busy = nil
      if answer and answer.state then
        M.heard(device, peer, answer)
      elseif not members.is_connected(device, peer) then
        show_state(device, peer, "unknown")
      end
    end
  )
end

--- Tells all peers how this device is; they answer the same.
function M.announce(device)
  for _, peer in ipairs(members.peers(device)) do greet(device, peer) end
end

--- The same, but not to peers that have not answered yet.
function M.greet(device)
  for _, peer in ipairs(members.peers(device)) do
    if not members.link(device, peer).busy then greet(device, peer) end
  end
end

-- Notes what this device had heard when it gave a traffic group away: by peer, in its time.
local function note_gift(device, group)
  local heard = {}
  for _, peer in ipairs(members.peers(device)) do
    local hello = members.link(device, peer).hello
    heard[peer] = hello and hello.at
  end
  device.cluster.gave[group] = heard
end

-- Whether a message "take" was on its way so long that this device has given the group away since.
local function is_outdated(device, peer, message, group)
  local heard = (device.cluster.gave[group] or {})[peer]
  return heard ~= nil and (message.at or 0) <= heard
end

--- Answers the message "take" of a peer: this device becomes active for traffic groups.
function M.on_take(device, peer, message)
  if is_up(device.state.failover) and not restart.is_booting(device) and M.partners(device) then
    for _, group in ipairs(traffic_groups(device)) do
      local full = group.fullPath
      if message.groups[full] and not is_outdated(device, peer, message, full) then
        own_active(device)[full] = true
      end
    end
    settle_state(device)
  end
end

-- -- commands --

local function hand_over(device, groups, partners)
  local by_peer = {}
  for _, group in ipairs(traffic_groups(device)) do
    if groups[group.fullPath] then
      own_active(device)[group.fullPath] = nil
      note_gift(device, group.fullPath)
      for _, name in ipairs((candidates(device, group, partners))) do
        if name ~= members.own_name(device) then
          device.cluster.handed[group.fullPath] = device.real_clock() + HELLO_MS * 1000
          by_peer[name] = by_peer[name] or {}
          by_peer[name][group.fullPath] = true
          break
        end
      end
    end
  end
  settle_state(device)
  for peer, given in pairs(by_peer) do
    local message = device.cluster.hello(device)
    message.groups = given
    calls.send(
      device, members.trust(device).peers[peer], "take", message, device.cluster.headers(device),
      HELLO_MS,
      function(answer)
        for group in pairs(given) do device.cluster.handed[group] = nil end
        if answer and answer.state then M.heard(device, peer, answer) end
        M.decide(device)
        M.announce(device)
      end
    )
  end
end

--- `run sys failover standby [traffic-group G]`: a partner becomes active. Returns false if there
--- is no fail-over with others.
function M.stand_by(device, traffic_group)
  local partners = M.partners(device)
  if not partners then return false end
  local groups = {}
  for group in pairs(own_active(device)) do
    if not traffic_group or group == traffic_group then groups[group] = true end
  end
  hand_over(device, groups, partners)
  return true
end

--- Called after the state of the device has changed: forced offline, back, without tmm.
function M.changed(device)
  if not members.has_peers(device) then return end
  local trust = members.trust(device)
  if not is_up(device.state.failover) then
    trust.active = {}
  elseif M.partners(device) then
    -- a device that comes back does not take anything from the others
    trust.active = trust.active or {}
    device.cluster.up_since = device:now()
    settle_state(device)
  end
  M.announce(device)
end

--- The lines of the statistics of a traffic group: one for each device.
function M.lines(device, group)
  local own = members.own_name(device)
  local partners = M.partners(device)
  if not partners then return nil end
  local list = (candidates(device, group, partners))
  local next_one
  for _, name in ipairs(list) do
    if not next_one and not is_active(device, name, group.fullPath) then next_one = name end
  end
  local all, lines = { own }, {}
  for _, peer in ipairs(partners) do all[#all + 1] = peer end
  table.sort(all)
  for i, name in ipairs(all) do
    local hello = name ~= own and members.hello_of(device, name)
    local state = name == own and device.state.failover or hello and hello.state or "unknown"
    if state == "active" and not is_active(device, name, group.fullPath) then
      state = "standby"
    end
    lines[i] = { name = name, state = state, is_next = name == next_one }
  end
  return lines
end

return M
