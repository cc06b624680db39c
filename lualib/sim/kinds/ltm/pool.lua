-- Pools and their members.
local addresses = require "sim.kinds.common.addresses"
local availability = require "sim.kinds.common.availability"
local errors = require "sim.http.errors"
local monitors = require "sim.kinds.common.monitors"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local states = require "sim.kinds.common.states"
local traffic = require "sim.status.traffic"
local validate = require "sim.config.validate"
local values = require "sim.config.values"

local s <const>, COUNT <const> = property.text, property.COUNT
local ROOT <const> = "/mgmt/tm/"

local pool_checks <const> = {
  prepare = function(store, object, properties)
    if properties.monitor then monitors.settle(store, object) end
    if object.monitor == "none" then object.monitor = nil end
  end,
  changed = function(store, path, object, old)
    if object.monitor ~= old.monitor then states.follow_pool(store, path) end
  end,
}

local function member_address(host)
  local bare = host:match "[^/]+$"
  if validate.is_address(bare) then return bare end
  return nil
end

local pool_member <const> = {
  identify = function(_, body, target, store)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    local pool = store:get(target.parent)
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
    local host, port = states.member_parts(name)
    if not host and body.port then
      host, port = name, tostring(body.port)
    end
    if not host then
      validate.refuse_mcpd(
        ("01070712:3: The pool member name (%s) must have the form address:port."):format(name)
      )
    end
    local number = validate.port(port)
    if not number then validate.refuse(('invalid property value "name":"%s"'):format(name)) end
    -- a node keeps the spelling of its name, and its members have it, too
    local spelt = names.segment(names.full(partition, sub_path, host))
    if validate.is_address(host) and not store:get(ROOT .. "ltm/node/" .. spelt) then
      host = validate.short_address(host)
    end
    local separator = host:find ":" and "." or ":"
    name = host .. separator .. number
    local full = names.full(partition, sub_path, name)
    local folder = "/" .. partition .. (sub_path and "/" .. sub_path or "")
    if not store:get(ROOT .. "sys/folder/" .. names.segment(folder)) then
      validate.refuse_mcpd(
        (
          "01070734:3: Configuration error: Can't associate Pool Member (%s %s %s) "
            .. "folder does not exist"
        ):format(
          pool.fullPath,
          names.full(partition, sub_path, host),
          number
        )
      )
    end
    return { name = name, partition = partition, subPath = sub_path, fullPath = full }
  end,
  label = function(target, full)
    local pool = (target.parent or target.collection or target.path):match(
      "/ltm/pool/([^/]+)"
    ) or ""
    local host, port = states.member_parts(full)
    return ("%s %s %s"):format((pool:gsub("~", "/")), host or full, port or "")
  end,
  prepare = function(store, object, properties, old, ctx, target)
    states.settle_fqdn(object, properties)
    object.port = nil
    local host = states.member_parts(object.fullPath)
    local known = store:get(ROOT .. "ltm/node/" .. names.segment(host))
    if not old then
      local address = object.address or known and known.address or member_address(host)
      local named = type(object.fqdn) == "table" and object.fqdn.tmName
        or known and known.fqdn and known.fqdn.tmName
      if not address and not named then
        error(
          errors.tm(404, ("01020036:3: The requested Node (%s) was not found."):format(host), 3),
          0
        )
      end
      if known and known.fqdn and known.fqdn.tmName then
        local fresh = {}
        for key, value in pairs(object.fqdn) do fresh[key] = value end
        fresh.tmName = known.fqdn.tmName
        object.fqdn = fresh
      end
      object.address = addresses.in_domain(store, address or "any6", object.partition, ctx)
      if object.address ~= "any6" and not validate.is_address(object.address) then
        validate.invalid("address", object.address)
      end
      if known and properties.address and known.address ~= object.address then
        validate.refuse_mcpd(
          (
            "0107003c:3: The address of pool member (%s) does not match that of its "
              .. "node (%s)."
          ):format(
            object.fullPath,
            known.fullPath
          )
        )
      end
    end
    monitors.settle(store, object)
    local pool = store:get(target.parent)
    local monitored = object.monitor ~= nil
      and object.monitor ~= "default" and object.monitor ~= "none"
      and object.monitor ~= "/Common/none"
    if object.monitor == "default" then
      monitored = pool.monitor ~= nil or known ~= nil and states.is_monitored(store, known)
    end
    states.settle(object, properties, old, monitored, ctx)
    if known and not properties.session and known.session == "user-disabled" and not old then
      object.session = "user-enabled"
    end
  end,
  before = function(store, _, object, ctx)
    local host = states.member_parts(object.fullPath)
    if store:get(ROOT .. "ltm/node/" .. names.segment(host)) then return end
    local body =
      { name = host, address = object.address ~= "any6" and object.address or nil }
    if object.fqdn and object.fqdn.tmName then
      body.fqdn = { tmName = object.fqdn.tmName, autopopulate = object.fqdn.autopopulate }
    end
    store:create(ROOT .. "ltm/node", body, values.with(ctx, "automatic", true))
  end,
}

local function pool_values(store, path, object)
  local state = availability.of_pool(store, path)
  local current, most = traffic.of_pool(store.device, path)
  return {
    ["serverside.curConns"] = current,
    ["serverside.maxConns"] = most,
    activeMemberCnt = state.active,
    availableMemberCnt = state.available,
    memberCnt = state.count,
    minActiveMembers = object.minActiveMembers,
    monitorRule = object.monitor or "none",
    ["status.availabilityState"] = state.availability,
    ["status.enabledState"] = state.enabled,
    ["status.statusReason"] = state.reason,
  }
end

-- Members have no recorded statistics of their own; these are what a pool's answer has of them.
local MEMBER_ENTRIES <const> = {
  { "addr", "d" },
  { "connq.ageEdm", "v" },
  { "connq.ageEma", "v" },
  { "connq.ageHead", "v" },
  { "connq.ageMax", "v" },
  { "connq.depth", "v" },
  { "connq.serviced", "v" },
  { "curSessions", "v" },
  { "monitorRule", "d" },
  { "monitorStatus", "d" },
  { "nodeName", "d" },
  { "poolName", "d" },
  { "port", "v" },
  { "sessionStatus", "d" },
  { "totRequests", "v" },
  { "serverside.bitsIn", "v" },
  { "serverside.bitsOut", "v" },
  { "serverside.curConns", "v" },
  { "serverside.maxConns", "v" },
  { "serverside.pktsIn", "v" },
  { "serverside.pktsOut", "v" },
  { "serverside.totConns", "v" },
  { "status.availabilityState", "d" },
  { "status.enabledState", "d" },
  { "status.statusReason", "d" },
}

local function member_values(store, path, object)
  local state, enabled, reason = availability.of_member(store, path, object)
  local owner = store:get(path:match "^(.*)/members/")
  local host, port = object.fullPath:match "^(.*)[:.]([^:.]*)$"
  return {
    ["serverside.curConns"] = traffic.connections(store.device, path),
    ["serverside.maxConns"] = traffic.most(store.device, path),
    addr = object.address,
    port = math.tointeger(tonumber(port)) or 0,
    nodeName = host,
    poolName = owner.fullPath,
    monitorRule = object.monitor == "default"
        and (owner.monitor and owner.monitor .. " (pool monitor)" or "none")
      or object.monitor or "none",
    monitorStatus = object.state,
    sessionStatus = object.session == "user-disabled" and "disabled" or "enabled",
    ["status.availabilityState"] = state,
    ["status.enabledState"] = enabled,
    ["status.statusReason"] = reason,
  }
end

return {
  ["ltm/pool"] = {
    facts = { exact = true, known = true,
      noun = "Pool",
      props = {
        serviceDownAction = s("none", { keeps_none = true, c = "drop|none|reselect|reset" }),
        ["ignorePersi$stedWeight"] = false,
        ignorePersistedWeight = s("disabled", { c = "disabled|enabled" }),
        metadata = { t = "a" },
        gatewayFailsafeDevice = s(),
        profiles = { t = "a" },
        minActiveMembers = COUNT,
        slowRampTime = COUNT,
        reselectTries = COUNT,
        queueDepthLimit = COUNT,
        queueTimeLimit = COUNT,
      },
    },
    relations = { monitors.RELATION },
    checks = pool_checks,
    stats = { values = pool_values },
  },
  ["ltm/pool/*/members"] = {
    facts = { exact = true, known = true,
      noun = "Pool Member", lists = { profiles = "ltm/profile/*|net/tunnels/*" },
      create_only = { "address" },
      props = {
        state = s("unchecked"),
        session = s("user-enabled"),
        ephemeral = s("false", { r = true }),
        description = s(),
        monitor = s("default"),
        fqdn = { t = "o", d = { autopopulate = "disabled" } },
        metadata = { t = "a" },
        appService = s(),
        profiles = { t = "a" },
        port = s(),
        ratio = { t = "i", d = 1, range = { 1, 65535 } },
        rateLimit = { t = "s", d = "disabled" },
        connectionLimit = COUNT,
        dynamicRatio = COUNT,
        priorityGroup = COUNT,
        sessionStatus = false,
      },
      refs = { nameReference = false },
    },
    relations = {
      monitors.RELATION,
      { to = { "ltm/node" }, names = function(member)
        return { (member.fullPath:gsub("[:.][^:./]*$", "")) }
      end },
    },
    checks = pool_member,
    stats = { entries = MEMBER_ENTRIES, values = member_values },
  },
}
