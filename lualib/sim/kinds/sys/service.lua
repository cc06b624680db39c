-- Daemons of the device.
return {
  ["sys/service"] = {
    facts = {
      type = "collection", flat = true, no_create = true, no_delete = true, noun = "service",
    },
    factory = { objects = function() return require "sim.factory.services" end },
  },
  ["sys/daemon-ha"] = {
    facts = { type = "collection", flat = true, no_create = true, no_delete = true },
  },
}
