-- Results of monitors. Nothing is really checked: a monitored node or pool member is up one
-- interval after it was created, unless the device's owner sets another result.
--
-- state.monitoring = {
--   found = { [path of a node or a member] = "up" | "down" },  -- set by the owner
--   since = { [path] = time },  -- since when it is down
--   batches = { [time] = { path, … } },  -- when first results are due
-- }
-- First results are collected for a tenth of a second each, so that a device with ten thousand
-- members has few events.
local M = {}

local NODES <const>, POOLS <const> = "/mgmt/tm/ltm/node/", "/mgmt/tm/ltm/pool/"
local TENTH <const> = 100000
local DEFAULT_INTERVAL <const> = 5
local FIRST <const> = { checking = true, ["fqdn-checking"] = true }
local FOUND <const> = { up = true, down = true, ["fqdn-up"] = true, ["fqdn-down"] = true }

local function is_member(path) return path:find("/members/", #POOLS, true) ~= nil end

-- The path of a pool member's node.
function M.node_of(member)
  return NODES .. member.fullPath:gsub("[:.][^:./]*$", ""):gsub("/", "~")
end

-- The names of the monitors of a node or a member, and the longest of their intervals in seconds.
function M.monitors_of(store, path)
  local list = {}
  local longest
  for _, user in ipairs { path, path:match "^(.*)/members/" } do
    for _, target in ipairs(store:targets(user)) do
      local monitor = target:find("/monitor/", 1, true) and store:get(target)
      if monitor then
        list[#list + 1] = monitor.fullPath
        local seconds = math.tointeger(tonumber(monitor.interval))
        if seconds and seconds > (longest or 0) then longest = seconds end
      end
    end
    if #list > 0 then break end
  end
  return list, longest or DEFAULT_INTERVAL
end

local function schedule(device, path)
  local _, interval = M.monitors_of(device.store, path)
  local due = ((device:now() + interval * 1000000) // TENTH + 1) * TENTH
  local batches = device.state.monitoring.batches
  local key = tostring(due)
  if not batches[key] then
    batches[key] = {}
    device:schedule(due, "monitors", key)
  end
  table.insert(batches[key], path)
end

-- The result of the monitors of the object at a path. A member is down if its node is.
local function result(device, path, object)
  local said = device.state.monitoring.found[path]
  if said or not is_member(path) then return said or "up" end
  local node = device.store:get(M.node_of(object))
  return node and (node.state == "down" or node.state == "fqdn-down") and "down" or "up"
end

local function apply(device, path, object)
  local state = result(device, path, object)
  if object.state:find "^fqdn" then state = "fqdn-" .. state end
  if state == object.state then return end
  local copy = {}
  for key, value in pairs(object) do copy[key] = value end
  copy.state = state
  device.state.monitoring.since[path] = state:find "down$" and device:now() or nil
  device.store:put(path, copy)
end

-- The paths of the members of all pools for which `wanted(member)` is true.
local function members(store, wanted)
  local list = {}
  for _, pool in ipairs(store:segments(POOLS:sub(1, -2))) do
    local collection = POOLS .. pool .. "/members"
    for _, segment in ipairs(store:segments(collection)) do
      local path = collection .. "/" .. segment
      if wanted(store:get(path)) then list[#list + 1] = path end
    end
  end
  return list
end

-- The paths for a name: itself if it is a path, else those of the node and the pool members with
-- this full name.
local function paths_of(store, name)
  if name:sub(1, 6) == "/mgmt/" then return { store:get(name) and name } end
  local list = members(store, function(member) return member.fullPath == name end)
  local node = NODES .. name:gsub("/", "~")
  if store:get(node) then table.insert(list, 1, node) end
  return list
end

-- Sets the results of monitors from now on: { [name or path] = "up" | "down" }. They also hold for
-- objects that are created again. An object that is forced down or not monitored shows its result
-- when that changes.
function M.set(device, health)
  local store = device.store
  for name, state in pairs(health) do
    if state ~= "up" and state ~= "down" then
      error(("health: expected up or down, got '%s'"):format(tostring(state)), 0)
    end
    local paths = paths_of(store, name)
    if #paths == 0 then error(("health: unknown node or pool member '%s'"):format(name), 0) end
    local affected = table.move(paths, 1, #paths, 1, {})
    for _, path in ipairs(paths) do
      if not is_member(path) and path:sub(1, #NODES) ~= NODES then
        error(("health: unknown node or pool member '%s'"):format(name), 0)
      end
      device.state.monitoring.found[path] = state
      if not is_member(path) then
        for _, member in ipairs(members(store, function(one) return M.node_of(one) == path end)) do
          affected[#affected + 1] = member
        end
      end
    end
    for _, path in ipairs(affected) do
      local object = store:get(path)
      if FOUND[object.state] or FIRST[object.state] then apply(device, path, object) end
    end
  end
end

function M.install(device)
  device.state.monitoring = device.state.monitoring or { found = {}, since = {}, batches = {} }
  device:on("monitors", function(self, key)
    local batches = self.state.monitoring.batches
    local paths = batches[key] or {} -- none: made in a transaction that was undone
    batches[key] = nil
    for _, path in ipairs(paths) do
      local object = self.store:get(path)
      if object and FIRST[object.state] then apply(self, path, object) end
    end
  end)
  local function watch(path, object)
    if object and FIRST[object.state] and not device.store.hydrating then schedule(device, path) end
  end
  device.store:watch(NODES, watch)
  device.store:watch(POOLS, watch)
  device:on_plant(function(self, seed) M.set(self, seed.health or {}) end)
end

return M
