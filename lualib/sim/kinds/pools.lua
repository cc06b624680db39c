-- Where traffic goes: nodes, pools and their members, and the monitors that watch them.
local addresses = require "sim.kinds.common.addresses"
local errors = require "sim.http.errors"
local monitors = require "sim.monitors"
local names = require "sim.config.names"
local validate = require "sim.config.validate"

local ROOT <const> = "/mgmt/tm/"

local SESSIONS <const> = { ["user-enabled"] = true, ["user-disabled"] = true }
local STATES <const> = {
  ["user-up"] = true, ["user-down"] = true, up = true, down = true, checking = true,
  unchecked = true, ["fqdn-up"] = true, ["fqdn-down"] = true, ["fqdn-checking"] = true,
  ["fqdn-unchecked"] = true, ["fqdn-up-no-addr"] = true, unavailable = true,
}

-- What a node or a member says about itself: `session` and `state` are set as user-… and read as
-- what monitoring made of it. `monitored` tells whether anything checks it.
local function settle_state(object, properties, old, monitored)
  local session <const>, state <const> = properties.session, properties.state
  if
    session and not SESSIONS[session] and not (old and old.session == session)
    and session ~= "monitor-enabled"
  then
    validate.invalid("session", session)
  end
  if state and state ~= validate.NONE and not STATES[state] then
    validate.invalid("state", state)
  end
  local down = old and old.state == "user-down"
  if state == "user-down" then down = true elseif state == "user-up" then down = false end
  local disabled = old and old.session == "user-disabled"
  if session == "user-disabled" then
    disabled = true
  elseif session then
    disabled = false
  end
  local fqdn <const> = type(object.fqdn) == "table"
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

local function is_monitored(store, object)
  if object.monitor == nil or object.monitor == "none" then return false end
  if object.monitor ~= "default" then return true end
  local default <const> = store:one(ROOT .. "ltm/default-node-monitor")
  return default.rule ~= nil and default.rule ~= "none" and default.rule ~= ""
end

-- "www.example.net" under fqdn.name: what the guide calls a reserved name comes back as tmName.
local function settle_fqdn(object, properties)
  local given <const> = properties.fqdn
  if type(given) == "string" then
    object.fqdn = {
      tmName = given, addressFamily = "ipv4", autopopulate = "disabled", downInterval = 5,
      interval = "3600",
    }
  elseif type(given) == "table" and given.name then
    local fresh <const> = {}
    for key, value in pairs(object.fqdn) do fresh[key] = value end
    fresh.tmName, fresh.name = given.name, nil
    object.fqdn = fresh
  end
  if type(object.fqdn) == "table" then
    local fresh <const> = {}
    for key, value in pairs(object.fqdn) do
      if key == "interval" then value = tostring(value) end
      if key == "downInterval" then value = math.tointeger(tonumber(value)) or value end
      fresh[key] = value
    end
    object.fqdn = fresh
  end
end

local function by_address(store, address, own_path)
  for _, segment in ipairs(store:segments(ROOT .. "ltm/node")) do
    local path <const> = ROOT .. "ltm/node/" .. segment
    if path ~= own_path and store:get(path).address == address then return store:get(path) end
  end
  return nil
end

local node <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    settle_fqdn(object, properties)
    local named <const> = type(object.fqdn) == "table" and object.fqdn.tmName
    if not old then
      if not object.address and not named then
        if validate.is_address(object.name) then
          object.address = object.name
        else
          validate.refuse_mcpd(
            "01070734:3: Configuration error: Node ("
              .. object.fullPath .. ") must have either an IP address or an FQDN."
          )
        end
      end
      if named then object.address = object.address or "any6" end
      if object.address ~= "any6" then
        if not validate.is_address(object.address) then
          validate.invalid("address", object.address)
        end
        addresses.check_domain(store, object.address, ctx)
        local index <const> = store.nodes_by_address
        local path <const> = target.path .. "/" .. names.segment(object.fullPath)
        local other <const> = index and index[object.address] and store:get(index[object.address])
          or (not index and by_address(store, object.address, path)) or nil
        if other and other.partition == object.partition and not ctx.automatic then
          validate.refuse_mcpd(
            ("0107176c:3: Invalid Node, the IP address %s already exists."):format(object.address)
          )
        end
      end
    end
    monitors.settle(store, object)
    settle_state(object, properties, old, is_monitored(store, object))
  end,
}

-- "/Common/10.0.0.1:80" -> what stands before the port, and the port.
local function member_parts(name)
  local address <const>, port <const> = name:match "^(.*):([^:/]+)$"
  if address and not address:find ":" then return address, port end
  local six <const>, service <const> = name:match "^(.*)%.([^.:/]+)$"
  if six and six:find ":" then return six, service end
  if address then return address, port end
  return nil
end

local function member_address(host)
  local bare <const> = host:match "[^/]+$"
  if validate.is_address(bare) then return bare end
  return nil
end

local pool_member <const> = {
  identify = function(_, body, target, store)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    local pool <const> = store:get(target.parent)
    local partition, sub_path = body.partition, body.subPath
    if name:sub(1, 1) == "/" then
      partition, sub_path, name = names.split(name)
    elseif type(partition) == "string" then
      local folder
      partition, folder = names.partition(partition)
      sub_path = sub_path or folder
    else
      partition = pool.partition
    end
    local host, port = member_parts(name)
    if not host and body.port then
      host, port = name, tostring(body.port)
    end
    if not host then
      validate.refuse_mcpd(
        ("01070712:3: The pool member name (%s) must have the form address:port."):format(name)
      )
    end
    local number <const> = validate.port(port)
    if not number then validate.refuse(('invalid property value "name":"%s"'):format(name)) end
    local separator <const> = host:find ":" and "." or ":"
    name = host .. separator .. number
    local full <const> = names.full(partition, sub_path, name)
    local folder <const> = "/" .. partition .. (sub_path and "/" .. sub_path or "")
    if not store:get(ROOT .. "sys/folder/" .. names.segment(folder)) then
      validate.refuse_mcpd(
        ("01070734:3: Configuration error: Can't associate Pool Member (%s %s %s) folder does not exist"):format(
          pool.fullPath,
          names.full(partition, sub_path, host),
          number
        )
      )
    end
    return { name = name, partition = partition, subPath = sub_path, fullPath = full }
  end,
  label = function(target, full)
    local pool <const> = (target.parent or target.collection or target.path):match(
      "/ltm/pool/([^/]+)"
    ) or ""
    local host, port = member_parts(full)
    return ("%s %s %s"):format((pool:gsub("~", "/")), host or full, port or "")
  end,
  prepare = function(store, object, properties, old, _, target)
    settle_fqdn(object, properties)
    object.port = nil
    local host <const> = member_parts(object.fullPath)
    local known <const> = store:get(ROOT .. "ltm/node/" .. names.segment(host))
    if not old then
      local address <const> = object.address or known and known.address or member_address(host)
      local named <const> = type(object.fqdn) == "table" and object.fqdn.tmName
        or known and known.fqdn and known.fqdn.tmName
      if not address and not named then
        error(
          errors.tm(404, ("01020036:3: The requested Node (%s) was not found."):format(host), 3),
          0
        )
      end
      if known and known.fqdn and known.fqdn.tmName then
        local fresh <const> = {}
        for key, value in pairs(object.fqdn) do fresh[key] = value end
        fresh.tmName = known.fqdn.tmName
        object.fqdn = fresh
      end
      object.address = address or "any6"
      if object.address ~= "any6" and not validate.is_address(object.address) then
        validate.invalid("address", object.address)
      end
      if known and properties.address and known.address ~= properties.address then
        validate.refuse_mcpd(
          ("0107003c:3: The address of pool member (%s) does not match that of its node (%s)."):format(
            object.fullPath,
            known.fullPath
          )
        )
      end
    end
    monitors.settle(store, object)
    local pool <const> = store:get(target.parent)
    local monitored = object.monitor ~= nil
      and object.monitor ~= "default" and object.monitor ~= "none"
    if object.monitor == "default" then
      monitored = pool.monitor ~= nil or known ~= nil and is_monitored(store, known)
    end
    settle_state(object, properties, old, monitored)
    if known and not properties.session and known.session == "user-disabled" and not old then
      object.session = "user-enabled"
    end
  end,
  before = function(store, _, object, ctx)
    local host <const> = member_parts(object.fullPath)
    if store:get(ROOT .. "ltm/node/" .. names.segment(host)) then return end
    local body <const> =
      { name = host, address = object.address ~= "any6" and object.address or nil }
    if object.fqdn and object.fqdn.tmName then
      body.fqdn = { tmName = object.fqdn.tmName, autopopulate = object.fqdn.autopopulate }
    end
    store:create(ROOT .. "ltm/node", body, setmetatable({ automatic = true }, { __index = ctx }))
  end,
}

-- Members follow their pool's monitor.
local function members_again(store, path)
  for _, segment in ipairs(store:segments(path .. "/members")) do
    local member_path <const> = path .. "/members/" .. segment
    local member <const> = store:get(member_path)
    if member.monitor == "default" then
      local fresh <const> = {}
      for key, value in pairs(member) do fresh[key] = value end
      local host <const> = member_parts(member.fullPath)
      local known <const> = store:get(ROOT .. "ltm/node/" .. names.segment(host))
      local monitored <const> = store:get(path).monitor ~= nil
        or known ~= nil and is_monitored(store, known)
      settle_state(fresh, {}, member, monitored)
      store:put(member_path, fresh)
    end
  end
end

-- Nodes follow the default monitor, and members without another their node.
local function nodes_again(store)
  local nodes <const> = ROOT .. "ltm/node"
  for _, segment in ipairs(store:segments(nodes)) do
    local path <const> = nodes .. "/" .. segment
    local object <const> = store:get(path)
    if object.monitor == "default" then
      local fresh <const> = {}
      for key, value in pairs(object) do fresh[key] = value end
      settle_state(fresh, {}, object, is_monitored(store, object))
      store:put(path, fresh)
    end
  end
  local pools <const> = ROOT .. "ltm/pool"
  for _, segment in ipairs(store:segments(pools)) do
    members_again(store, pools .. "/" .. segment)
  end
end

local pool <const> = {
  prepare = function(store, object, properties)
    if properties.monitor then monitors.settle(store, object) end
    if object.monitor == "none" then object.monitor = nil end
  end,
  changed = function(store, path, object, old)
    if object.monitor ~= old.monitor then members_again(store, path) end
  end,
}

local monitor <const> = {
  prepare = function(_, object, properties, old, ctx)
    if properties.destination and object.destination and object.destination ~= "*:*" then
      local text <const> = validate.text("destination", object.destination)
      if not text:find "^%*" and not validate.endpoint(text) then
        if not (validate.is_address(text)) then validate.invalid("destination", text) end
      end
    end
    local interval <const>, timeout <const> = object.interval, object.timeout
    if
      math.type(interval) == "integer" and math.type(timeout) == "integer" and not ctx.factory
      and timeout > 0 and (properties.interval or properties.timeout) and interval >= timeout
      and timeout ~= 0 and not old
    then
      object.timeout = timeout
    end
  end,
}

return {
  ["ltm/default-node-monitor"] = {
    prepare = function(_, object)
      if object.rule then object.rule = monitors.full(object.rule) end
    end,
    changed = function(store, _, object, old)
      if object.rule ~= old.rule then nodes_again(store) end
    end,
  },
  ["ltm/node"] = node,
  ["ltm/pool"] = pool,
  ["ltm/pool/*/members"] = pool_member,
  ["^%w+/monitor/[^/]+$"] = monitor,
}
