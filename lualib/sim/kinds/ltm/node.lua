-- Nodes, and the monitor that nodes have by default.
local addresses = require "sim.kinds.common.addresses"
local availability = require "sim.kinds.common.availability"
local monitors = require "sim.kinds.common.monitors"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local states = require "sim.kinds.common.states"
local traffic = require "sim.status.traffic"
local validate = require "sim.config.validate"

local s <const>, COUNT <const> = property.text, property.COUNT
local ROOT <const> = "/mgmt/tm/"

local function by_address(store, address, own_path)
  for _, segment in ipairs(store:segments(ROOT .. "ltm/node")) do
    local path = ROOT .. "ltm/node/" .. segment
    if path ~= own_path and store:get(path).address == address then return path end
  end
  return nil
end

local node <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    states.settle_fqdn(object, properties)
    local named = type(object.fqdn) == "table" and object.fqdn.tmName
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
        object.address = addresses.in_domain(store, object.address, object.partition, ctx)
        local index = store.nodes_by_address
        local path = target.path .. "/" .. names.segment(object.fullPath)
        local others = index and index[object.address] or {}
        if not index then others = { by_address(store, object.address, path) } end
        for _, other_path in ipairs(ctx.seed and {} or others) do
          -- a member brings its node along, but not one that another tenant has
          local other = store:get(other_path)
          local is_foreign = other.partition ~= object.partition and other.partition ~= "Common"
          if is_foreign or not ctx.automatic then
            validate.refuse_mcpd(
              ("0107176c:3: Invalid Node, the IP address %s already exists."):format(
                object.address
              )
            )
          end
        end
      end
    end
    monitors.settle(store, object)
    states.settle(object, properties, old, states.is_monitored(store, object), ctx)
  end,
}

-- A node cannot be deleted while a pool has a member on it.
function node.in_use(object, user)
  if user.template ~= "ltm/pool/*/members" then return nil end
  return ("01070110:3: Node address '%s' is referenced by a member of pool '%s'."):format(
    object.fullPath, user.owner.fullPath
  )
end

local function node_values(store, path, object)
  local state, enabled, reason = availability.of_node(store, path, object)
  local current, most = traffic.of_node(store.device, path)
  return {
    ["serverside.curConns"] = current,
    ["serverside.maxConns"] = most,
    addr = object.address,
    monitorRule = object.monitor == "default" and "none" or object.monitor or "none",
    monitorStatus = object.state,
    sessionStatus = object.session == "user-disabled" and "disabled" or "enabled",
    ["status.availabilityState"] = state,
    ["status.enabledState"] = enabled,
    ["status.statusReason"] = reason,
  }
end

local default_monitor <const> = {
  prepare = function(_, object)
    if object.rule then object.rule = monitors.full(object.rule) end
  end,
  changed = function(store, _, object, old)
    if object.rule ~= old.rule then states.follow_default_monitor(store) end
  end,
}

return {
  ["ltm/node"] = {
    facts = { exact = true, known = true,
      noun = "Node", mandatory = {}, create_only = { "address" },
      props = {
        address = { t = "s" },
        description = { d = false },
        commonNode = { t = "b" },
        domain = s(),
        key = s(),
        fqdn = {
          t = "o",
          d = {
            addressFamily = "ipv4", autopopulate = "disabled", downInterval = 5, interval = "3600",
          },
        },
        monitor = { t = "s", d = "default" },
        session = s("user-enabled"),
        state = s("unchecked"),
        ephemeral = s("false", { r = true }),
        metadata = { t = "a" },
        ratio = { t = "i", d = 1, range = { 1, 65535 } },
        connectionLimit = COUNT,
        dynamicRatio = COUNT,
      },
    },
    relations = { monitors.RELATION },
    checks = node,
    stats = { values = node_values },
    indexes = {
      nodes_by_address = { many = true, key = function(object) return object.address end },
    },
  },
  ["ltm/default-node-monitor"] = {
    facts = { props = { rule = s "none" } },
    relations = { { property = "rule", to = { "ltm/monitor/*" }, names = monitors.names } },
    checks = default_monitor,
  },
}
