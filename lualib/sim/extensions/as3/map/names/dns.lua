-- DNS servers of LTM: caches, zones, name servers.
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

M.DNS_Cache = function(at, item, name)
  local kind = "ltm dns cache " .. item.type
  item.localZones = item.localZones or "none"
  item.forwardZones = item.forwardZones or "none"
  at:add(kind, at:path(name), at:properties(kind, item))
end

M.DNS_Nameserver = properties.handler "ltm dns nameserver"

M.DNS_TSIG_Key = properties.handler("ltm dns tsig-key", nil, function(item)
  item.secret = references.secret(item.secret)
end)

M.DNS_Zone = function(at, item, name)
  local express = item.dnsExpress or {}
  item.dnsExpressEnabled = express.enabled == nil or express.enabled
  item.dnsExpressNotifyAction = express.notifyAction or "consume"
  item.dnsExpressNotifyTsigVerify = express.verifyNotifyTsig == nil or express.verifyNotifyTsig
  item.dnsExpressServer, item.dnsExpressAllowNotify = express.nameserver, express.allowNotifyFrom
  at:add("ltm dns zone", at:path(name), at:properties("ltm dns zone", item))
end

return M
