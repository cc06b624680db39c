-- DNS servers of LTM: caches, zones, name servers.
local references = require "sim.extensions.as3.map.references"

local M = {}

M.DNS_Cache = function(at, item, name)
  local kind = "ltm dns cache " .. item.type
  item.localZones = item.localZones or "none"
  item.forwardZones = item.forwardZones or "none"
  at:add(kind, at:path(name), at:properties(kind, item))
end

M.DNS_Nameserver = function(at, item, name)
  at:add("ltm dns nameserver", at:path(name), at:properties("ltm dns nameserver", item))
end

M.DNS_TSIG_Key = function(at, item, name)
  item.secret = references.secret(item.secret)
  at:add("ltm dns tsig-key", at:path(name), at:properties("ltm dns tsig-key", item))
end

M.DNS_Zone = function(at, item, name)
  local express = item.dnsExpress or {}
  item.dnsExpressEnabled = express.enabled == nil or express.enabled
  item.dnsExpressNotifyAction = express.notifyAction or "consume"
  item.dnsExpressNotifyTsigVerify = express.verifyNotifyTsig == nil or express.verifyNotifyTsig
  item.dnsExpressServer, item.dnsExpressAllowNotify = express.nameserver, express.allowNotifyFrom
  at:add("ltm dns zone", at:path(name), at:properties("ltm dns zone", item))
end

return M
