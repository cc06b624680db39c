-- Message routing: the profiles and routers of a new device, and the ways to peers.
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local references = require "sim.config.references"

local s <const> = property.text

-- A kind whose objects take their values from the one with the name `head`.
local function family(head, ...)
  return {
    facts = { parent = head, props = { defaultsFrom = s() } },
    relations = { { property = "defaultsFrom", to = { "." } } },
    factory = { protected = true, objects = { { name = head }, ... } },
  }
end

local kinds <const> = {
  ["ltm/message-routing"] = { facts = { type = "organizing" } },
  ["ltm/message-routing/diameter/profile/router"] = family "diameterrouter",
  ["ltm/message-routing/diameter/profile/session"] = family "diametersession",
  ["ltm/message-routing/generic/protocol"] = {
    facts = { refs = { defaultsFromReference = "." } },
    factory = { protected = true, objects = { { name = "genericmsg" } } },
  },
  ["ltm/message-routing/generic/router"] = family "messagerouter",
  ["ltm/message-routing/mqtt/profile/router"] = family "mqttrouter",
  ["ltm/message-routing/mqtt/profile/session"] = {
    factory = { protected = true, objects = { { name = "mqttsession" } } },
  },
  ["ltm/message-routing/sip/profile/router"] = family("siprouter", {
    name = "siprouter-alg", defaultsFrom = "/Common/siprouter",
    operationMode = "application-level-gateway",
  }),
  ["ltm/message-routing/sip/profile/session"] = family("sipsession", {
    name = "sipsession-alg", honorVia = "disabled", insertViaHeader = "disabled",
    maxForwardsCheck = "disabled", persistence = { persistType = "none" },
  }),
}

kinds["ltm/message-routing/sip/profile/session"].facts.props.persistence = {
  t = "o", d = { persistKey = "Call-ID", persistTimeout = 180, persistType = "session" },
}

-- The profiles of a transport configuration are objects below it.
local PROFILES <const> = {
  "ltm/profile/*", "ltm/message-routing/generic/protocol",
  "ltm/message-routing/diameter/profile/*", "ltm/message-routing/mqtt/profile/*",
  "ltm/message-routing/sip/profile/*",
}

local function show_profile(store, _, object, shown, context)
  local path = references.locate(store, PROFILES, object.fullPath)
  shown.nameReference = path and { link = names.link(path, "ver=" .. context.version) } or nil
end

for _, protocol in ipairs { "diameter", "generic", "mqtt", "sip" } do
  local template = ("ltm/message-routing/%s/transport-config"):format(protocol)
  kinds[template] = {
    facts = { subs = { profilesReference = "profiles" }, props = { ipProtocol = s "tcp" } },
  }
  kinds[template .. "/*/profiles"] = {
    facts = { type = "collection", noun = "profile", open = true },
    relations = { { to = PROFILES } },
    show = show_profile,
  }
end

return kinds
