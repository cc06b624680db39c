-- Services: virtual servers with their addresses.
local address = require "sim.extensions.as3.map.address"
local attach = require "sim.extensions.as3.map.attach"
local digest = require "sim.digest"
local policy = require "sim.extensions.as3.map.policy"
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

-- "source-address" is the profile /Common/source_addr.
local function persistence(method)
  if type(method) ~= "string" or method:sub(1, 1) == "/" then return properties.path_of(method) end
  method = method:gsub("destination", "dest"):gsub("address", "addr")
    :gsub("tls%-session%-id", "ssl"):gsub("%-info", ""):gsub("%-", "_")
  return "/Common/" .. method
end

local function persist(item)
  local list = {}
  for i, method in ipairs(item.persistenceMethods or {}) do
    list[i] = { name = persistence(method), default = i == 1 and "yes" or "no" }
  end
  item.persistenceMethods = list
  if item.fallbackPersistenceMethod then
    item.fallbackPersistenceMethod = persistence(item.fallbackPersistenceMethod)
  end
end

local function vlans(item)
  local wanted = item.allowVlans or item.rejectVlans
  item.vlans = wanted or {}
  if item.allowVlans or not wanted and item.internal then
    item["vlans-enabled"] = true
  else
    item["vlans-disabled"] = true
  end
end

local LAST_HOPS <const> = { disable = "disabled", auto = "enabled" }

local function last_hop(item)
  local hop = item.lastHop
  item["last-hop-pool"], item["auto-lasthop"] = "none", "default"
  if type(hop) == "table" then
    item["last-hop-pool"] = properties.path_of(hop)
  elseif LAST_HOPS[hop] then
    item["auto-lasthop"] = LAST_HOPS[hop]
  end
end

local function snat(wanted)
  if wanted == nil or wanted == "auto" then return { type = "automap" } end
  if wanted == "self" then return nil end
  if type(wanted) == "string" then return { type = wanted } end
  return { type = "snat", pool = properties.path_of(wanted) }
end

-- The profile /Common/websecurity, if ASM is there and the service speaks HTTP.
local function websecurity(at, item)
  if not item.profileHTTP or not at.context.provisioned "asm" then return end
  for _, entry in ipairs(item.profiles or {}) do
    if entry.name == "/Common/websecurity" then return end
  end
  attach.push(item, "/Common/websecurity")
end

local function leads_to_asm(declared)
  for _, rule in ipairs(declared.rules or {}) do
    for _, action in ipairs(rule.actions or {}) do
      if action.type == "waf" then return true end
    end
  end
  return false
end

local function endpoint_policies(at, item)
  local list = item.policyEndpoint
  if list == nil then return end
  if type(list) ~= "table" or list.use or list.bigip then list = { list } end
  for _, entry in ipairs(list) do
    local path = properties.path_of(entry)
    item.policies[#item.policies + 1] = path
    local declared = (type(entry) == "string" or entry.use) and references.item(at, path)
    if not declared or leads_to_asm(declared) then websecurity(at, item) end
  end
end

-- What the name of an address says: "any" for 0.0.0.0.
local function spelled(ip)
  if ip == "0.0.0.0" then return "any" elseif ip == "::" then return "any6" end
  return ip
end

--- Adds a virtual address.
local function virtual_address(at, item, path)
  local parsed = address.parse(item.virtualAddress)
  local domain = parsed.domain ~= "" and parsed.domain or at:domain()
  if domain == "%0" then domain = "" end
  local copy = {}
  for key, value in pairs(item) do copy[key] = value end
  copy.virtualAddress = spelled(parsed.ip) .. domain
  copy.netmask = parsed.mask
  for _, name in ipairs { "icmpEcho", "routeAdvertisement" } do
    local word = copy[name] or (name == "icmpEcho" and "enable" or "disable")
    copy[name] = word:gsub("able$", "abled")
  end
  copy.trafficGroup = copy.trafficGroup or "default"
  copy.serverScope = copy.serverScope or "any"
  if copy.autoDelete == nil then copy.autoDelete = "true" end
  local props = at:properties("ltm virtual-address", copy)
  if item.shareAddresses then props.metadata = { references = { value = "1" } } end
  at:add("ltm virtual-address", path, props)
end

M.Service_Address = function(at, item, name)
  if item.useIpName then name = address.parse(item.virtualAddress).ip end
  local path = at:root(name)
  if item.shareAddresses then path = "/Common/" .. name end
  virtual_address(at, item, path)
end

-- The address of an entry of virtualAddresses that names an existing or a declared address:
-- the path of the virtual address, and the address itself.
local function named_address(at, entry)
  if entry.bigip then
    local text = entry.address or entry.bigip:match "[^/]+$"
    return entry.bigip, address.parse(text)
  end
  local declared = references.item(at, entry.use) or {}
  local tenant, name = entry.use:match "^/([^/]+)/.*/([^/]+)$"
  local parsed = address.parse(declared.virtualAddress)
  if declared.useIpName then name = parsed.ip end
  return (tenant == "Common" and "/Common/Shared/" or "/" .. tenant .. "/") .. name, parsed
end

-- An address written out: makes its virtual address.
local function plain_address(at, item, text)
  local parsed = address.parse(text)
  local domain = parsed.domain ~= "" and parsed.domain or at:domain()
  if domain == "%0" then domain = "" end
  local name = spelled(parsed.ip) .. domain
  local path = item.shareAddresses and "/Common/" .. name or at:root(name)
  if not item.internal and not item.address_list then
    local forwards = item.class == "Service_Forwarding"
    virtual_address(at, {
      virtualAddress = text, arpEnabled = not forwards, spanningEnabled = false,
      shareAddresses = item.shareAddresses,
      icmpEcho = forwards and "disable" or "enable",
    }, path)
  end
  parsed.domain = domain
  return path, parsed
end

--- Where a service listens: `destination`, `source`, `mask`, and the address for SNAT.
local function place(at, item, entry)
  local target, source = entry, nil
  if type(entry) == "table" and not entry.use and not entry.bigip then
    target, source = entry[1], entry[2]
  end
  local path, parsed
  if type(target) == "table" then
    path, parsed = named_address(at, target)
  else
    path, parsed = plain_address(at, item, target)
  end
  local domain = parsed.domain ~= "" and parsed.domain or at:domain()
  local six = parsed.ip:find(":", 1, true)
  return {
    destination = ("%s%s%s"):format(path, address.colon(path), item.virtualPort),
    mask = parsed.mask,
    source = source and address.short(source)
      or ("%s%s/0"):format(six and "::" or "0.0.0.0", domain),
    ip = parsed.ip .. parsed.domain,
    domain = domain,
    inline = spelled(parsed.ip),
  }
end

-- Addresses or ports by lists: an object that says what matches.
local function criteria(at, item, where, alias)
  local path = at:path(alias .. "_VS_TMC_OBJ")
  local source = address.parse(where.source)
  at:add("ltm traffic-matching-criteria", path, at:properties("ltm traffic-matching-criteria", {
    protocol = item.layer4,
    destinationAddressInline = ("%s/%s"):format(where.inline, where.mask),
    destinationAddressList = properties.path_of(item.address_list),
    destinationPortInline = tostring(item.virtualPort),
    destinationPortList = properties.path_of(item.port_list),
    sourceAddressInline = ("%s/%s"):format(source.ip, source.mask),
    sourceAddressList = properties.path_of(item.source_list),
    routeDomain = where.domain ~= "" and "/Common/" .. where.domain:sub(2) or "any",
  }))
  item.trafficMatchingCriteria = path
  item.destination, item.source = nil, nil
end

local function self_snat(at, item, where, alias)
  local name = alias .. "-self"
  at.handlers.SNAT_Pool(at, { snatAddresses = { where.ip } }, name)
  item.snat = { type = "snat", pool = at:path(name) }
end

local function lists(item)
  if type(item.virtualPort) == "table" then
    item.port_list, item.virtualPort = item.virtualPort, 0
  end
  local addresses = item.virtualAddresses
  if type(addresses) == "table" and (addresses.use or addresses.bigip) then
    item.address_list, item.virtualAddresses = addresses, { "0.0.0.0" }
  end
  if type(item.sourceAddress) == "table" then
    item.source_list, item.sourceAddress = item.sourceAddress, nil
  end
end

local function with_source(item)
  if type(item.sourceAddress) ~= "string" then return end
  for i, entry in ipairs(item.virtualAddresses) do
    if type(entry) ~= "table" or entry.use or entry.bigip then
      item.virtualAddresses[i] = { entry, item.sourceAddress }
    end
  end
  item.sourceAddress = nil
end

local CORE_PROFILES <const> = {
  { "serverTLS", "clientside" }, { "clientTLS", "serverside" }, { "profileDiameterEndpoint" },
  { "profileEnforcement", "clientside" }, { "profileSubscriberManagement", "clientside" },
  { "profileIPOther" },
  { "profileClassification", "clientside" }, { "profileDNS" }, { "profileDOS" },
  { "profileStatistics" }, { "profileTrafficLog" }, { "profileRewrite" }, { "profileFPS" },
  { "profileProtocolInspection" }, { "profileBotDefense" }, { "profileVdi" },
  { "profileIntegratedBotDefense" },
}

-- The properties that all virtual servers of a service have in common.
local function prepare(at, item)
  item.adminState = item.adminState == "enable"
  lists(item)
  with_source(item)
  vlans(item)
  if item.policyNAT then item.securityNatPolicy = { policy = item.policyNAT } end
  item.policies = item.policies or {}
  endpoint_policies(at, item)
  persist(item)
  last_hop(item)
  if item.httpMrfRoutingEnabled then attach.push(item, "/Common/httprouter") end
  item.mirroring = item.mirroring == "L4"
  attach.all(at, item, CORE_PROFILES)
  item.self_snat = item.snat == "self"
  item.snat = snat(item.snat)
  if item.metadata then
    local list = {}
    for name, entry in pairs(item.metadata) do
      entry.name = name
      list[#list + 1] = entry
    end
    item.metadata = list
  end
  if item.clonePools then
    local list = {}
    for side, pool in pairs(item.clonePools) do
      list[#list + 1] = {
        name = properties.path_of(pool),
        context = side == "ingress" and "clientside" or "serverside",
      }
    end
    item.clonePools = list
  end
  if not item.maximumBandwidth and at.context.provisioned "afm" then
    item.maximumBandwidth = "infinite"
  end
  if math.type(item.rateLimit) and item.rateLimit <= 0 then item.rateLimit = "disabled" end
  item.remark = item.remark or at.app
end

-- A policy of idle timeouts works by a service policy, whose name is a digest.
local function idle_timeout(at, item)
  local timer = properties.path_of(item.policyIdleTimeout)
  if not timer then return end
  local hash = digest.md5(timer):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  item.servicePolicy = at:path("f5_appsvcs_" .. hash)
  at:add("net service-policy", item.servicePolicy,
    at:properties("net service-policy", { timerPolicy = timer }))
end

--- The virtual servers of a service.
local function core(at, item, name)
  if not item.enable then return end
  if item.include then references.fail(at:path(name) .. "/include", "is not simulated") end
  idle_timeout(at, item)
  prepare(at, item)
  for i, entry in ipairs(item.virtualAddresses) do
    local alias = i == 1 and name or ("%s-%d-"):format(name, i - 1)
    local where = place(at, item, entry)
    if item.self_snat then self_snat(at, item, where, alias) end
    item.destination = item.internal and "0.0.0.0:any" or where.destination
    item.source, item.mask = where.source, where.mask
    if item.port_list or item.address_list or item.source_list then
      criteria(at, item, where, alias)
    end
    at:add("ltm virtual", at:path(alias), at:properties("ltm virtual", item))
  end
end

local function internal(at, item)
  if item.virtualType ~= "internal" then return end
  item.internal = {}
  item.virtualAddresses = { "0.0.0.0" }
  attach.one(at, item, "profileICAP")
end

-- A word of profileTCP, such as "lan", is a profile of /Common.
local function tcp_profile(wanted)
  if type(wanted) == "string" or wanted == nil then
    return { bigip = "/Common/f5-tcp-" .. (wanted or "normal"):gsub("normal", "progressive") }
  end
  return wanted
end

local TCP_PROFILES <const> = {
  { "profileAnalyticsTcp" }, { "profileFIX" }, { "profileSIP" }, { "profileSOCKS" },
  { "profileSSHProxy" }, { "profileFTP" }, { "profilePPTP" }, { "profileStream" },
  { "profileILX" }, { "profileRTSP", "clientside" }, { "profileService" },
  { "profileSplitsessionClient", "serverside" }, { "profileConnector" },
}

M.Service_TCP = function(at, item, name)
  local wanted = item.profileTCP or "normal"
  if type(wanted) == "table" and (wanted.ingress or wanted.egress) then
    for side, context in pairs { ingress = "clientside", egress = "serverside" } do
      if wanted[side] then
        item.profileTCP = tcp_profile(wanted[side])
        attach.one(at, item, "profileTCP", context)
      end
    end
  else
    item.profileTCP = tcp_profile(wanted)
    attach.one(at, item, "profileTCP")
  end
  attach.all(at, item, TCP_PROFILES)
  if item.mqttEnabled then attach.push(item, "/Common/mqtt") end
  internal(at, item)
  core(at, item, name)
end

local HTTP_WORDS <const> = {
  profileHTTPCompression = {
    wan = "/Common/wan-optimized-compression", "/Common/httpcompression",
  },
  profileMultiplex = { "/Common/oneconnect" },
  profileHTTPAcceleration = { "/Common/webacceleration" },
}

local HTTP_PROFILES <const> = {
  { "profileHTTP" }, { "profileHTML" }, { "profileHTTPCompression" },
  { "profileHTTPAcceleration" }, { "profileMultiplex" }, { "profileNTLM" },
  { "profileAnalytics" }, { "profileAnalyticsTcp" }, { "profileConnectivity", "clientside" },
  { "profileRequestAdapt", "clientside" }, { "profileResponseAdapt", "serverside" },
  { "profileWebSocket" }, { "profileService" }, { "profileSplitsessionClient", "serverside" },
  { "profileConnector" }, { "profileApiProtection" },
}

-- A WAF policy needs a policy of LTM that leads to it.
local function waf(at, item, name)
  local wanted = item.policyWAF
  if wanted == nil or wanted == "" then return end
  local path = properties.path_of(wanted)
  if type(wanted) == "table" and wanted.use then
    local declared = references.item(at, wanted.use)
    local other = declared and declared.policy
    if type(other) == "table" and other.bigip then path = other.bigip end
  end
  attach.push(item, "/Common/websecurity")
  local policy_name = "_WAF_" .. (name == "serviceMain" and "_" .. at.app or name)
  item.policies = item.policies or {}
  item.policies[#item.policies + 1] = at:path(policy_name)
  policy.Endpoint_Policy(at, {
    strategy = "first-match",
    rules = { { name = "default", actions = { { type = "waf", policy = { bigip = path } } } } },
  }, policy_name)
end

-- An access policy brings its profile, and two of /Common.
local function access(at, item)
  for _, key in ipairs { "policyIAM", "profileAccess" } do
    if item[key] then
      attach.one(at, item, key)
      attach.push(item, "/Common/rba")
      attach.push(item, "/Common/websso")
    end
  end
  if item.profilePingAccess then attach.one(at, item, "profilePingAccess") end
end

-- What an HTTP profile of the declaration brings along.
local function companions(at, item)
  local path = type(item.profileHTTP) == "table" and item.profileHTTP.use
  local declared = path and references.item(at, path)
  if not declared then return end
  local folder, name = path:match "^(.*/)([^/]+)$"
  if not item.profileWebSocket then
    if declared.profileWebSocket then
      item.profileWebSocket = references.absolute(at, declared.profileWebSocket, path)
      attach.one(at, item, "profileWebSocket")
    elseif declared.webSocketsEnabled then
      attach.push(item, folder .. "f5_appsvcs_" .. declared.webSocketMasking)
    end
  end
  if declared.proxyConnectEnabled then
    attach.push(item, folder .. "f5_appsvcs_" .. name .. "_proxyConnect")
  end
end

M.Service_HTTP = function(at, item, name, has_http2)
  if item.enable then waf(at, item, name) end
  access(at, item)
  if type(item.profileHTTP) ~= "table" then item.profileHTTP = { bigip = "/Common/http" } end
  for key, words in pairs(HTTP_WORDS) do
    if type(item[key]) == "string" then item[key] = { bigip = words[item[key]] or words[1] } end
  end
  if not has_http2 and item.profileHTTP2 then
    if type(item.profileHTTP2) == "string" then item.profileHTTP2 = { bigip = "/Common/http2" } end
    if item.profileHTTP2.use or item.profileHTTP2.bigip then
      attach.one(at, item, "profileHTTP2")
    end
  end
  attach.all(at, item, HTTP_PROFILES)
  if item.profileConnectivity then attach.push(item, "/Common/ppp") end
  companions(at, item)
  M.Service_TCP(at, item, name)
end

local function http2(at, item)
  local wanted = item.profileHTTP2
  if not wanted then return false end
  if type(wanted) == "string" then wanted = { bigip = "/Common/http2" } end
  local sides = {
    { wanted, nil }, { wanted.ingress, "clientside" }, { wanted.egress, "serverside" },
  }
  local found = false
  for i = 1, 3 do
    local profile = sides[i][1]
    if profile and (i > 1 or profile.use or profile.bigip) then
      item.profileHTTP2 = profile
      attach.one(at, item, "profileHTTP2", sides[i][2])
      found = true
    end
  end
  return found
end

local REDIRECT_COPIES <const> = {
  "rateLimit", "profileTCP", "shareAddresses", "allowVlans", "rejectVlans", "adminState",
}

M.Service_HTTPS = function(at, item, name)
  local redirect = {
    class = "Service_HTTP", addressStatus = true, enable = item.enable and item.redirect80,
    layer4 = "tcp", iRules = { { bigip = "/Common/_sys_https_redirect" } }, maxConnections = 0,
    nat64Enabled = false, serviceDownImmediateAction = "none", translateClientPort = false,
    translateServerAddress = true, translateServerPort = true, serversslUseSni = false,
    virtualPort = 80,
    virtualAddresses = references.absolute(at, item.virtualAddresses, at:path(name)),
  }
  for _, key in ipairs(REDIRECT_COPIES) do
    redirect[key] = references.absolute(at, item[key], at:path(name))
  end
  local has_http2 = http2(at, item)
  M.Service_HTTP(at, item, name, has_http2)
  M.Service_HTTP(at, redirect, name .. "-Redirect-", has_http2)
end

M.Service_UDP = function(at, item, name)
  if type(item.profileUDP) ~= "table" then item.profileUDP = { bigip = "/Common/udp" } end
  attach.all(at, item, {
    { "profileUDP" }, { "profileRADIUS" }, { "profileSIP" }, { "profileTFTP" },
  })
  internal(at, item)
  if item.virtualType == "stateless" then item.stateless = {} end
  core(at, item, name)
end

M.Service_Forwarding = function(at, item, name)
  if item.forwardingType == "ip" then item["ip-forward"] = true end
  if item.forwardingType == "l2" then item["l2-forward"] = true end
  if type(item.profileL4) ~= "table" then item.profileL4 = { bigip = "/Common/fastL4" } end
  attach.one(at, item, "profileL4")
  core(at, item, name)
end

M.Service_SCTP = function(at, item, name)
  if type(item.profileSCTP) ~= "table" then item.profileSCTP = { bigip = "/Common/sctp" } end
  attach.one(at, item, "profileSCTP")
  core(at, item, name)
end

M.Service_L4 = function(at, item, name)
  if type(item.profileL4) ~= "table" then item.profileL4 = { bigip = "/Common/fastL4" } end
  attach.all(at, item, { { "profileAnalyticsTcp" }, { "profileL4" }, { "profileFIX" } })
  core(at, item, name)
end

M.Service_Generic = function(at, item, name)
  attach.all(at, item, {
    { "profileAnalyticsTcp" }, { "profileSplitsessionClient", "serverside" },
  })
  core(at, item, name)
end

return M
