-- Monitors of GSLB.
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

local words = properties.words

-- Which properties each type has.
local any = words "description destination interval timeout probe-timeout ignore-down-response"
local http = words("reverse send recv recv-status-code transparent", any)
local icmp = words("probe-interval probe-attempts send recv transparent", any)
local TYPES <const> = {
  http = http,
  https = words("cipherlist cert sni-server-name key", http),
  ["gateway-icmp"] = icmp,
  ["tcp-half-open"] = icmp,
  mysql = words("recv send username password count database recv-column recv-row", any),
  sip = words("cert cipherlist filter filter-neg headers key mode request", any),
  ldap = words("username password base filter-ldap security mandatory-attributes chase-referrals",
    any),
  smtp = words("domain", any),
  tcp = http,
  udp = words("debug reverse", icmp),
  external = words("run args user-defined", any),
  bigip = words "interval timeout ignore-down-response aggregate-dynamic-ratios",
}

-- Properties that are `none` unless the declaration says something.
local NONE <const> = {
  ldap = { "username", "base", "filter-ldap", "password" },
  mysql = { "recv", "password", "database", "recv-column", "recv-row", "send", "username" },
}
local TEXTS <const> = {
  http = { "receiveStatusCodes", "send", "receive", "sniServerName" },
  https = { "receiveStatusCodes", "send", "receive", "sniServerName" },
  tcp = { "send", "receive", "sniServerName" }, udp = { "send", "receive", "sniServerName" },
  sip = { "clientTLS", "filter", "filter-neg" }, external = { "arguments" },
}

local function joined(item, name)
  if type(item[name]) == "table" and #item[name] > 0 then
    item[name] = table.concat(item[name], " ")
  end
end

local function certificate(at, item, path)
  local cert = references.plain(item.clientCertificate)
  if cert and cert ~= "" and cert:sub(1, 1) ~= "/" then
    cert = references.resolve(at, cert, path .. "/clientCertificate")
  end
  item.clientCertificate = cert and cert .. ".crt" or "none"
  item.key = cert and cert .. ".key" or "none"
end

M.GSLB_Monitor = function(at, item, name)
  local kind, path = item.monitorType, at:path(name)
  if not TYPES[kind] then
    references.fail(path, ('monitorType "%s" is not simulated'):format(kind))
  end
  if item.script then
    references.fail(path .. "/script", "scripts of GSLB monitors are not simulated")
  end
  item.remark = item.remark or "none"
  if kind == "https" or kind == "sip" then certificate(at, item, path) end
  for _, list in ipairs { "receiveStatusCodes", "codesUp", "codesDown" } do joined(item, list) end
  for _, text in ipairs(TEXTS[kind] or {}) do
    if item[text] == nil or item[text] == "" then item[text] = "none" end
  end
  if kind == "ldap" then
    for _, flag in ipairs { "mandatoryAttributes", "chaseReferrals" } do
      if item[flag] ~= nil then item[flag] = item[flag] and "yes" or "no" end
    end
  end
  item.passphrase, item.secret = references.secret(item.passphrase), references.secret(item.secret)
  local props = at:properties("gtm monitor", item)
  for property in pairs(props) do
    if not TYPES[kind][property] then props[property] = nil end
  end
  for _, property in ipairs(NONE[kind] or {}) do props[property] = props[property] or "none" end
  at:add("gtm monitor " .. kind, path, props)
end

return M
