-- Route domains.
local interfaces = require "sim.kinds.common.interfaces"
local json = require "f5.json"
local modules = require "sim.kinds.common.modules"
local names = require "sim.config.names"
local numbers = require "sim.kinds.common.numbers"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const> = property.text, property.number
local ROOT <const> = "/mgmt/tm/"

local route_domain <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    modules.need(store, target, properties, ctx, "afm", "fwEnforcedPolicy", "fwStagedPolicy")
    local collection = ROOT .. "net/route-domain"
    if not old then
      object.id = object.id
        or math.tointeger(tonumber(object.name)) or numbers.free(store, "id", collection, 1, 1)
      local other = numbers.taken(store, "id", object.id, collection)
      if other then
        validate.refuse_mcpd(
          (
            "01070734:3: Configuration error: The route domain id (%d) is already used "
              .. "by %s."
          ):format(
            object.id,
            other.fullPath
          )
        )
      end
    elseif properties.id and properties.id ~= old.id then
      validate.refuse_mcpd(
        "01070734:3: Configuration error: The id of a route domain cannot be changed."
      )
    end
    if properties.vlans and object.vlans then
      local list = {}
      for n, name in ipairs(object.vlans) do list[n] = names.absolute(name, object.partition) end
      object.vlans = #list > 0 and json.array(list) or nil
    end
  end,
  removing = function(store, _, object)
    local users = {}
    for _, partition in ipairs(store:list(ROOT .. "auth/partition")) do
      if (partition.defaultRouteDomain or 0) == object.id then
        users[#users + 1] = partition.name
      end
    end
    if #users > 0 then
      validate.refuse_mcpd(
        ("0107097c:3: The specified route domain (%d) is the default route domain for one or more "
          .. "partitions (%s) and cannot be deleted."):format(object.id, table.concat(users, " "))
      )
    end
  end,
}

return {
  ["net/route-domain"] = {
    facts = { exact = true,
      noun = "route domain", known = true,
      refs = { vlansReference = "net/vlan|net/tunnels/tunnel" },
      props = {
        id = { t = "i", range = { 0, 65534 } },
        strict = s("enabled"),
        throughputCapacity = s("infinite"),
        vlans = { t = "a" },
        connectionLimit = i(0),
        routingProtocol = { t = "a" },
        parent = s(),
        description = s(),
        bwcPolicy = s(),
        flowEvictionPolicy = s(),
        fwEnforcedPolicy = s(),
        fwStagedPolicy = s(),
        ipIntelligencePolicy = s(),
        securityNatPolicy = s(),
        servicePolicy = s(),
      },
    },
    relations = { { property = "parent", to = { "net/route-domain" } }, interfaces.RELATION },
    checks = route_domain,
    factory = {
      objects = {
        {
          name = "0", id = 0, strict = "enabled",
          vlans = { "/Common/http-tunnel", "/Common/socks-tunnel" },
        },
      },
    },
  },
}
