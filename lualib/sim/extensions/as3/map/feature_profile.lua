-- Profiles that change or watch what a service carries: content, adaptation, logs, statistics.
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

local simple = properties.handler

local function in_common(item, ...)
  for _, name in ipairs { ... } do
    local value = item[name]
    if type(value) ~= "table" and value ~= nil then
      value = math.type(value) and ("%d"):format(value) or value
      item[name] = value:find("/", 1, true) and value or "/Common/" .. value
    end
  end
end

M.SOCKS_Profile = simple("ltm profile socks", nil, function(item)
  in_common(item, "routeDomain", "tunnelName")
end)

M.FIX_Profile = simple("ltm profile fix", {
  remark = "", messageLogPublisher = "none", reportLogPublisher = "none",
}, function(item)
  local list = {}
  for i, entry in ipairs(item.senderTagMappingList or {}) do
    list[i] = {
      name = entry.senderId, senderId = entry.senderId,
      tagDataGroup = references.plain(entry.tagDataGroup),
    }
  end
  item.senderTagMappingList = #list > 0 and list or "none"
  for _, name in ipairs { "fullLogonParsingEnabled", "quickParsingEnabled",
    "responseParsingEnabled" } do
    item[name] = tostring(item[name])
  end
end)

M.HTML_Profile = simple("ltm profile html", { remark = "none" })

M.HTML_Rule = function(at, item, name)
  local kind = "ltm html-rule " .. item.ruleType
  item.remark = item.remark or ""
  if item.attributeName ~= nil then item.attributeName = { attributeName = item.attributeName } end
  if item.content ~= nil then item.content = { text = item.content } end
  at:add(kind, at:path(name), at:properties(kind, item))
end

M.ICAP_Profile = simple("ltm profile icap", {
  uri = "none", fromHeader = "none", hostHeader = "none", refererHeader = "none",
  userAgentHeader = "none",
})

-- One class for the two directions.
M.Adapt_Profile = function(at, item, name)
  item.internalService = item.internalService or "none"
  local both = item.messageType == "request-and-response"
  for _, side in ipairs { "request", "response" } do
    if both or item.messageType == side then
      local kind = ("ltm profile %s-adapt"):format(side)
      local path = at:path(both and ("%s_%s"):format(name, side) or name)
      at:add(kind, path, at:properties(kind, item))
    end
  end
end

M.PPTP_Profile = simple "ltm profile pptp"
M.Service_Profile = simple "ltm profile service"
M.Connector_Profile = simple "ltm profile connector"
M.Classification_Profile = simple("ltm profile classification", { remark = "" })
M.Analytics_TCP_Profile = simple("ltm profile tcp-analytics", { remark = "" })
M.DNS_Logging_Profile = simple("ltm profile dns-logging", { remark = "" })

local STATISTICS <const> = {
  collectGeo = "countriesForStatCollection", collectSubnet = "subnetsForStatCollection",
  collectUrl = "urlsForStatCollection",
}

-- Names of services and addresses of nodes are those of the application and the tenant.
local function capture(at, item)
  local filter = item.captureFilter
  if type(filter) ~= "table" then return end
  for i, name in ipairs(filter.virtualServers or {}) do
    if not name:find("/", 1, true) then filter.virtualServers[i] = at:path(name) end
  end
  for i, name in ipairs(filter.nodeAddresses or {}) do
    if not name:find("/", 1, true) then filter.nodeAddresses[i] = at:root_only(name) end
  end
  item.captureFilter = { captureForF5Appsvcs = filter }
end

M.Analytics_Profile = simple("ltm profile analytics", { remark = "" }, function(item, at)
  capture(at, item)
  for flag, list in pairs(STATISTICS) do
    -- a list counts only where its statistics are collected
    if not item[flag] then item[list] = nil end
  end
end)

M.Splitsession_Client_Profile = simple("ltm profile splitsessionclient", nil, function(item)
  item.localPeer = tostring(item.localPeer)
end)

M.Radius_Profile = simple("ltm profile radius", { remark = "" }, function(item, at)
  if not at.context.provisioned "pem" and not at.context.provisioned "afm" then
    item.protocolProfile, item.subscriberDiscoveryEnabled = nil, nil
  end
end)

M.Traffic_Log_Profile = simple("ltm profile request-log", { remark = "none" }, function(item)
  for _, side in ipairs { "request", "response" } do
    local settings = item[side .. "Settings"] or {}
    for key, value in pairs(settings) do item[key] = value end
    for _, name in ipairs { "ErrorPool", "ErrorTemplate", "Pool", "Template" } do
      item[side .. name] = settings[side .. name] or "none"
    end
  end
  item.proxyResponse = item.proxyResponse or "none"
end)

-- The number of an entry is its name.
local function numbered(list)
  for i, entry in ipairs(list or {}) do entry.name = ("%d"):format(i - 1) end
end

M.Rewrite_Profile = simple("ltm profile rewrite", nil, function(item)
  local certificate = references.plain(item.certificate)
  item.defaultsFrom = "/Common/rewrite"
  item.certificate = certificate and certificate .. ".crt" or "/Common/default.crt"
  item.javaSignKey = certificate and certificate .. ".key" or "/Common/default.key"
  item.javaSignKeyPassphrase = references.secret(item.javaSignKeyPassphrase)
  numbered(item.setCookieRules)
  numbered(item.uriRules)
end)

return M
