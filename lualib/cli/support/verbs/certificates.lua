-- The certificates of a device: when they end, and which profiles use them.

local M = {}

local DAY <const> = 86400
local FIELDS <const> = {
  "fullPath", "subject", "issuer", "expirationDate", "subjectAlternativeName", "serialNumber",
  "fingerprint", "isBundle", "keyType", "certificateKeySize",
}
local KINDS <const> = { "client-ssl", "server-ssl" }
-- Properties of a profile with the name of a certificate.
local USES <const> = { "cert", "chain", "caFile", "clientCertCa", "crlFile", "proxyCaCert" }

local SELECTED <const> = { "fullPath", "certKeyChain", table.unpack(USES) }

local function note(users, name, profile)
  if type(name) ~= "string" or name == "" or name == "none" then return end
  if name:sub(1, 1) ~= "/" then name = "/Common/" .. name end
  local list = users[name]
  if not list then
    list = {}
    users[name] = list
  end
  if list[#list] ~= profile then list[#list + 1] = profile end
end

--- Which profiles use which certificate: full name -> array of full names, sorted.
function M.users(bip)
  local users = {}
  for _, kind in ipairs(KINDS) do
    for profile in bip.ltm.profile[kind]:each { select = SELECTED } do
      for _, property in ipairs(USES) do note(users, profile[property], profile.fullPath) end
      local chain = profile.certKeyChain
      for _, part in ipairs(type(chain) == "table" and chain or {}) do
        note(users, part.cert, profile.fullPath)
        note(users, part.chain, profile.fullPath)
      end
    end
  end
  for _, list in pairs(users) do table.sort(list) end
  return users
end

local function number(value)
  local found = tonumber(value)
  return found and math.tointeger(math.floor(found)) or nil
end

local function row(certificate, used, now)
  local ends = number(certificate.expirationDate)
  return {
    name = certificate.fullPath, subject = certificate.subject, issuer = certificate.issuer,
    expires = ends and os.date("!%Y-%m-%d", ends) or nil, ends = ends,
    days = ends and (ends - now) // DAY or nil, profiles = used,
    names = certificate.subjectAlternativeName, serial = certificate.serialNumber,
    fingerprint = certificate.fingerprint, bundle = certificate.isBundle == "true",
    key_type = certificate.keyType, key_size = number(certificate.certificateKeySize),
  }
end

--- All certificates of a device.
-- @param within integer|nil: seconds; only certificates that end until then
-- @return array of { name, subject, issuer, expires (date), ends (seconds), days (left), profiles
--   (array), names, serial, fingerprint, bundle, key_type, key_size }
function M.list(bip, within)
  local json = require "f5.json"
  local now <const>, rows, users = os.time(), {}, nil
  for certificate in bip.sys.file["ssl-cert"]:each { select = FIELDS } do
    local ends = number(certificate.expirationDate)
    if not within or ends and ends - now <= within then
      users = users or M.users(bip)
      local used = json.array(users[certificate.fullPath] or {})
      rows[#rows + 1] = row(certificate, used, now)
    end
  end
  return rows
end

--- The order of a list: what ends first comes first.
function M.order(a, b)
  local one, other = a.ends or math.huge, b.ends or math.huge
  if one ~= other then return one < other end
  if a.device ~= b.device then return tostring(a.device) < tostring(b.device) end
  return tostring(a.name) < tostring(b.name)
end

return M
