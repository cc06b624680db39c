-- Writes the classes of the system: settings, addresses for management, services, SNMP, the
-- licence.
local calls = require "sim.extensions.onboarding.calls"
local json = require "f5.json"
local tables = require "sim.tables"

local M = {}

local SETTINGS <const> = "/tm/sys/global-settings"

local each <const> = calls.each

M[1] = { "DbVariables", function(device, variables)
  each(variables, function(name, value)
    calls.modify(device, "/tm/sys/db/" .. name:lower(), { value = tostring(value) })
  end)
end }

-- DHCP does not set what the declaration sets.
local function leave_to_declaration(device, options)
  local path = "/tm/sys/management-dhcp/sys-mgmt-dhcp-config"
  local config = calls.get(device, path)
  if not config or not config.requestOptions then return end
  local kept = json.array {}
  for _, option in ipairs(config.requestOptions) do
    if not options[option] then kept[#kept + 1] = option end
  end
  if #kept < #config.requestOptions then
    calls.call(device, "PATCH", path, { requestOptions = kept })
  end
end

M[2] = { "", function(device, _, update)
  local dns = update.DNS or {}
  leave_to_declaration(device, {
    ["ntp-servers"] = update.NTP ~= nil, ["domain-name-servers"] = dns.nameServers ~= nil,
    ["domain-name"] = dns.search ~= nil,
    ["host-name"] = update.System ~= nil and update.System.hostname ~= nil,
  })
end }

M[3] = { "System", function(device, system)
  if system.mgmtDhcp then calls.modify(device, SETTINGS, { mgmtDhcp = system.mgmtDhcp }) end
end }

M[4] = { "ManagementIp", function(device, list)
  each(list, function(name, object)
    local place = calls.place("/tm/sys/management-ip", name)
    local there = calls.get(device, place)
    if not there then
      -- a device has one address of each family for management
      local family = name:find(":", 1, true) and ":" or "."
      for _, one in ipairs(calls.call(device, "GET", "/tm/sys/management-ip").items) do
        if one.name:find(family, 1, true) then
          calls.call(device, "DELETE", calls.place("/tm/sys/management-ip", one.name))
        end
      end
    end
    calls.put(device, "/tm/sys/management-ip", { name = name, description = object.description })
  end)
end }

M[5] = { "ManagementRoute", function(device, list, _, there)
  local path = "/tm/sys/management-route"
  local now = there.ManagementRoute or {}
  -- a route for the same network under another name, or a route whose network changes
  for old, route in pairs(now) do
    local same = list[old] and list[old].network == route.network
    local renamed = false
    for name, object in pairs(list) do
      renamed = renamed or name ~= old and object.network == route.network
    end
    if list[old] and not same or renamed and not list[old] then
      calls.call(device, "DELETE", calls.place(path, old, "Common"))
    end
  end
  each(list, function(name, route)
    calls.put(device, path, {
      name = name, description = route.description, gateway = route.gateway,
      network = route.network, mtu = route.mtu, type = route.type,
    }, "Common")
  end)
end }

M[6] = { "DNS", function(device, dns)
  calls.call(device, "PUT", "/tm/sys/dns", {
    nameServers = dns.nameServers, search = dns.search or json.array {},
  })
end }

M[7] = { "NTP", function(device, ntp)
  calls.call(device, "PUT", "/tm/sys/ntp", { servers = ntp.servers, timezone = ntp.timezone })
end }

-- -- System --

local function set_hostname(device, hostname)
  local own = calls.own_device(device)
  if own.name ~= hostname then
    calls.call(device, "POST", "/tm/cm/device", {
      command = "mv", name = own.name, target = hostname,
    })
  end
  calls.modify(device, SETTINGS, { hostname = hostname })
end

local function some(source, names)
  local body = {}
  for _, name in ipairs(names) do body[name] = source[name] end
  return body
end

local function write_system(device, system)
  if system.hostname then set_hostname(device, system.hostname) end
  local cli = { audit = system.audit }
  if system.idleTimeout then
    local minutes = system.idleTimeout // 60
    cli.idleTimeout = minutes == 0 and "disabled" or ("%d"):format(minutes)
  end
  calls.modify(device, "/tm/cli/global-settings", cli)
  calls.modify(device, "/tm/sys/software/update", some(system, { "autoPhonehome", "autoCheck" }))
  if system.mcpAuditLog then
    calls.modify(device, "/tm/sys/db/config.auditing", { value = system.mcpAuditLog })
  end
  calls.modify(device, SETTINGS, some(system, {
    "consoleInactivityTimeout", "guiAudit", "guiSecurityBanner", "guiSecurityBannerText",
    "usernamePrompt", "passwordPrompt",
  }))
end

M[8] = { "System", write_system }

-- -- the licence --

M[9] = { "License", function(device, license, _, _, job)
  if license.licenseType ~= "regKey" then
    table.insert(job.warnings, "License: pools of licenses are only accepted, because the "
      .. "simulated device knows no BIG-IQ; its license stays")
    return
  end
  local now = calls.try(device, "GET", "/tm/shared/licensing/registration") or {}
  local same = now.registrationKey == license.regKey
    and tables.same(now.addOnKeys or {}, license.addOnKeys or {})
  if same or not license.regKey and not license.addOnKeys then return end
  calls.call(device, "POST", "/tm/sys/license", {
    command = "install", registrationKey = license.regKey, addOnKeys = license.addOnKeys,
  })
end }

-- -- SNMP and logs --

M[10] = { "SnmpAgent", function(device, agent)
  calls.modify(device, "/tm/sys/snmp", some(agent, {
    "sysContact", "sysLocation", "allowedAddresses", "snmpv1", "snmpv2c",
  }))
end }

M[11] = { "SnmpTrapEvents", function(device, events)
  calls.modify(device, "/tm/sys/snmp", some(events, { "agentTrap", "authTrap", "bigipTraps" }))
end }

-- The level of security follows from the passwords.
local function with_level(object)
  local copy = tables.copy(object)
  copy.securityLevel = copy.privacyPassword and "auth-privacy"
    or copy.authPassword and "auth-no-privacy" or "no-auth-no-privacy"
  copy.authPassword, copy.privacyPassword =
    copy.authPassword or "none", copy.privacyPassword or "none"
  return copy
end

M[12] = { "SnmpUser", function(device, list)
  each(list, function(_, user) calls.put(device, "/tm/sys/snmp/users", with_level(user)) end)
end }

M[13] = { "SnmpCommunity", function(device, list)
  each(list, function(_, one) calls.put(device, "/tm/sys/snmp/communities", one) end)
end }

M[14] = { "SnmpTrapDestination", function(device, list)
  each(list, function(_, object)
    local body = with_level(object)
    local network = body.network
    body.network = (network == "mgmt" or network == "management") and "mgmt" or "other"
    calls.put(device, "/tm/sys/snmp/traps", body)
  end)
end }

M[15] = { "SyslogRemoteServer", function(device, list)
  local servers = json.array {}
  each(list, function(name, server)
    local copy = tables.copy(server)
    copy.name = copy.name or name
    servers[#servers + 1] = copy
  end)
  if #servers == 0 then return end
  local now = calls.call(device, "GET", "/tm/sys/syslog").remoteServers or {}
  local known = {}
  for _, one in ipairs(now) do known[one.name:match "[^/]+$"] = one end
  local same = #now == #servers
  for _, server in ipairs(servers) do
    local there = known[server.name]
    same = same and there ~= nil and there.host == server.host
      and tostring(there.remotePort) == tostring(server.remotePort)
      and (there.localIp == server.localIp or there.localIp == "none" and not server.localIp)
  end
  if not same then calls.call(device, "PATCH", "/tm/sys/syslog", { remoteServers = servers }) end
end }

M[16] = { "TrafficControl", function(device, control)
  calls.modify(device, "/tm/ltm/global-settings/traffic-control", control)
end }

-- -- services --

local function all_words(list)
  if type(list) ~= "table" then return list end
  local copy = json.array {}
  for i, word in ipairs(list) do copy[i] = word == "all" and "All" or word end
  return copy
end

M[17] = { "HTTPD", function(device, httpd)
  local ciphers = httpd.sslCiphersuite
  calls.modify(device, "/tm/sys/httpd", {
    allow = all_words(httpd.allow), authPamIdleTimeout = httpd.authPamIdleTimeout,
    maxClients = httpd.maxClients, sslProtocol = httpd.sslProtocol,
    sslCiphersuite = type(ciphers) == "table" and table.concat(ciphers, ":") or ciphers or "",
  })
end }

local INCLUDE <const> = {
  { "ciphers", "Ciphers" }, { "kexAlgorithms", "KexAlgorithms" },
  { "loginGraceTime", "LoginGraceTime" }, { "MACS", "MACs" }, { "maxAuthTries", "MaxAuthTries" },
  { "maxStartups", "MaxStartups" }, { "protocol", "Protocol" },
}

M[18] = { "SSHD", function(device, sshd)
  local lines = {}
  for _, rule in ipairs(INCLUDE) do
    local value = sshd[rule[1]]
    if type(value) == "table" then value = table.concat(value, ",") end
    if value ~= nil and value ~= "none" then
      lines[#lines + 1] = ("%s %s\n"):format(rule[2], value)
    end
  end
  local banner = sshd.bannerText ~= "none" and sshd.bannerText or nil
  calls.modify(device, "/tm/sys/sshd", {
    allow = all_words(sshd.allow), banner = banner and "enabled" or "disabled",
    bannerText = banner or "none", include = table.concat(lines),
    inactivityTimeout = sshd.inactivityTimeout,
  })
end }

return M
