-- Self IPs.
local addresses = require "sim.kinds.common.addresses"
local choices = require "sim.config.choices"
local json = require "f5.json"
local modules = require "sim.kinds.common.modules"
local names = require "sim.config.names"
local objects = require "sim.config.objects"
local property = require "sim.kinds.common.property"
local twins = require "sim.kinds.common.twins"
local validate = require "sim.config.validate"

local s <const> = property.text
local ROUTES <const> = "/mgmt/tm/net/route"

-- "default", "all", or a protocol and a port: "tcp:443", "udp:domain".
local function is_service(text)
  if text == "default" or text == "all" then return true end
  if type(text) ~= "string" then return false end
  local protocol, port = text:match "^([%w-]+):([%w-]+)$"
  return protocol ~= nil and choices.is_protocol(protocol)
    and (validate.port(port) ~= nil or port:find "^%a[%w-]*$" ~= nil)
end

-- The self IPs in the network of an object that float, or that do not.
local function in_network(store, object, floating)
  local list = {}
  for _, other in ipairs(store:list "/mgmt/tm/net/self") do
    if other.floating == floating and addresses.share_network(store, object, other) then
      list[#list + 1] = other
    end
  end
  return list
end

-- A floating self IP needs one in its network that does not float.
local function check_floating(store, object)
  if object.floating == "enabled" or #in_network(store, object, "disabled") > 0 then return end
  local stranded = in_network(store, object, "enabled")[1]
  if not stranded then return end
  validate.refuse_mcpd(
    (
      "01070393:3: Cannot delete IP %s because it would leave floating self IP %s with no "
        .. "non-floating IP on this network."
    ):format(object.address:match "^[^/]+", stranded.fullPath)
  )
end

-- The properties of a device that are addresses of its self IPs, and their refusals.
local USES <const> = {
  { "configsyncIp", "01071412:3: Cannot delete IP (%s) because it is used by the system "
    .. "config-sync setting." },
  { "mirrorIp", "010713b1:3: Cannot delete IP (%s) because it is used by the system "
    .. "state-mirroring (Primary Mirror Address) setting." },
  { "mirrorSecondaryIp", "010713b1:3: Cannot delete IP (%s) because it is used by the system "
    .. "state-mirroring (Secondary Mirror Address) setting." },
}

local function check_cluster(store, object)
  local address = object.address:match "^[^/%%]+"
  for _, device in ipairs(store:list "/mgmt/tm/cm/device") do
    for _, use in ipairs(device.selfDevice == "true" and USES or {}) do
      if device[use[1]] == address then validate.refuse_mcpd(use[2]:format(address)) end
    end
  end
end

local self_ip <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    modules.need(store, target, properties, ctx, "afm", "fwEnforcedPolicy", "fwStagedPolicy")
    if not old then
      if not object.address then validate.refuse '"address" must be specified' end
      if not object.address:find "/" or not validate.is_address(object.address, true) then
        validate.refuse(('"%s" invalid address'):format(object.address))
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
        if not is_service(service) then
          validate.refuse(
            ('"allow-service" invalid entry "%s", format must be protocol:port'):format(
              tostring(service)
            )
          )
        end
        list[i] = service
      end
      services = #list == 1 and list[1] == "all" and "all" or #list > 0 and json.array(list) or nil
    end
    if services == "none" then services = nil end
    object.allowService = services
  end,
  removing = function(store, _, object) check_cluster(store, object) end,
  -- Without the self IP, gateways of routes may not be reachable any more.
  removed = function(store, _, object, ctx)
    local later = store.device.checks  -- of a transaction: when all of it is done
    if later then
      table.insert(later, function() check_floating(store, object) end)
    else
      check_floating(store, object)
    end
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
