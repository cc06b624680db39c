-- Session and state of nodes and pool members: what a body may set, and the values that result.
local names = require "sim.config.names"
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"

local SESSIONS <const> = { ["user-enabled"] = true, ["user-disabled"] = true }
local STATES <const> = { ["user-up"] = true, ["user-down"] = true }

--- Settles session and state of a node or a member. They are written as "user-…", and read as what
--- monitoring found, which a device does not take back. `monitored`: whether a monitor checks it.
--- `ctx`: of the write; a seed has what was read.
function M.settle(object, properties, old, monitored, ctx)
  local session, state = properties.session, properties.state
  if not (ctx and ctx.seed) then
    if session and session ~= validate.NONE and not SESSIONS[session] then
      validate.invalid("session", session)
    end
    if state and state ~= validate.NONE and not STATES[state] then
      validate.invalid("state", state)
    end
  end
  local down = old and old.state == "user-down"
  if state == "user-down" then down = true elseif state == "user-up" then down = false end
  local disabled = old and old.session == "user-disabled"
  if session == "user-disabled" then
    disabled = true
  elseif session then
    disabled = false
  end
  local fqdn = type(object.fqdn) == "table"
    and object.fqdn.tmName ~= nil and object.ephemeral ~= "true"
  if down then
    object.state = "user-down"
  elseif fqdn then
    object.state = monitored and "fqdn-checking" or "fqdn-up"
  elseif monitored and old and (old.state == "up" or old.state == "down") then
    object.state = old.state -- what the monitor found stays
  else
    object.state = monitored and "checking" or "unchecked"
  end
  if disabled then
    object.session = "user-disabled"
  elseif monitored and not fqdn then
    object.session = "monitor-enabled"
  else
    object.session = "user-enabled"
  end
end

function M.is_monitored(store, object)
  local monitor = object.monitor
  if monitor == nil or monitor == "none" or monitor == "/Common/none" then return false end
  if object.monitor ~= "default" then return true end
  local default = store:one(ROOT .. "ltm/default-node-monitor")
  return default.rule ~= nil and default.rule ~= "none" and default.rule ~= ""
end

--- Settles fqdn. fqdn.name comes back as fqdn.tmName, because `name` is a reserved word.
function M.settle_fqdn(object, properties)
  local given = properties.fqdn
  if type(given) == "string" then
    object.fqdn = {
      tmName = given, addressFamily = "ipv4", autopopulate = "disabled", downInterval = 5,
      interval = "3600",
    }
  elseif type(given) == "table" and given.name then
    local fresh = {}
    for key, value in pairs(object.fqdn) do fresh[key] = value end
    fresh.tmName, fresh.name = given.name, nil
    object.fqdn = fresh
  end
  if type(object.fqdn) == "table" then
    local fresh = {}
    for key, value in pairs(object.fqdn) do
      if key == "interval" then value = tostring(value) end
      if key == "downInterval" then value = math.tointeger(tonumber(value)) or value end
      fresh[key] = value
    end
    object.fqdn = fresh
  end
end

--- "/Common/10.0.0.1:80" -> "/Common/10.0.0.1", "80"; nil without a port.
function M.member_parts(name)
  local address, port = name:match "^(.*):([^:/]+)$"
  if address and not address:find ":" then return address, port end
  local six, service = name:match "^(.*)%.([^.:/]+)$"
  if six and six:find ":" then return six, service end
  if address then return address, port end
  return nil
end

--- Sets the states of members again after a change of the monitor of their pool.
function M.follow_pool(store, path)
  for _, segment in ipairs(store:segments(path .. "/members")) do
    local member_path = path .. "/members/" .. segment
    local member = store:get(member_path)
    if member.monitor == "default" then
      local fresh = {}
      for key, value in pairs(member) do fresh[key] = value end
      local host = M.member_parts(member.fullPath)
      local known = store:get(ROOT .. "ltm/node/" .. names.segment(host))
      local monitored = store:get(path).monitor ~= nil
        or known ~= nil and M.is_monitored(store, known)
      M.settle(fresh, {}, member, monitored)
      store:put(member_path, fresh)
    end
  end
end

--- Sets the states of nodes again after a change of the default monitor, then those of members.
function M.follow_default_monitor(store)
  local nodes = ROOT .. "ltm/node"
  for _, segment in ipairs(store:segments(nodes)) do
    local path = nodes .. "/" .. segment
    local object = store:get(path)
    if object.monitor == "default" then
      local fresh = {}
      for key, value in pairs(object) do fresh[key] = value end
      M.settle(fresh, {}, object, M.is_monitored(store, object))
      store:put(path, fresh)
    end
  end
  local pools = ROOT .. "ltm/pool"
  for _, segment in ipairs(store:segments(pools)) do
    M.follow_pool(store, pools .. "/" .. segment)
  end
end

return M
