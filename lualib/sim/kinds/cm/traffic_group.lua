-- Traffic groups.
local failover = require "sim.cluster.failover"
local members = require "sim.cluster.members"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const> = property.text, property.number
local ROOT <const> = "/mgmt/tm/"

local traffic_group <const> = {
  prepare = function(store, object, _, old)
    if not old then object.unitId = store:count(ROOT .. "cm/traffic-group") end
  end,
  removing = function(_, _, object)
    if object.name:find "^traffic%-group%-local%-only$" or object.name == "traffic-group-1" then
      validate.refuse_mcpd(
        (
          "01070734:3: Configuration error: The traffic group (%s) is a system object "
            .. "and cannot be deleted."
        ):format(
          object.fullPath
        )
      )
    end
  end,
}

-- One line for each device that can be active for the traffic group.
local function lines(object, store)
  local device = store.device
  local list = failover.lines(device, object)
    or { { name = members.own_name(device), state = device.state.failover or "active" } }
  local shown = {}
  for at, line in ipairs(list) do
    shown[at] = {
      suffix = ("/%s:%s"):format(names.segment(object.fullPath), names.segment(line.name)),
      values = {
        activeReason = "-",
        deviceName = line.name,
        failoverState = line.state,
        nextActive = line.is_next and "true" or "false",
        previousActive = "false",
        trafficGroup = object.fullPath,
      },
    }
  end
  return shown
end

return {
  ["cm/traffic-group"] = {
    facts = {
      noun = "traffic group",
      props = {
        autoFailbackEnabled = s("false"),
        autoFailbackTime = i(60),
        failoverMethod = s("ha-order"),
        haLoadFactor = i(1),
        monitor = { t = "o", d = {} },
        isFloating = s("true"),
        mac = s("none", { keeps_none = true }),
        unitId = { t = "i", r = true },
        description = s(),
      },
    },
    checks = traffic_group,
    stats = { lines = lines },
    factory = {
      objects = {
        { name = "traffic-group-1", unitId = 1, mac = "none" },
        { name = "traffic-group-local-only", isFloating = "false", mac = "none", unitId = 0 },
      },
    },
  },
}
