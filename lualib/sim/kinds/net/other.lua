-- Kinds of net of which little is known beyond the catalogue.
local json = require "f5.json"
local interfaces = require "sim.kinds.common.interfaces"
local ports = require "sim.kinds.common.ports"
local property = require "sim.kinds.common.property"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag

local kinds <const> = {
  ["net/bwc/probe"] = { facts = { hidden = true } },
  ["net/stp-globals"] = { facts = { open = true, props = { configRevision = i(0) } } },
  ["net/self-allow"] = {
    facts = {
      props = {
        defaults = {
          t = "x",  -- a list, or one of the words `all` and `none`
          d = json.array {
            "igmp:0", "ospf:0", "pim:0", "tcp:161", "tcp:22", "tcp:4353", "tcp:443", "tcp:53",
            "udp:1026", "udp:161", "udp:4353", "udp:520", "udp:53",
          },
        },
      },
    },
  },
  ["net/port-list"] = {
    facts = { flat = false, lists = { ports = true } },
    factory = { protected = true, objects = ports.DEFAULTS },
  },
  ["net/stp"] = {
    relations = { interfaces.RELATION }, factory = { objects = { { name = "cist" } } },
  },
  ["net/cmetrics"] = { facts = { type = "show" } },
  ["net/ipsec-stat"] = { facts = { type = "show" } },
  ["net/rst-cause"] = { facts = { type = "show" } },
  ["net/bwc-policy"] = { facts = { type = "show" } },
  ["net/bwc-probe"] = { facts = { type = "show" } },
  ["net/cos/global-settings"] = { facts = { pairs = { { "featureDisabled", "featureEnabled" } } } },
  ["net/bwc/policy"] = {
    facts = { props = { ipTos = { d = "pass-through" }, linkQos = { d = "pass-through" } } },
    factory = {
      protected = true, objects = { { name = "dynamic_spm_bwc_policy", dynamic = "enabled" } },
    },
  },
  ["net/ipsec/ipsec-policy"] = {
    facts = { props = { mode = s "transport" } },
    factory = {
      protected = true,
      objects = {
        { name = "default-ipsec-policy" },
        { name = "default-ipsec-policy-interface", mode = "interface" },
        { name = "default-ipsec-policy-isession", mode = "isession" },
      },
    },
  },
  ["net/ipsec/traffic-selector"] = {
    factory = {
      protected = true,
      objects = {
        {
          name = "default-traffic-selector-interface",
          ipsecPolicy = "/Common/default-ipsec-policy-interface",
        },
      },
    },
  },
  ["net/dns-resolver"] = {
    facts = { refs = { routeDomainReference = "net/route-domain" } },
    factory = {
      protected = true,
      objects = {
        {
          name = "f5-aws-dns",
          forwardZones = {
            { name = "amazonaws.com", nameservers = { { name = "8.8.8.8:53" } } },
            { name = "idservice.net", nameservers = { { name = "8.8.8.8:53" } } },
            { name = "shpapi.com", nameservers = { { name = "8.8.8.8:53" } } },
          },
        },
      },
    },
  },
  ["net/router-advertisement"] = {
    facts = {
      pairs = { { "enabled", "disabled" } }, props = { disabled = flag(), enabled = flag(true) },
    },
  },
  ["net/f5optics"] = { facts = { no_create = true } },
  ["net/packet-tester/security"] = { facts = { no_create = true } },
  ["net/routing/profile/bgp"] = {
    facts = {
      type = "collection", flat = false, parent = "bgp", props = { defaultsFrom = s() },
    },
    relations = { { property = "defaultsFrom", to = { "." } } },
    factory = { protected = true, objects = { { name = "bgp" } } },
  },
  ["net/rate-shaping/drop-policy"] = {
    facts = { flat = false },
    factory = {
      protected = true,
      objects = {
        {
          name = "fred", averagePacketSize = 1024, fredMaxDrop = 100, inverseWeight = 128,
          maxProbability = 100, maxThreshold = 9216, minThreshold = 3072, type = "fred",
        },
        {
          name = "red", averagePacketSize = 1024, fredMaxActive = 100, inverseWeight = 512,
          maxProbability = 10, maxThreshold = 15, minThreshold = 5, redHardLimit = 60,
          type = "red",
        },
        { name = "tail", type = "tail" },
      },
    },
  },
  ["net/rate-shaping/queue"] = {
    facts = { flat = false },
    factory = {
      protected = true,
      objects = { { name = "pfifo", type = "pfifo" }, { name = "sfq", type = "sfq" } },
    },
  },
  ["net/ipsec/ike-daemon"] = {
    factory = {
      protected = true,
      objects = { { name = "ikedaemon", logPublisher = "/Common/default-ipsec-log-publisher" } },
    },
  },
  ["net/ipsec/ike-peer"] = {
    facts = {
      props = { state = s(), version = { t = "a", d = { "v1" } } },
      refs = {
        myCertFileReference = "sys/file/ssl-cert", myCertKeyFileReference = "sys/file/ssl-key",
      },
    },
    factory = {
      protected = true,
      objects = {
        {
          name = "anonymous", state = "disabled", myCertFile = "/Common/default.crt",
          myCertKeyFile = "/Common/default.key",
        },
      },
    },
  },
}

-- The catalogue lacks whether these are in partitions.
for _, name in ipairs {
  "cos/map-dscp", "cos/traffic-priority", "ipsec/manual-security-association",
  "rate-shaping/color-policer", "rate-shaping/shaping-policy",
} do
  kinds["net/" .. name] = { facts = { flat = false } }
end
for _, name in ipairs { "port-mirror", "packet-filter" } do
  kinds["net/" .. name] = { facts = { flat = true } }
end

return kinds
