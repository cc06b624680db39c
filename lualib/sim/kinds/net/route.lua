-- Routes.
local addresses = require "sim.kinds.common.addresses"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local twins = require "sim.kinds.common.twins"
local validate = require "sim.config.validate"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag
local ROOT <const> = "/mgmt/tm/"

local function is_default(network)
  return network:find "^default%%?%d*$" ~= nil or network:find "^default%-inet6%%?%d*$" ~= nil
end

local route <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    -- a PUT may leave the network out
    if old and not object.network then object.network = old.network end
    if not old and not object.network then
      local name = object.name
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
      local other =
        addresses.other(store, ROOT .. "net/route", old and target.path, object, "network", true)
      if other then twins.refuse("route", object.network, other.partition) end
    end
    if object.pool then object.pool = names.absolute(object.pool, object.partition) end
    if object.tmInterface then
      object.tmInterface = names.absolute(object.tmInterface, object.partition)
    end
    local ways = 0
    for _, name in ipairs { "gw", "pool", "tmInterface", "blackhole" } do
      if object[name] then ways = ways + 1 end
    end
    -- a link-local gateway needs the interface that leads to it
    local by_link = object.tmInterface and addresses.is_link_local(object.gw)
    if by_link then ways = ways - 1 end
    if ways == 0 then validate.refuse("one or more properties must be specified", 1) end
    if ways > 1 and not old then
      validate.refuse_mcpd(
        (
          "01070734:3: Configuration error: Static route (%s) must have exactly one of "
            .. "gateway, pool, interface and blackhole."
        ):format(
          object.fullPath
        )
      )
    end
    if old then
      -- A new way (gateway, pool, interface or blackhole) replaces the old one.
      for _, name in ipairs { "gw", "pool", "tmInterface", "blackhole" } do
        local is_left = by_link and (name == "gw" or name == "tmInterface")
        if ways > 1 and old[name] and not properties[name] and not is_left then
          object[name] = nil
        end
      end
    end
  end,
  settled = function(store, path, old)
    local object = store:get(path)
    if not object or type(object.gw) ~= "string" or old and object.gw == old.gw then return end
    if not addresses.is_connected(store, object.gw, object.partition) then
      validate.refuse_mcpd(
        ("01070330:3: Static route gateway %s is not directly connected via an interface."):format(
          object.gw
        )
      )
    end
  end,
}

return {
  ["net/route"] = {
    facts = {
      exact = true,
      known = true,
      noun = "route", create_only = { "network" },
      props = {
        network = s(),
        gw = s(),
        pool = s(),
        tmInterface = s(),
        blackhole = flag(),
        mtu = i(0),
        description = s(),
      },
    },
    relations = {
      { property = "pool", to = { "ltm/pool" } },
      { property = "tmInterface", to = { "net/vlan", "net/tunnels/tunnel" } },
    },
    checks = route,
  },
}
