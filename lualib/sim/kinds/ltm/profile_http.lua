-- The HTTP profile.
local json = require "f5.json"
local names = require "sim.config.names"

local PROXY_TARGETS <const> = {
  dnsResolver = "net/dns-resolver", routeDomain = "net/route-domain",
  tunnelName = "net/tunnels/tunnel",
}

-- The settings of an explicit proxy link to what they name.
local function show(_, _, object, shown, context)
  if type(object.explicitProxy) ~= "table" then return end
  local proxy = {}
  for name, value in pairs(object.explicitProxy) do
    proxy[name] = value
    local template = PROXY_TARGETS[name]
    if template and type(value) == "string" and value:sub(1, 1) == "/" then
      local path = ("/mgmt/tm/%s/%s"):format(template, names.segment(value))
      proxy[name .. "Reference"] = { link = names.link(path, "ver=" .. context.version) }
    end
  end
  shown.explicitProxy = proxy
end

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
    show = show,
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
