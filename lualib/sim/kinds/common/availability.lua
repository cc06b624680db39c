-- The status that statistics show of nodes, pool members, pools and virtual servers: availability,
-- enabled state and reason.
local monitoring = require "sim.status.monitoring"
local names = require "sim.config.names"

local M = {}

M.NOT_CHECKED = "The children pool member(s) either don't have service checking enabled, or "
  .. "service check results are not available yet"

-- The reason why an object is down: one sentence for each of its monitors, as recorded.
local function down_reason(store, path)
  local since = store.device.state.monitoring.since[path] or store.device:now()
  local text = ""
  for _, name in ipairs(monitoring.monitors_of(store, path)) do
    text = text
      .. ("%s: No successful responses received before deadline. @%s. "):format(
        name,
        os.date("!%Y/%m/%d %H:%M:%S", since // 1000000)
      )
  end
  return text
end

-- The availability, enabled state and reason of a node or a member.
local function state_of(store, path, object, what)
  local enabled = object.session == "user-disabled" and "disabled" or "enabled"
  if object.state == "user-down" then return "offline", "disabled", "Forced down" end
  if object.state == "up" or object.state == "fqdn-up" then
    return "available",
      enabled,
      what .. " is available" .. (enabled == "disabled" and ", user disabled" or "")
  end
  if object.state == "down" or object.state == "fqdn-down" then
    return "offline", enabled, down_reason(store, path)
  end
  if object.state == "checking" or object.state == "fqdn-checking" then
    return "unknown", enabled, what .. " has not been checked yet"
  end
  return "unknown",
    enabled,
    (what == "Pool member" and what or "Node address") .. " does not have service checking enabled"
end

--- The availability, enabled state and reason of a node.
function M.of_node(store, path, node) return state_of(store, path, node, "Node address") end

--- The same of a member. It follows its node.
function M.of_member(store, path, member)
  local availability, enabled, reason = state_of(store, path, member, "Pool member")
  local node = store:get(monitoring.node_of(member))
  if not node then return availability, enabled, reason end
  if
    member.state ~= "user-down"
    and (node.state == "user-down" or node.state == "down" or node.state == "fqdn-down")
  then
    availability, reason = "offline", "Parent down"
  end
  if enabled == "enabled" and (node.state == "user-down" or node.session == "user-disabled") then
    enabled = "disabled-by-parent"
  end
  return availability, enabled, reason
end

--- The counts and the status of a pool: { count =, available =, active =, availability =, enabled
--- =, reason = }.
function M.of_pool(store, path)
  local found = {
    count = store:count(path .. "/members"),
    available = 0,
    active = 0,
    availability = "unknown",
    enabled = "enabled",
    reason = M.NOT_CHECKED,
  }
  local online = 0
  for _, segment in ipairs(store:segments(path .. "/members")) do
    local at = path .. "/members/" .. segment
    local availability, enabled = M.of_member(store, at, store:get(at))
    if availability ~= "offline" then
      online = online + 1
      if enabled == "enabled" then found.available = found.available + 1 end
    end
    if availability == "available" and enabled == "enabled" then found.active = found.active + 1 end
  end
  if found.active > 0 then
    found.availability, found.reason = "available", "The pool is available"
  elseif found.count > 0 and online == 0 then
    found.availability, found.reason = "offline", "The children pool member(s) are down"
  elseif online > 0 and found.available == 0 then
    found.availability, found.enabled, found.reason =
      "offline", "disabled", "The children pool member(s) might be disabled"
  end
  return found
end

--- The availability and the reason of a virtual server: those of its pool.
function M.of_virtual(store, object)
  if not object.pool then return "unknown", M.NOT_CHECKED end
  local pool = M.of_pool(store, "/mgmt/tm/ltm/pool/" .. names.segment(object.pool))
  if pool.availability == "available" then return "available", "The virtual server is available" end
  return pool.availability, pool.reason
end

return M
