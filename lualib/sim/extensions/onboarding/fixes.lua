-- What makes the wanted and the current configuration comparable, class by class.
local bgp = require "sim.extensions.onboarding.bgp"
local classes = require "sim.extensions.onboarding.classes"
local json = require "f5.json"
local modules = require "sim.extensions.onboarding.modules"
local names = require "sim.extensions.onboarding.names"
local tables = require "sim.tables"

local M = {}

local function strip(address) return address:match "^[^/]*" end

-- -- the device's side --

local current = {}

function current.SelfIp(self)
  local list = self.allowService
  if list == nil then self.allowService = "none" end
  if type(list) == "table" and #list == 1 and list[1] == "default" then
    self.allowService = "default"
  end
end

function current.System(system)
  local minutes = tonumber(system.idleTimeout)
  system.idleTimeout = minutes and math.tointeger(minutes * 60) or 0
end

local SSHD <const> = {
  Ciphers = { "ciphers", "list" }, MACs = { "MACS", "list" },
  KexAlgorithms = { "kexAlgorithms", "list" }, LoginGraceTime = { "loginGraceTime", "number" },
  MaxAuthTries = { "maxAuthTries", "number" }, MaxStartups = { "maxStartups", "text" },
  Protocol = { "protocol", "number" },
}

local function words(text, separator)
  local list = json.array {}
  for word in text:gmatch("[^" .. separator .. "]+") do list[#list + 1] = word end
  return list
end

local function lower_all(list)
  if type(list) ~= "table" then return list end
  for i, word in ipairs(list) do
    if word:lower() == "all" then list[i] = "all" end
  end
  return list
end

function current.SSHD(sshd)
  for line in (sshd.include or ""):gmatch "[^\n]+" do
    local key, value = line:match "^(%S+) (.*)$"
    local rule = SSHD[key]
    if rule then
      sshd[rule[1]] = rule[2] == "list" and words(value, ",")
        or rule[2] == "number" and math.tointeger(tonumber(value)) or value
    end
  end
  sshd.include = nil
  sshd.allow = lower_all(sshd.allow)
end

function current.HTTPD(httpd)
  if httpd.sslCiphersuite then httpd.sslCiphersuite = words(httpd.sslCiphersuite, ":") end
  httpd.allow = httpd.allow and lower_all(httpd.allow) or "none"
end

function current.SyslogRemoteServer(syslog)
  local servers = syslog.remoteServers or {}
  for key in pairs(syslog) do syslog[key] = nil end
  for _, server in ipairs(servers) do
    server.name = names.short(server.name)
    if server.localIp == "none" then server.localIp = nil end
    syslog[server.name] = server
  end
end

function current.TrafficGroup(group)
  for i, name in ipairs(group.haOrder or {}) do group.haOrder[i] = names.short(name) end
end

function current.Authentication(auth)
  auth.enabledSourceType = auth.type == "active-directory" and "activeDirectory" or auth.type
  auth.type = nil
end

current.RoutingBGP = bgp.normalize

for class, fix in pairs(modules.current) do current[class] = fix end

--- Completes what was read from the device.
function M.current(config)
  for class, fix in pairs(current) do
    local found = config[class]
    if found and (classes.is_nameless(class) or class == "SyslogRemoteServer") then
      fix(found)
    elseif found then
      for _, object in pairs(found) do fix(object) end
    end
  end
  if config.System then
    config.System.mcpAuditLog = (config.DbVariables or {})["config.auditing"]
  end
end

-- -- the declaration's side --

local wanted = {}

function wanted.ManagementIp(list)
  for name, object in pairs(tables.copy(list)) do
    if object.name and object.name ~= name then
      list[object.name], list[name] = object, nil
    end
  end
end

-- Several objects of this class may be declared: they all belong to one device.
function wanted.FailoverUnicast(unicast)
  local address = unicast.address
  if not address or address == "none" then return end
  unicast.unicastAddress = json.array { { ip = strip(address), port = unicast.port } }
  unicast.address, unicast.port = nil, nil
end

function wanted.ConfigSync(sync)
  if sync.configsyncIp then sync.configsyncIp = strip(sync.configsyncIp) end
end

function wanted.HTTPD(httpd)
  if httpd.allow == "all" then httpd.allow = json.array { "all" } end
  httpd.allow = lower_all(httpd.allow)
end

function wanted.SSHD(sshd)
  if sshd.allow == "all" then sshd.allow = json.array { "all" } end
  sshd.allow = lower_all(sshd.allow)
end

function wanted.RemoteAuthRole(list)
  for _, role in pairs(list) do
    if role.console == "disabled" then role.console = "disable" end
  end
end

function wanted.DNS_Resolver(list)
  for _, resolver in pairs(list) do
    local zones = type(resolver.forwardZones) == "table" and resolver.forwardZones or {}
    for _, zone in ipairs(zones) do
      for i, server in ipairs(zone.nameservers or {}) do
        if type(server) ~= "table" then zone.nameservers[i] = { name = server } end
      end
    end
  end
end

local function with_mask(network)
  local is_word = network == "default" or network == "default-inet6"
  if is_word or network:find("/", 1, true) then return network end
  return network .. (network:find(":", 1, true) and "/128" or "/32")
end

local function networks(list)
  for _, route in pairs(list) do
    if route.network then route.network = with_mask(route.network) end
  end
end

wanted.Route, wanted.ManagementRoute = networks, networks

function wanted.SelfIp(list)
  for _, self in pairs(list) do
    self.vlan = names.short(self.vlan)
    self.trafficGroup = names.short(self.trafficGroup)
    for _, name in ipairs { "fwEnforcedPolicy", "fwStagedPolicy" } do
      self[name] = self[name] and self[name]:match "[^/]+$"
    end
  end
end

function wanted.TrafficGroup(list)
  for _, group in pairs(list) do current.TrafficGroup(group) end
end

function wanted.Tunnel(list)
  for _, tunnel in pairs(list) do tunnel.trafficGroup = names.short(tunnel.trafficGroup) end
end

function wanted.VLAN(list)
  for _, vlan in pairs(list) do
    for _, interface in ipairs(vlan.interfaces or {}) do
      if interface.tagged == nil then interface.tagged = vlan.tag ~= nil end
    end
  end
end

local ANY <const> = { ["0.0.0.0"] = true, ["::"] = true, ["0.0.0.0/0"] = true, ["::/0"] = true }

local function access_address(text, other)
  if ANY[text] then return other:find(":", 1, true) and not ANY[other] and "::/0" or "0.0.0.0/0" end
  if text:find("/", 1, true) then return text end
  return text .. (text:find(":", 1, true) and "/128" or "/32")
end

function wanted.RoutingAccessList(all)
  for _, list in pairs(all) do
    for _, entry in ipairs(list.entries or {}) do
      local from, to = entry.source, entry.destination
      if from and to then
        entry.source, entry.destination = access_address(from, to), access_address(to, from)
      end
    end
  end
end

function wanted.RoutingPrefixList(all)
  for _, list in pairs(all) do
    for _, entry in ipairs(list.entries or {}) do
      local range = entry.prefixLenRange
      if range then entry.prefixLenRange = range:gsub("^:", "0:"):gsub(":$", ":0") end
    end
  end
end

local function name_lists(value)
  if type(value) ~= "table" then return end
  for key, inner in pairs(value) do
    if key == "prefixList" or key == "asPath" then
      value[key] = names.full(inner)
    else
      name_lists(inner)
    end
  end
end

function wanted.RouteMap(all)
  for _, map in pairs(all) do name_lists(map.entries) end
end

function wanted.RoutingBGP(all)
  for _, process in pairs(all) do bgp.normalize(process) end
end

-- Certificates and keys are compared by their checksums; what is uploaded is kept beside.
local FILES <const> = {
  { "sslCaCertFile", "certificate", "sslCaCertFile", "do_ldapCaCert.crt" },
  { "sslClientCert", "privateKey", "sslClientKey", "do_ldapClientCert.key" },
  { "sslClientCert", "certificate", "sslClientCert", "do_ldapClientCert.crt" },
}

function wanted.Authentication(auth, files)
  local ldap = auth.ldap
  if not ldap then return end
  local given = tables.copy(ldap)
  for _, file in ipairs(FILES) do
    local text = type(given[file[1]]) == "table" and given[file[1]][file[2]]
    if type(text) == "string" then
      files[file[4]] = text
      ldap[file[3]] = file[4]
    end
  end
end

-- Route domains: 0 is always there; VLANs that are not named stay where they are.
local function route_domains(config, there)
  local list = config.RouteDomain
  if not list then return end
  for name, domain in pairs(tables.copy(list)) do
    if tostring(domain.id) == "0" and name ~= "0" then
      list["0"], list[name] = list[name], nil
      list["0"].name = "0"
    end
  end
  local now = there.RouteDomain or {}
  list["0"] = list["0"] or tables.copy(now["0"])
  local taken = {}
  for _, domain in pairs(list) do
    domain.parent = names.short(domain.parent)
    for i, vlan in ipairs(domain.vlans or {}) do
      domain.vlans[i] = names.full(vlan)
      taken[domain.vlans[i]] = taken[domain.vlans[i]] or domain
    end
  end
  for name, domain in pairs(list) do
    local vlans = domain.vlans or json.array {}
    if name == "0" or not domain.vlans then
      for _, vlan in ipairs(now[name] and now[name].vlans or {}) do
        if not taken[vlan] then
          vlans[#vlans + 1], taken[vlan] = vlan, domain
        end
      end
    end
    table.sort(vlans)
    domain.vlans = #vlans > 0 and vlans or nil
  end
end

for class, fix in pairs(modules.wanted) do wanted[class] = fix end

--- Completes what a declaration wants.
-- @param config what parse.lua made of it
-- @param there the configuration of the device
-- @return files that are uploaded: name -> text
function M.wanted(config, there)
  local files = {}
  for class, fix in pairs(wanted) do
    if config[class] then fix(config[class], files) end
  end
  route_domains(config, there)
  return files
end

return M
