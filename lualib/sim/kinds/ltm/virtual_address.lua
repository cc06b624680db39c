-- Virtual addresses.
local addresses = require "sim.kinds.common.addresses"
local availability = require "sim.kinds.common.availability"
local property = require "sim.kinds.common.property"
local traffic = require "sim.status.traffic"
local validate = require "sim.config.validate"

local s <const> = property.text
local ANY <const> = { any = true, any6 = true, ["0.0.0.0"] = true, ["::"] = true }

local WILDCARDS <const> = { any = "0.0.0.0", any6 = "::" }

-- Whether two texts are one address. Files may name the route domain in the object's name only.
local function is_same(given, known, ctx)
  local host, domain = given:match "^([^%%]*)(.*)$"
  local known_host, known_domain = known:match "^([^%%]*)(.*)$"
  if domain ~= known_domain and not (ctx.seed and domain == "") then return false end
  return (WILDCARDS[host] or host) == (WILDCARDS[known_host] or known_host)
end

-- Somebody who creates an address that another partition has is refused. Virtual servers may share
-- it: the device makes their addresses itself.
local function check_unique(store, object, ctx)
  if ctx.automatic or ctx.seed or object.address == "any6" then return end
  local index = store.virtual_addresses_by_ip
  for _, path in ipairs(index and index[object.address] or {}) do
    if store:get(path).fullPath ~= object.fullPath then addresses.refuse_taken(object.address) end
  end
end

local address <const> = {
  prepare = function(store, object, properties, old, ctx)
    if not old then
      object.address = object.address or validate.is_address(object.name) and object.name or "any6"
      if
        not validate.is_address(object.address) and not ANY[(object.address:gsub("%%%d+$", ""))]
      then
        validate.invalid("address", object.address)
      end
      addresses.check_domain(store, object.address, ctx)
      check_unique(store, object, ctx)
      if object.address == "any6" and not properties.mask then object.mask = "any6" end
      if object.address:find ":" and not properties.mask then
        object.mask = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
      end
    elseif properties.address and is_same(properties.address, old.address, ctx) then
      object.address = old.address
    elseif properties.address then
      validate.refuse_mcpd(
        (
          "01070734:3: Configuration error: The address of virtual address (%s) cannot "
            .. "be changed."
        ):format(
          object.fullPath
        )
      )
    end
    addresses.choose_traffic_group(store, object, properties)
    object.floating = object.trafficGroup == "/Common/traffic-group-local-only" and "disabled"
      or "enabled"
  end,
  removing = function(store, _, object)
    local users = store.virtuals_by_address[object.fullPath]
    if users then
      validate.refuse_mcpd(
        ("01070344:3: Cannot delete referenced virtual address %s."):format(object.fullPath)
      )
    end
  end,
}

local function address_values(store, _, object)
  local state, reason = "unknown", "Virtual Server does not have service checking enabled"
  local all, offline, current, most = 0, 0, 0, 0
  for _, virtual_path in ipairs(store.virtuals_by_address[object.fullPath] or {}) do
    local virtual = store:get(virtual_path)
    if virtual then -- the index may know one of a change that has not ended
      local virtual_state = availability.of_virtual(store, virtual)
      local its_current, its_most = traffic.of_virtual(store.device, virtual_path, virtual)
      all, current, most = all + 1, current + its_current, most + its_most
      if virtual_state == "offline" then offline = offline + 1 end
      if virtual_state == "available" then
        state, reason = "available", "The virtual address is available"
      end
    end
  end
  if all > 0 and offline == all then
    state, reason = "offline", "The children virtual server(s) are down"
  end
  return {
    ["clientside.curConns"] = current,
    ["clientside.maxConns"] = most,
    addr = object.address,
    ["status.enabledState"] = object.enabled == "no" and "disabled" or "enabled",
    ["status.availabilityState"] = state,
    ["status.statusReason"] = reason,
  }
end

return {
  ["ltm/virtual-address"] = {
    facts = { exact = true, known = true,
      noun = "Virtual Address", mandatory = {},
      props = {
        address = { t = "s" },
        icmpEcho = { c = false },
        spanning = s("disabled"),
        enabled = s("yes", { c = "no|yes" }),
        inheritedTrafficGroup = s("false"),
        trafficGroup = s("/Common/traffic-group-1"),
        serverScope = s("any", { c = "all|any|none" }),
        arp = s("enabled", { c = "disabled|enabled" }),
        mask = s("255.255.255.255"),
        metadata = { t = "a" },
        routeAdvertisement = s("disabled"),
        unit = { t = "i", d = 1, r = true },
        description = s(),
        autoDelete = s("true"),
      },
      refs = { trafficGroupReference = "cm/traffic-group" },
    },
    checks = address,
    indexes = {
      virtual_addresses_by_ip = { many = true, key = function(object) return object.address end },
    },
    stats = { values = address_values },
  },
}
