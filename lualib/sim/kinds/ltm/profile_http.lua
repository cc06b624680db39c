-- The HTTP profile.
local json = require "f5.json"

return {
  ["ltm/profile/http"] = {
    facts = {
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
    factory = {
      protected = true,
      objects = {
        { name = "http" },
        {
          name = "http-explicit",
          proxyType = "explicit",
          explicitProxy = { routeDomain = "/Common/0", tunnelName = "/Common/http-tunnel" },
        },
        {
          name = "http-transparent",
          proxyType = "transparent",
          enforcement = {
            excessClientHeaders = "pass-through", excessServerHeaders = "pass-through",
            maxHeaderCount = 32, maxHeaderSize = 16384, oversizeClientHeaders = "pass-through",
            oversizeServerHeaders = "pass-through", truncatedRedirects = "enabled",
          },
        },
      },
    },
  },
}
