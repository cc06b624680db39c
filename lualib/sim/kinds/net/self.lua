-- Self IPs.
local addresses = require "sim.kinds.common.addresses"
local json = require "f5.json"
local names = require "sim.config.names"
local objects = require "sim.config.objects"
local property = require "sim.kinds.common.property"
local twins = require "sim.kinds.common.twins"
local validate = require "sim.config.validate"

local s <const> = property.text
local ROUTES <const> = "/mgmt/tm/net/route"

local self_ip <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    if not old then
      if not object.address:find "/" or not validate.is_address(object.address, true) then
        validate.invalid("address", object.address)
      end
      addresses.check_domain(store, object.address, ctx)
      local other = not ctx.seed
        and addresses.other(store, target.path, nil, object, "address")
      if other then twins.refuse("Self IP", object.address:match "^[^/]+", other.partition) end
    end
    object.vlan = names.absolute(object.vlan, object.partition)
    if properties.trafficGroup then
      object.trafficGroup = names.absolute(object.trafficGroup)
      object.inheritedTrafficGroup = "false"
    end
    object.floating = object.trafficGroup == "/Common/traffic-group-local-only" and "disabled"
      or "enabled"
    object.unit = object.floating == "enabled" and 1 or 0
    local services = object.allowService
    if properties.allowService == validate.NONE then services = nil end
    if type(services) == "string" and services ~= "all" and services ~= "none" then
      services = json.array { services }
    end
    if type(services) == "table" then
      local list = {}
      for i, service in ipairs(services) do
        if
          type(service) ~= "string"
          or not (service == "default" or service == "all" or service:find "^[%w-]+:[%w-]+$")
        then
          validate.invalid("allowService", service)
        end
        list[i] = service
      end
      services = #list == 1 and list[1] == "all" and "all" or #list > 0 and json.array(list) or nil
    end
    if services == "none" then services = nil end
    object.allowService = services
  end,
  -- Without the self IP, gateways of routes may not be reachable any more.
  removed = function(store, _, _, ctx)
    for _, segment in ipairs(store:segments(ROUTES)) do
      objects.settle(store, ROUTES .. "/" .. segment, ctx)
    end
  end,
}

return {
  ["net/self"] = {
    facts = { exact = true, known = true,
      noun = "Self IP", mandatory = { "address", "vlan" }, create_only = { "address" },
      props = {
        address = s(),
        vlan = s(),
        allowService = { t = "x" },
        description = s(),
        fwEnforcedPolicy = s(),
        fwStagedPolicy = s(),
        servicePolicy = s(),
        inheritedTrafficGroup = s("false", { c = "false|true" }),
        trafficGroup = { d = "/Common/traffic-group-local-only" },
      },
    },
    relations = {
      { property = "vlan", to = { "net/vlan", "net/tunnels/tunnel", "net/vlan-group" } },
      { property = "trafficGroup", to = { "cm/traffic-group" } },
    },
    checks = self_ip,
  },
}
