-- Tunnels and their profiles.
local interfaces = require "sim.kinds.common.interfaces"
local names = require "sim.config.names"
local numbers = require "sim.kinds.common.numbers"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const> = property.text, property.number
local ROOT <const> = "/mgmt/tm/"

local tunnel <const> = {
  prepare = function(store, object, properties, old)
    local _ = properties
    if not old then
      object.ifIndex = numbers.free(store, "ifIndex", ROOT .. "net/tunnels/tunnel", 112, 16)
    end
    if object.profile then object.profile = names.absolute(object.profile) end
    local remote = object.remoteAddress
    if object.transparent == "enabled" and remote and remote ~= "any" and remote ~= "any6" then
      validate.refuse_mcpd(
        ("01070734:3: Configuration error: The remote address of the transparent tunnel %s must "
          .. "be a wildcard."):format(object.fullPath)
      )
    end
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
    interfaces.leave(store, object)
    store:put(ROOT .. "net/fdb/tunnel/" .. names.segment(object.fullPath), nil)
  end,
}

-- Two tunnels of a new device.
local tunnels <const> = {}
for n, name in ipairs { "http-tunnel", "socks-tunnel" } do
  tunnels[n] = {
    name = name,
    profile = "/Common/tcp-forward",
    description = ("Tunnel for %s profile"):format(n == 1 and "http-explicit" or "socks"),
    ifIndex = 96 + 16 * n, mtu = 0, usePmtu = "enabled", tos = "preserve",
    transparent = "disabled", autoLasthop = "default",
  }
end

local PROFILES <const> = "net/tunnels/etherip|net/tunnels/fec|net/tunnels/geneve|net/tunnels/gre"
  .. "|net/tunnels/ipip|net/tunnels/ipsec|net/tunnels/lw4o6|net/tunnels/map|net/tunnels/ppp"
  .. "|net/tunnels/tcp-forward|net/tunnels/v6rd|net/tunnels/vxlan|net/tunnels/wccp"

local kinds <const> = {
  ["net/tunnels/tunnel"] = {
    facts = {
      noun = "Tunnel",
      refs = { profileReference = PROFILES },
      props = {
        idleTimeout = i(300), profile = s(), localAddress = s("any6"), remoteAddress = s("any6"),
        key = i(0), mode = s("bidirectional"), ifIndex = { t = "i", r = true },
      },
    },
    checks = tunnel,
    factory = { objects = tunnels },
  },
  ["net/fdb/tunnel"] = {
    facts = { type = "collection", no_create = true, no_delete = true },
    factory = { objects = { { name = "http-tunnel" }, { name = "socks-tunnel" } } },
  },
  ["net/fdb/tunnel/*/records"] = {
    facts = {
      type = "collection", flat = true, free_names = true, noun = "FDB record",
    },
  },
  ["net/tunnels/vxlan"] = { facts = { props = { floodingType = { keeps_none = true } } } },
}

local function add(kind, body)
  local template = "net/tunnels/" .. kind
  kinds[template] = kinds[template] or {}
  kinds[template].factory = kinds[template].factory or { protected = true, objects = {} }
  table.insert(kinds[template].factory.objects, body)
end

-- One profile of each kind, and those that take their values from it.
for _, kind in ipairs {
  "etherip", "fec", "geneve", "gre", "ipip", "ipsec", "lw4o6", "map", "ppp", "tcp-forward", "v6rd",
  "vxlan",
} do
  add(kind, { name = kind })
end
for name, proto in pairs { ip4ip4 = "IPv4", ip4ip6 = "IPv4", ip6ip4 = "IPv6", ip6ip6 = "IPv6" } do
  add("ipip", {
    name = name, defaultsFrom = "/Common/ipip", proto = proto,
    description = ("IPv%s in IPv%s"):format(name:match "^ip(%d)ip(%d)$"),
  })
end
add("ipip", {
  name = "dslite", defaultsFrom = "/Common/ip4ip6", dsLite = "enabled",
  description = "Dual-stack lite IPv4 in IPv6",
})
for name, flooding in pairs {
  ["vxlan-multipoint"] = "multipoint",
  ["vxlan-ovsdb"] = "replicator",
  ["vxlan-ovsdb-multipoint"] = "multipoint",
  ["vxlan-ovsdb-no-flooding"] = "none",
} do
  add("vxlan", { name = name, defaultsFrom = "/Common/vxlan", floodingType = flooding })
end
add("vxlan", {
  name = "vxlan-gpe", defaultsFrom = "/Common/vxlan", floodingType = "multipoint",
  encapsulationType = "vxlan-gpe", port = 4790,
})
add("wccp", { name = "wccpgre" })
add("gre", { name = "nvgre", defaultsFrom = "/Common/gre", encapsulation = "nvgre" })

return kinds
