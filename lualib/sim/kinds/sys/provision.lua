-- Which modules are provisioned.
local modules = require "sim.modules"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local flag <const> = property.flag
local ENABLED_DISABLED <const> = property.ENABLED_DISABLED
local ROOT <const> = "/mgmt/tm/"

local provision <const> = {
  prepare = function(store, object, properties)
    if properties.level and object.level == "dedicated" then
      for _, other in ipairs(store:list(ROOT .. "sys/provision")) do
        if other.name ~= object.name and other.level ~= "none" then
          validate.refuse_mcpd(
            (
              "01071008:3: Provisioning failed with error 1 - 'Module %s cannot be "
                .. "dedicated while %s is provisioned.'"
            ):format(
              object.name,
              other.name
            )
          )
        end
      end
    end
  end,
}

local function levels(device)
  local list = {}
  for n, module in ipairs(modules) do
    list[n] = {
      name = module, level = device.state.provision[module] or "none", cpuRatio = 0, diskRatio = 0,
      memoryRatio = 0,
    }
  end
  return list
end

return {
  ["sys/provision"] = {
    facts = {
      exact = true,
      noun = "provision",
      flat = true,
      no_create = true,
      no_delete = true,
      known = true,
      props = {
        level = {
          t = "s", d = "none", c = "custom|dedicated|minimum|nominal|none", keeps_none = true,
        },
      },
    },
    checks = provision,
    factory = { device_objects = levels },
  },
  ["sys/feature-module"] = {
    facts = {
      type = "collection",
      flat = true,
      no_create = true,
      no_delete = true,
      pairs = ENABLED_DISABLED,
      props = { enabled = flag(true), disabled = flag() },
    },
    factory = { objects = { { name = "cgnat" } } },
  },
}
