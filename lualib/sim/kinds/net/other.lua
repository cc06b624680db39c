-- Kinds of net of which little is known beyond the catalogue.
local kinds <const> = {
  ["net/stp-globals"] = { facts = { open = true } },
  ["net/stp"] = { factory = { objects = { { name = "cist" } } } },
  ["net/cmetrics"] = { facts = { type = "show" } },
  ["net/ipsec-stat"] = { facts = { type = "show" } },
  ["net/rst-cause"] = { facts = { type = "show" } },
  ["net/bwc-policy"] = { facts = { type = "show" } },
  ["net/bwc-probe"] = { facts = { type = "show" } },
  ["net/cos/global-settings"] = { facts = { pairs = { { "featureDisabled", "featureEnabled" } } } },
  ["net/bwc/policy"] = {
    factory = {
      protected = true, objects = { { name = "dynamic_spm_bwc_policy", dynamic = "enabled" } },
    },
  },
  ["net/ipsec/ipsec-policy"] = {
    factory = {
      protected = true,
      objects = {
        { name = "default-ipsec-policy" },
        { name = "default-ipsec-policy-interface", mode = "interface" },
        { name = "default-ipsec-policy-isession", mode = "isession" },
      },
    },
  },
  ["net/ipsec/ike-daemon"] = {
    factory = {
      protected = true,
      objects = { { name = "ikedaemon", logPublisher = "/Common/default-ipsec-log-publisher" } },
    },
  },
  ["net/ipsec/ike-peer"] = {
    factory = { protected = true, objects = { { name = "anonymous" } } },
  },
}

-- The catalogue lacks whether these are in partitions.
for _, name in ipairs {
  "cos/map-dscp", "cos/traffic-priority", "ipsec/manual-security-association",
  "rate-shaping/color-policer", "rate-shaping/drop-policy", "rate-shaping/queue",
  "rate-shaping/shaping-policy",
} do
  kinds["net/" .. name] = { facts = { flat = false } }
end
for _, name in ipairs { "port-mirror", "packet-filter" } do
  kinds["net/" .. name] = { facts = { flat = true } }
end

return kinds
