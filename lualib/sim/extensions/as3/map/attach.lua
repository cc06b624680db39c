-- Profiles that a service attaches to its virtual servers.
local references = require "sim.extensions.as3.map.references"

local M = {}

--- Adds a profile to the list of a service.
function M.push(item, path, context)
  item.profiles = item.profiles or {}
  table.insert(item.profiles, { name = path, context = context or "all" })
end

-- The client-ssl profiles of a TLS_Server: one for each certificate.
local function server_tls(at, item, path, context)
  local declared = references.item(at, path) or {}
  local folder, name = path:match "^(.*/)([^/]+)$"
  for i, certificate in ipairs(declared.certificates or {}) do
    local own = i == 1 and name or ("%s-%d-"):format(name, i - 1)
    if declared.namingScheme == "certificate" then
      own = references.plain(certificate.certificate):match "[^/]+$"
    end
    if i == 1 or not declared.hybrid then M.push(item, folder .. own, context) end
  end
end

-- STARTTLS needs profiles of its own, which stand next to the TLS profile.
local function start_tls(at, item, key, path, context)
  local declared = references.item(at, path) or {}
  local folder = path:match "^(.*/)"
  if declared.ldapStartTLS and declared.ldapStartTLS ~= "none" then
    M.push(item, ("%sf5_appsvcs_%s_%s"):format(folder, context, declared.ldapStartTLS), context)
  end
  if key == "serverTLS" and type(declared.smtpsStartTLS) == "string" then
    M.push(item, folder .. "f5_appsvcs_smtps_" .. declared.smtpsStartTLS)
  end
end

local function attach(at, item, key, value, context)
  local declared = type(value) == "table" and value.use
  local path
  if type(value) == "string" then
    if key == "serverTLS" or key == "clientTLS" then
      path = references.resolve(at, value, ("%s/%s"):format(at.place, key))
      start_tls(at, item, key, path, context)
      declared = path
    else
      path = value:sub(1, 1) == "/" and value or "/Common/" .. value
    end
  else
    path = value.bigip or value.use
  end
  if not path then return end
  if key == "serverTLS" and declared then return server_tls(at, item, path, context) end
  if key == "policyIAM" or key == "profileAccess" then
    path = path:gsub("^(/[^/]+)/[^/]+(/[^/]+)$", "%1%2")
  end
  M.push(item, path, context)
end

--- Attaches the profile or the profiles that a property of a service names.
function M.one(at, item, key, context)
  local value = item[key]
  if value == nil or value == "" or value == false then return end
  context = context or "all"
  if type(value) == "table" and #value > 0 then
    for _, entry in ipairs(value) do
      attach(at, item, key, entry, context)
    end
  else
    attach(at, item, key, value, context)
  end
end

--- Attaches the profiles of a list of { property, context }.
function M.all(at, item, keys)
  for _, key in ipairs(keys) do M.one(at, item, key[1], key[2]) end
end

return M
