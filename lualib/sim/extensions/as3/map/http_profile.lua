-- HTTP profiles and what they bring along.
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

local ENFORCEMENT <const> = {
  "allowBlankSpaceAfterHeaderName", "enforceRFCCompliance", "excessClientHeaders",
  "excessServerHeaders", "knownMethods", "maxHeaderCount", "maxHeaderSize", "maxRequests",
  "oversizeClientHeaders", "oversizeServerHeaders", "pipelineAction", "truncatedRedirects",
  "unknownMethodAction",
}
local TEXTS <const> = {
  "badRequestMessage", "badResponseMessage", "connectErrorMessage", "defaultConnectAction",
  "dnsErrorMessage",
}

local function explicit(item)
  if item.proxyType ~= "explicit" then return end
  local proxy = { doNotProxyHosts = item.doNotProxyHosts or {}, ipv6 = item.ipv6 or false }
  for _, name in ipairs(TEXTS) do proxy[name] = item[name] or "" end
  proxy.resolver = item.resolver
  proxy.routeDomain = ("/Common/%s"):format(item.routeDomain)
  local tunnel = item.tunnelName or ""
  proxy.tunnelName = tunnel:find("/", 1, true) and tunnel or "/Common/" .. tunnel
  item.explicitProxy = proxy
end

local function enforcement(item)
  local group = {}
  for _, name in ipairs(ENFORCEMENT) do group[name] = item[name] end
  item.enforcement = next(group) and group or nil
end

-- "sustain" has replaced two older words in 15.0.
local function chunking(at, item)
  local new = properties.at_least(at.context.version, "15.0")
  for name, old in pairs { requestChunking = "preserve", responseChunking = "selective" } do
    local word = item[name]
    if new and (word == "selective" or word == "preserve") then
      item[name] = "sustain"
    elseif not new and word == "sustain" then
      item[name] = old
    end
  end
end

local function companions(at, item, name)
  if not item.profileWebSocket and item.webSocketsEnabled then
    at:add("ltm profile websocket", at:path("f5_appsvcs_" .. item.webSocketMasking),
      at:properties("ltm profile websocket", {
        remark = "none", masking = item.webSocketMasking, compressMode = "preserved",
        compression = true, maximumWindowSize = 10, noDelay = true,
      }))
  end
  if item.proxyConnectEnabled then
    at:add("ltm profile http-proxy-connect", at:path(("f5_appsvcs_%s_proxyConnect"):format(name)),
      at:properties("ltm profile http-proxy-connect", { defaultState = true }))
  end
end

M.HTTP_Profile = function(at, item, name)
  for _, key in ipairs { "allowedResponseHeaders", "encryptCookies", "fallbackStatusCodes",
    "otherXFF" } do
    item[key] = item[key] or {}
  end
  for _, key in ipairs { "fallbackRedirect", "remark", "whiteOutHeader", "viaHost" } do
    item[key] = item[key] or ""
  end
  item.cookiePassphrase = references.secret(item.cookiePassphrase)
  local header = item.insertHeader
  item.insertHeader = type(header) == "table" and header.name and header.value
    and ("%s: %s"):format(header.name, header.value) or ""
  item.rewriteRedirects = item.rewriteRedirects and item.rewriteRedirects:gsub("addresses", "nodes")
  item.hsts = {
    insert = item.hstsInsert, period = item.hstsPeriod,
    includeSubdomains = item.hstsIncludeSubdomains, preload = item.hstsPreload,
  }
  explicit(item)
  enforcement(item)
  chunking(at, item)
  at:add("ltm profile http", at:path(name), at:properties("ltm profile http", item))
  companions(at, item, name)
end

return M
