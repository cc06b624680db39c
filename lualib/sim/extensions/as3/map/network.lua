-- Logs, bandwidth, idle timeouts, and validators of certificates.
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

M.Log_Publisher = properties.handler("sys log-config publisher", { remark = "" })

M.Log_Destination = function(at, item, name)
  local kind = "sys log-config destination " .. item.type
  at:add(kind, at:path(name), at:properties(kind, item))
end

local FACTORS <const> = { b = 1, K = 1000, M = 1000000, G = 1000000000 }

local function scaled(value, unit)
  if value == nil then return nil end
  return math.tointeger(value * FACTORS[(unit or "bbps"):sub(1, 1)])
end

M.Bandwidth_Control_Policy = function(at, item, name)
  item.maxBandwidth = scaled(item.maxBandwidth, item.maxBandwidthUnit)
  item.maxUserBandwidth = scaled(item.maxUserBandwidth, item.maxUserBandwidthUnit)
  item.maxUserPPS = scaled(item.maxUserPPS, (item.maxUserPPSUnit or "pps"):gsub("^pps", "bpps"))
  local list, categories = {}, item.categories or {}
  if type(categories) ~= "table" then
    references.fail(at:path(name) .. "/categories", "should be object")
  end
  for category, entry in pairs(categories) do
    if type(entry) ~= "table" then
      references.fail(("%s/categories/%s"):format(at:path(name), category), "should be object")
    end
    local is_part = entry.maxBandwidthUnit == "%"
    entry.maxCatRatePercentage = is_part and entry.maxBandwidth or 0
    entry.maxBandwidth = is_part and 0 or scaled(entry.maxBandwidth, entry.maxBandwidthUnit)
    entry.name = category
    list[#list + 1] = entry
  end
  item.categories = list
  at:add("net bwc policy", at:path(name), at:properties("net bwc policy", item))
end

M.Idle_Timeout_Policy = function(at, item, name)
  for _, rule in ipairs(item.rules or {}) do
    local timeout = rule.idleTimeout
    if math.type(timeout) then timeout = ("%d"):format(timeout) end
    rule.idleTimeout = timeout ~= nil and { { name = "flow-idle-timeout", value = timeout } } or {}
    local ports = {}
    for i, port in ipairs(rule.destinationPorts or {}) do
      if math.type(port) then port = ("%d"):format(port) end
      ports[i] = { name = port == "all-other" and "0" or port }
    end
    rule.destinationPorts = ports
  end
  at:add("net timer-policy", at:path(name), at:properties("net timer-policy", item))
end

M.Certificate_Validator_OCSP = function(at, item, name)
  local signer = item.signingCertificate
  item.signingPassphrase = "none"
  if type(signer) == "table" and signer.bigip then
    item.signingCertificate = signer.bigip
    item.signingPrivateKey = signer.bigip:gsub("%.crt", ".key", 1)
  elseif signer ~= nil and signer ~= "" then
    local path = references.plain(signer):gsub("%.crt$", "")
    local declared = references.item(at, path) or {}
    item.signingCertificate, item.signingPrivateKey = path .. ".crt", path .. ".key"
    item.signingPassphrase = references.secret(declared.passphrase) or "none"
  else
    item.signingCertificate, item.signingPrivateKey = "none", "none"
  end
  at:add("sys crypto cert-validator ocsp", at:path(name),
    at:properties("sys crypto cert-validator ocsp", item))
end

return M
