-- Writes users, authentication and the device's own certificate.
local calls = require "sim.extensions.onboarding.calls"
local file_kinds = require "sim.kinds.common.files"
local json = require "f5.json"
local order = require "sim.extensions.order"
local users = require "sim.auth.users"

local M = {}

local NAME <const> = "system-auth"
local DOWNLOADS <const> = "/var/config/rest/downloads/"

-- Writes a file of the device, if it has another content. `kept`: where the first content stays.
local function write_file(device, path, text, kept)
  local now = device.disk.read(path)
  if now == text then return false end
  if kept and kept[path] == nil then kept[path] = now or false end
  device.disk.write(path, text)
  return true
end

local function keys_of(device, path, user)
  if not user.keys then return end
  write_file(device, path .. "/.ssh/authorized_keys", table.concat(user.keys, "\n") .. "\n")
end

local function write_root(device, user)
  local now = device.state.root_password
  if not users.matches(now, user.newPassword) then
    calls.call(device, "POST", "/shared/authn/root", {
      oldPassword = user.oldPassword, newPassword = user.newPassword,
    })
  end
  keys_of(device, "/root", user)
end

local function write_user(device, name, user, job)
  local body = { name = name, shell = user.shell }
  local object = users.object(device, name)
  local has_password = object and user.password
    and users.matches(object.encryptedPassword, user.password)
  if not has_password then body.password = user.password end
  if body.password and object then table.insert(job.new_passwords, name) end
  if user.partitionAccess then
    local list = json.array {}
    for _, partition in ipairs(order.keys(user.partitionAccess)) do
      list[#list + 1] = { name = partition, role = user.partitionAccess[partition].role }
    end
    body.partitionAccess = list
  end
  if not object then
    calls.call(device, "POST", "/tm/auth/user", body)
  else
    local same = true
    for i, entry in ipairs(body.partitionAccess or {}) do
      local there = (object.partitionAccess or {})[i]
      same = same and there ~= nil and there.name == entry.name and there.role == entry.role
    end
    if same then body.partitionAccess = nil end
    body.name = nil
    if next(body) then calls.modify(device, "/tm/auth/user/" .. name, body) end
  end
  -- whoever gets a password from somebody else has to change it
  local is_foreign = user.password and not has_password and name ~= "admin"
  if is_foreign and user.forceInitialPasswordChange then users.expire(device, name) end
  keys_of(device, "/home/" .. name, user)
end

M[1] = { "User", function(device, list, _, _, job)
  for _, name in ipairs(order.keys(list)) do
    local user = list[name]
    if name == "root" then
      write_root(device, user)
    else
      write_user(device, name, user, job)
    end
  end
end }

-- -- authentication --

M[2] = { "RemoteAuthRole", function(device, list)
  for _, name in ipairs(order.keys(list)) do
    local role = list[name]
    calls.put(device, "/tm/auth/remote-role/role-info", {
      name = name, attribute = role.attribute, console = role.console, lineOrder = role.lineOrder,
      deny = role.deny == "enabled" and "enabled" or "disabled", role = role.role,
      userPartition = role.userPartition,
    })
  end
end }

local function copy_of(source, more)
  local body = {}
  for key, value in pairs(source) do
    if type(value) ~= "table" or json.is_array(value) then body[key] = value end
  end
  for key, value in pairs(more) do body[key] = value end
  return body
end

local function write_radius(device, radius)
  local servers = radius and radius.servers
  if not servers or not servers.primary then return end
  local names = json.array {}
  for i, which in ipairs { "primary", "secondary" } do
    if servers[which] then
      local name = "system_auth_name" .. i
      local body = copy_of(servers[which], { name = name })
      calls.put(device, "/tm/auth/radius-server", body, "Common")
      names[#names + 1] = "/Common/" .. name
    end
  end
  calls.put(device, "/tm/auth/radius", {
    name = NAME, serviceType = radius.serviceType, servers = names,
  }, "Common")
  if not servers.secondary then
    local place = "/tm/auth/radius-server/~Common~system_auth_name2"
    if calls.get(device, place) then calls.call(device, "DELETE", place) end
  end
end

-- Certificates and keys for LDAP: name -> text.
local function write_files(device, files)
  for _, name in ipairs(order.keys(files)) do
    local kind = name:find "%.key$" and "ssl-key" or "ssl-cert"
    local place = ("/tm/sys/file/%s/~Common~%s"):format(kind, name)
    local there = calls.get(device, place)
    if not there or there.checksum ~= file_kinds.checksum(files[name]) then
      device.disk.write(DOWNLOADS .. name, files[name])
      local body = { sourcePath = "file:" .. DOWNLOADS .. name }
      if there then
        calls.call(device, "PATCH", place, body)
      else
        body.name, body.partition = name, "Common"
        calls.call(device, "POST", "/tm/sys/file/" .. kind, body)
      end
      device.disk.remove(DOWNLOADS .. name)
    end
  end
end

local function write_ldap(device, ldap)
  if not ldap or not ldap.servers then return end
  local ciphers = ldap.sslCiphers
  local body = copy_of(ldap, { name = NAME })
  body.sslCiphers = type(ciphers) == "table" and table.concat(ciphers, ":") or ciphers
  for _, name in ipairs { "sslCaCertFile", "sslClientCert", "sslClientKey" } do
    local value = body[name]
    if value and value ~= "none" and value:sub(1, 1) ~= "/" then
      body[name] = "/Common/" .. value
    end
  end
  calls.put(device, "/tm/auth/ldap", body, "Common")
end

-- What is removed with each way of authentication, in this order.
local REMOVED <const> = {
  radius = {
    "radius/~Common~" .. NAME, "radius-server/~Common~system_auth_name1",
    "radius-server/~Common~system_auth_name2",
  },
  tacacs = { "tacacs/~Common~" .. NAME }, ldap = { "ldap/~Common~" .. NAME },
}

local function remove_ways(device, auth)
  for way, paths in pairs(REMOVED) do
    for _, path in ipairs(auth[way] == "none" and paths or {}) do
      if calls.get(device, "/tm/auth/" .. path) then
        calls.call(device, "DELETE", "/tm/auth/" .. path)
      end
    end
  end
end

local function given(auth, way) return type(auth[way]) == "table" and auth[way] or nil end

M[3] = { "Authentication", function(device, auth)
  write_radius(device, given(auth, "radius"))
  if given(auth, "tacacs") and auth.tacacs.servers then
    calls.put(device, "/tm/auth/tacacs", copy_of(auth.tacacs, { name = NAME }), "Common")
  end
  write_ldap(device, given(auth, "ldap"))
  local kind = auth.enabledSourceType
  calls.modify(device, "/tm/auth/source", {
    type = kind == "activeDirectory" and "active-directory" or kind, fallback = auth.fallback,
  })
  remove_ways(device, auth)
  local defaults = auth.remoteUsersDefaults
  if defaults then
    calls.modify(device, "/tm/auth/remote-user", {
      defaultPartition = defaults.defaultPartition, defaultRole = defaults.defaultRole,
      remoteConsoleAccess = defaults.remoteConsoleAccess,
    })
  end
end }

M[4] = { "PasswordPolicy", function(device, policy)
  calls.modify(device, "/tm/auth/password-policy", policy)
end }

--- Uploads certificates and keys that the authentication needs.
M.write_files = write_files

-- -- the device's certificate --

local CERT <const>, KEY <const> =
  "/config/httpd/conf/ssl.crt/server.crt", "/config/httpd/conf/ssl.key/server.key"
local TRUST <const> = { "/config/big3d/client.crt", "/config/gtm/server.crt" }

-- The files get back what they had before DO wrote them.
local function restore(device, kept)
  local changed = false
  for path, text in pairs(kept) do
    if text then
      changed = write_file(device, path, text) or changed
    else
      changed = device.disk.remove(path) or changed
    end
    kept[path] = nil
  end
  return changed
end

-- The web server reads its certificate at the next boot.
M[5] = { "", function(device, _, update, _, job)
  local certificate, kept = update.DeviceCertificate, job.kept_files
  if not certificate then
    job.reboot = restore(device, kept) or job.reboot
    return
  end
  if certificate.skipDeviceCertificates then return end
  local changed = write_file(device, CERT, certificate.certificate, kept)
  if certificate.privateKey then
    changed = write_file(device, KEY, certificate.privateKey, kept) or changed
  end
  for _, path in ipairs(certificate.updateTrustCerts and TRUST or {}) do
    local now = device.disk.read(path) or ""
    if not now:find(certificate.certificate, 1, true) then
      write_file(device, path, now .. certificate.certificate .. "\n", kept)
    end
  end
  job.reboot = changed or job.reboot
end }

return M
