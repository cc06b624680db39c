-- Traffic groups.
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

local function values(store, _, object)
  local device = store:list("/mgmt/tm/cm/device")[1]
  return {
    activeReason = "-",
    deviceName = device and device.fullPath or "none",
    failoverState = store.device.state.failover or "active",
    nextActive = "false",
    previousActive = "false",
    trafficGroup = object.fullPath,
  }
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
    stats = { values = values },
    factory = {
      objects = {
        { name = "traffic-group-1", unitId = 1, mac = "none" },
        { name = "traffic-group-local-only", isFloating = "false", mac = "none", unitId = 0 },
      },
    },
  },
}
