-- Monitors.
local address = require "sim.extensions.as3.map.address"
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

local words = properties.words

-- Which properties each type has.
local any = words "description destination interval time-until-up timeout up-interval"
local adaptive = words("adaptive adaptive-divergence-type adaptive-divergence-value "
  .. "adaptive-limit adaptive-sampling-timespan transparent", any)
local stream = words("ip-dscp recv recv-disable reverse send", adaptive)
local http = words("password username", stream)
local database = words("recv send username password count database recv-column recv-row", any)
local TYPES <const> = {
  icmp = adaptive,
  tcp = stream,
  udp = stream,
  dns = words("accept-rcode answer-contains qname qtype recv reverse", adaptive),
  http = http,
  https = words("cert cipherlist key ssl-profile", http),
  http2 = words("ssl-profile", http),
  inband = words "description failure-interval failures response-time retry-time",
  ldap = words("username password base filter-ldap security mandatory-attributes "
    .. "chase-referrals", any),
  mysql = database,
  postgresql = database,
  radius = words("username password secret nas-ip-address", any),
  sip = words("cert cipherlist filter filter-neg headers key mode request", any),
  smtp = words("domain", any),
  external = words("run args user-defined", any),
  ftp = words("username password debug filename mode", any),
  ["tcp-half-open"] = words("transparent", any),
}

-- Properties that are `none` unless the declaration says something.
local none_http, none_database = { "username" }, {
  "recv", "password", "database", "recv-column", "recv-row", "send", "username",
}
local NONE <const> = {
  http = none_http, https = none_http, http2 = none_http,
  ldap = { "username", "base", "filter-ldap", "password" },
  ftp = { "username", "filename" },
  dns = { "recv" },
  mysql = none_database, postgresql = none_database,
}

local function certificate(item)
  local cert = item.clientCertificate
  item.clientCertificate = cert and cert .. ".crt" or "none"
  item.key = cert and cert .. ".key" or "none"
  item.clientTLS = item.clientTLS or "none"
end

local function script(at, item, name)
  if not item.script then return end
  local path = at:path(name)
  local place, checksum = at:upload(path, references.text(at, item.script, path .. "/script"))
  at:add("sys file external-monitor", path .. "-script", {
    ["source-path"] = place, checksum = checksum,
  })
  item.run, item.script = path .. "-script", nil
end

M.Monitor = function(at, item, name)
  local kind = item.monitorType
  if not TYPES[kind] then
    references.fail(at:path(name), ('monitorType "%s" is not simulated'):format(kind))
  end
  item.remark = item.remark or ""
  local target = address.short(item.targetAddress or "")
  item.destination = (target ~= "" and target or "*") .. address.colon(target)
    .. (math.type(item.targetPort) and item.targetPort ~= 0 and item.targetPort or "*")
  if kind == "https" or kind == "http2" or kind == "sip" then certificate(item) end
  for _, codes in ipairs { "codesUp", "codesDown" } do
    if type(item[codes]) == "table" then item[codes] = table.concat(item[codes], " ") end
  end
  if kind == "sip" then
    item.codesUp, item.codesDown = item.codesUp or "none", item.codesDown or "none"
  elseif kind == "external" then
    item.arguments = item.arguments or "none"
    script(at, item, name)
  end
  item.passphrase = references.secret(item.passphrase)
  item.secret = references.secret(item.secret)
  if item.adaptiveDivergenceType == "absolute" then
    item.adaptiveDivergencePercentage = item.adaptiveDivergenceMilliseconds
  end
  local props = at:properties("ltm monitor", item)
  for property in pairs(props) do
    if not TYPES[kind][property] then props[property] = nil end
  end
  for _, property in ipairs(NONE[kind] or {}) do
    props[property] = props[property] or "none"
  end
  if kind == "external" then
    props["user-defined"] = item.environmentVariables or {}
  end
  local component = kind == "icmp" and "gateway-icmp" or kind
  at:add("ltm monitor " .. component, at:path(name), props)
end

return M
