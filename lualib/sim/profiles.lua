-- What is known about profiles beyond the generated catalogue: changes of sim/overrides.lua, and
-- the names of the root profiles.
local json = require "f5.json"

local s <const> = require("sim.property").text

-- The name of a certificate or key, or "none", as it is shown.
local function file() return s("none", { keeps_none = true }) end

local nodes <const> = {
  ["ltm/profile/classification"] = { type = "collection" },
  ["ltm/profile/client-ssl"] = {
    refs = { chainReference = "sys/file/ssl-cert" },
    props = {
      cert = file(),
      key = file(),
      chain = file(),
      tmOptions = s("{ dont-insert-empty-fragments no-tlsv1.3 }"),
    },
  },
  ["ltm/profile/http"] = {
    props = {
      enforcement = {
        t = "o",
        d = {
          excessClientHeaders = "reject",
          excessServerHeaders = "reject",
          maxHeaderCount = 64,
          maxHeaderSize = 32768,
          maxRequests = 0,
          knownMethods = json.array {
            "CONNECT", "DELETE", "GET", "HEAD", "LOCK", "OPTIONS", "POST", "PROPFIND", "PUT",
            "TRACE", "UNLOCK",
          },
          oversizeClientHeaders = "reject", oversizeServerHeaders = "reject", pipeline = "allow",
          rfcCompliance = "disabled", truncatedRedirects = "disabled", unknownMethod = "allow",
        },
      },
      explicitProxy = {
        t = "o",
        d = {
          badRequestMessage = "none", badResponseMessage = "none", connectErrorMessage = "none",
          defaultConnectHandling = "deny", dnsErrorMessage = "none", dnsResolver = "none",
          hostNames = json.array {}, ipv6 = "no", routeDomain = "none", tunnelName = "none",
          tunnelOnAnyRequest = "no",
        },
      },
      requestChunking = { d = "sustain" },
      responseChunking = { d = "sustain" },
    },
  },
  ["ltm/profile/server-ssl"] = {
    props = {
      cert = file(),
      key = file(),
      chain = file(),
      tmOptions = s("{ dont-insert-empty-fragments no-tlsv1.3 no-dtlsv1.2 }"),
    },
  },
}

-- Root objects whose name is not that of their kind.
local parents <const> = {
  ["client-ssl"] = "clientssl",
  ["server-ssl"] = "serverssl",
  ["one-connect"] = "oneconnect",
  ["web-acceleration"] = "webacceleration",
  ["http-compression"] = "httpcompression",
  fastl4 = "fastL4",
  ["request-adapt"] = "requestadapt",
  ["response-adapt"] = "responseadapt",
  ["web-security"] = "websecurity",
  radius = "radiusLB",
  ["client-ldap"] = "clientldap",
  ["server-ldap"] = "serverldap",
  ["certificate-authority"] = "certificateauthority",
  classification = "classification",
}
for kind, parent in pairs(parents) do
  local template <const> = "ltm/profile/" .. kind
  nodes[template] = nodes[template] or {}
  nodes[template].parent = parent
end

return { nodes = nodes, parents = parents }
