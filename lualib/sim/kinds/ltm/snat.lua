-- Translation of addresses: SNAT, its pools and addresses, and NAT.
local addresses = require "sim.kinds.common.addresses"
local json = require "f5.json"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag
local ENABLED_DISABLED <const> = property.ENABLED_DISABLED
local ROOT <const> = "/mgmt/tm/"

-- Creates the translation addresses that a pool names.
local function make_translations(store, object, ctx)
  for _, full in ipairs(object.members or {}) do
    if not store:get(ROOT .. "ltm/snat-translation/" .. names.segment(full)) then
      local partition, sub_path, name = names.split(full)
      if not validate.is_address(name) then validate.invalid("members", full) end
      store:create(
        ROOT .. "ltm/snat-translation",
        { name = name, partition = partition, subPath = sub_path, address = name },
        ctx
      )
    end
  end
end

local snatpool <const> = {
  prepare = function(store, object, properties, old, ctx)
    if properties.members and object.members then
      local list = {}
      for n, item in ipairs(object.members) do
        local name = type(item) == "table" and item.name or item
        list[n] = names.absolute(tostring(name), object.partition)
      end
      object.members = json.array(list)
    end
    if old then make_translations(store, object, ctx) end
  end,
  before = function(store, _, object, ctx) make_translations(store, object, ctx) end,
}

local snat_translation <const> = {
  prepare = function(store, object, properties, old, ctx)
    if not old then
      object.address = object.address or object.name
      if not validate.is_address(object.address) then
        validate.invalid("address", object.address)
      end
      addresses.check_domain(store, object.address, ctx)
    end
    addresses.choose_traffic_group(store, object, properties)
  end,
  in_use = function(object, user)
    return ("01070321:3: Snat translation address %s is still referenced by a %s."):format(
      object.fullPath, user.template == "ltm/snatpool" and "snat pool" or "snat"
    )
  end,
}

-- Origins are networks: "192.0.2.1" becomes "192.0.2.1/32".
local snat <const> = {
  prepare = function(store, object, properties, _, ctx)
    if properties.origins and object.origins then
      local list = {}
      for n, item in ipairs(object.origins) do
        local name = tostring(type(item) == "table" and item.name or item)
        if not validate.is_address(name, true) then validate.invalid("origins", name) end
        addresses.check_domain(store, name, ctx)
        if not name:find "/" then name = name .. (name:find ":" and "/128" or "/32") end
        list[n] = { name = name }
      end
      table.sort(list, function(a, b) return a.name < b.name end)
      object.origins = json.array(list)
    end
    if properties.translation and object.translation then
      object.translation = names.absolute(object.translation, object.partition)
    end
  end,
}

local nat <const> = {
  prepare = function(store, object, properties, old, ctx)
    for _, name in ipairs { "originatingAddress", "translationAddress" } do
      if not old and not object[name] then
        validate.refuse(('"%s" must be specified'):format(name))
      end
      if properties[name] and not validate.is_address(object[name]) then
        validate.invalid(name, object[name])
      end
      if properties[name] then addresses.check_domain(store, object[name], ctx) end
    end
    object.unit = object.unit or 1
    addresses.choose_traffic_group(store, object, properties)
  end,
}

return {
  ["ltm/snatpool"] = {
    facts = {
      noun = "SNAT pool",
      mandatory = { "members" },
      props = { members = { t = "a" }, description = s() },
    },
    relations = { { property = "members", to = { "ltm/snat-translation" } } },
    checks = snatpool,
  },
  ["ltm/snat-translation"] = {
    facts = {
      noun = "SNAT translation address",
      props = {
        address = s(),
        arp = s("enabled"),
        connectionLimit = i(0),
        enabled = flag(true),
        disabled = flag(),
        inheritedTrafficGroup = s("true"),
        ipIdleTimeout = s("indefinite"),
        tcpIdleTimeout = s("indefinite"),
        udpIdleTimeout = s("indefinite"),
        trafficGroup = s("/Common/traffic-group-1"),
        unit = { t = "i", d = 1, r = true },
        description = s(),
      },
      pairs = ENABLED_DISABLED, refs = { trafficGroupReference = "cm/traffic-group" },
    },
    checks = snat_translation,
  },
  ["ltm/snat"] = {
    facts = {
      noun = "SNAT",
      props = {
        automap = flag(),
        autoLasthop = s("default"),
        mirror = s("disabled"),
        origins = { t = "a" },
        snatpool = s(),
        sourcePort = s("preserve"),
        translation = s(),
        vlans = { t = "a" },
        vlansDisabled = flag(true),
        vlansEnabled = flag(),
        description = s(),
        metadata = { t = "a" },
      },
      pairs = { { "vlansDisabled", "vlansEnabled" } },
    },
    relations = {
      { property = "snatpool", to = { "ltm/snatpool" } },
      { property = "vlans", to = { "net/vlan", "net/tunnels/tunnel" } },
    },
    checks = snat,
  },
  ["ltm/nat"] = {
    facts = {
      noun = "NAT",
      props = {
        arp = s("enabled"),
        autoLasthop = s("default"),
        enabled = flag(true),
        disabled = flag(),
        inheritedTrafficGroup = s("true"),
        originatingAddress = s(),
        translationAddress = s(),
        trafficGroup = s("/Common/traffic-group-1"),
        unit = { t = "i", r = true },
        vlansDisabled = flag(true),
        vlansEnabled = flag(),
        vlans = { t = "a" },
      },
      pairs = { { "enabled", "disabled" }, { "vlansDisabled", "vlansEnabled" } },
      refs = { trafficGroupReference = "cm/traffic-group" },
    },
    checks = nat,
  },
}
