-- VLANs, self IPs, routes, route domains, interfaces, tunnels.
local json = require "f5.json"
local addresses = require "sim.kinds.common.addresses"
local errors = require "sim.http.errors"
local names = require "sim.config.names"
local validate = require "sim.config.validate"

local ROOT <const> = "/mgmt/tm/"

local function taken(store, property, value, collection, path)
  for _, segment in ipairs(store:segments(collection)) do
    local other <const> = collection .. "/" .. segment
    if other ~= path and store:get(other)[property] == value then return store:get(other) end
  end
  return nil
end

local function free(store, property, collection, from, step)
  local value = from
  while taken(store, property, value, collection) do value = value + step end
  return value
end

local vlan <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    local collection <const> = ROOT .. "net/vlan"
    if not object.tag then object.tag = free(store, "tag", collection, 4094, -1) end
    if object.tag < 1 or object.tag > 4094 then validate.invalid("tag", object.tag) end
    if properties.tag and not ctx.seed then
      local path <const> = old and target.path or nil
      local other <const> = taken(store, "tag", object.tag, collection, path)
      if other and other.partition == object.partition then
        validate.refuse_mcpd(
          ("01071a40:3: VLAN tag %d for VLAN %s is already used by VLAN %s."):format(
            object.tag,
            object.fullPath,
            other.fullPath
          )
        )
      end
    end
    if not old then object.ifIndex = free(store, "ifIndex", collection, 64, 16) end
  end,
  made = function(store, _, object)
    local path <const> = ROOT .. "net/fdb/vlan/" .. names.segment(object.fullPath)
    store:put(
      path,
      {
        name = object.name, partition = object.partition, subPath = object.subPath,
        fullPath = object.fullPath, generation = object.generation,
      }
    )
  end,
  removed = function(store, _, object)
    store:put(ROOT .. "net/fdb/vlan/" .. names.segment(object.fullPath), nil)
  end,
}

local vlan_interface <const> = {
  prepare = function(store, object, properties, old, ctx)
    local known <const> = ctx.seed
      or store:get(ROOT .. "net/interface/" .. object.name)
      or store:get(ROOT .. "net/trunk/" .. object.name)
    if not known then
      validate.refuse_mcpd(
        ("01070256:3: Requested VLAN member (%s) is currently a trunk member or does not exist"):format(
          object.name
        )
      )
    end
    if not old and not properties.tagged and not properties.untagged then object.untagged = true end
  end,
  show = function(_, _, object, shown, context)
    shown.nameReference =
      { link = names.link(ROOT .. "net/interface/" .. object.name, "ver=" .. context.version) }
  end,
}

-- Self IPs and routes have a key beside their name: an address, a network.
local function refuse_twice(noun, key, partition)
  error(
    errors.tm(
      409,
      ("01020066:3: The requested %s (%s) already exists in partition %s."):format(
        noun,
        key,
        partition
      ),
      3
    ),
    0
  )
end

local self_ip <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    if not old then
      if not object.address:find "/" or not validate.is_address(object.address, true) then
        validate.invalid("address", object.address)
      end
      addresses.check_domain(store, object.address, ctx)
      local other <const> = not ctx.seed
        and addresses.other(store, target.path, nil, object, "address")
      if other then refuse_twice("Self IP", object.address:match "^[^/]+", other.partition) end
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
      local list <const> = {}
      for i, service in ipairs(services) do
        if
          type(service) ~= "string"
          or not (service == "default" or service == "all" or service:find "^[%w-]+:[%w-]+$")
        then
          validate.invalid("allowService", service)
        end
        list[i] = service
      end
      services = #list == 1 and list[1] == "all" and "all" or json.array(list)
    end
    if services == "none" then services = nil end
    object.allowService = services
  end,
  removed = function(store, _, _, ctx) addresses.check_routes(store, ctx) end,
}

local function is_default(network)
  return network:find "^default%%?%d*$" ~= nil or network:find "^default%-inet6%%?%d*$" ~= nil
end

local route <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    -- a PUT need not name it again
    if old and not object.network then object.network = old.network end
    if not old and not object.network then
      local name <const> = object.name
      if is_default(name) or validate.is_address(name, true) then
        object.network = name
      else
        validate.refuse('"network" must be specified')
      end
    end
    if properties.network and not is_default(validate.text("network", object.network)) then
      if not validate.is_address(object.network, true) then
        validate.invalid("network", object.network)
      end
    end
    object.network = object.network
      :gsub("^0%.0%.0%.0(%%?%d*)$", "default%1")
      :gsub("^0%.0%.0%.0(%%?%d*)/0$", "default%1")
      :gsub("^::(%%?%d*)/0$", "default-inet6%1")
    if properties.gw and object.gw and not validate.is_address(object.gw) then
      validate.invalid("gw", object.gw)
    end
    for _, name in ipairs { "network", "gw" } do
      if not old or object[name] ~= old[name] then
        addresses.check_domain(store, object[name], ctx)
      end
    end
    if not ctx.seed and (not old or object.network ~= old.network) then
      local other <const> =
        addresses.other(store, ROOT .. "net/route", old and target.path, object, "network", true)
      if other then refuse_twice("route", object.network, other.partition) end
    end
    if object.pool then object.pool = names.absolute(object.pool, object.partition) end
    if object.tmInterface then
      object.tmInterface = names.absolute(object.tmInterface, object.partition)
    end
    local ways = 0
    for _, name in ipairs { "gw", "pool", "tmInterface", "blackhole" } do
      if object[name] then ways = ways + 1 end
    end
    if ways == 0 then validate.refuse("one or more properties must be specified", 1) end
    if ways > 1 and not old then
      validate.refuse_mcpd(
        ("01070734:3: Configuration error: Static route (%s) must have exactly one of gateway, pool, interface and blackhole."):format(
          object.fullPath
        )
      )
    end
    if old then
      -- One way takes the place of another.
      for _, name in ipairs { "gw", "pool", "tmInterface", "blackhole" } do
        if ways > 1 and old[name] and not properties[name] then object[name] = nil end
      end
    end
  end,
  made = function(store, path, _, ctx) addresses.check_route(store, path, ctx) end,
  changed = function(store, path, object, old, ctx)
    if object.gw ~= old.gw then addresses.check_route(store, path, ctx) end
  end,
}

local route_domain <const> = {
  prepare = function(store, object, properties, old)
    local collection <const> = ROOT .. "net/route-domain"
    if not old then
      object.id = object.id
        or math.tointeger(tonumber(object.name)) or free(store, "id", collection, 1, 1)
      local other <const> = taken(store, "id", object.id, collection)
      if other then
        validate.refuse_mcpd(
          ("01070734:3: Configuration error: The route domain id (%d) is already used by %s."):format(
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
      local list <const> = {}
      for i, name in ipairs(object.vlans) do list[i] = names.absolute(name, object.partition) end
      object.vlans = #list > 0 and json.array(list) or nil
    end
  end,
}

local trunk <const> = {
  prepare = function(store, object, properties, old)
    if properties.interfaces and object.interfaces then
      for _, name in ipairs(object.interfaces) do
        if not store:get(ROOT .. "net/interface/" .. tostring(name)) then
          validate.refuse_mcpd(
            ("01020036:3: The requested interface (%s) was not found."):format(tostring(name))
          )
        end
      end
      object.cfgMbrCount = #object.interfaces
    end
    if not old then object.macAddress = object.macAddress or "00:94:a1:00:00:41" end
  end,
}

local arp <const> = {
  prepare = function(store, object, _, old, ctx)
    if not old then
      object.ipAddress = object.ipAddress or object.name
      if not validate.is_address(object.ipAddress) then
        validate.invalid("ipAddress", object.ipAddress)
      end
      addresses.check_domain(store, object.ipAddress, ctx)
      if not object.macAddress then validate.refuse '"macAddress" must be specified' end
    end
  end,
}

local tunnel <const> = {
  prepare = function(store, object, properties, old)
    local _ = properties
    if not old then
      object.ifIndex = free(store, "ifIndex", ROOT .. "net/tunnels/tunnel", 112, 16)
    end
    if object.profile then object.profile = names.absolute(object.profile) end
  end,
  made = function(store, _, object)
    store:put(
      ROOT .. "net/fdb/tunnel/" .. names.segment(object.fullPath),
      {
        name = object.name, partition = object.partition, subPath = object.subPath,
        fullPath = object.fullPath, generation = object.generation,
      }
    )
  end,
  removed = function(store, _, object)
    store:put(ROOT .. "net/fdb/tunnel/" .. names.segment(object.fullPath), nil)
  end,
}

return {
  ["net/vlan"] = vlan,
  ["net/vlan/*/interfaces"] = vlan_interface,
  ["net/self"] = self_ip,
  ["net/route"] = route,
  ["net/route-domain"] = route_domain,
  ["net/trunk"] = trunk,
  ["net/arp"] = arp,
  ["net/tunnels/tunnel"] = tunnel,
}
