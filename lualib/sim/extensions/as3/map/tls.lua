-- TLS profiles: client-ssl for each certificate of a TLS_Server, server-ssl for a TLS_Client.
local references = require "sim.extensions.as3.map.references"
local properties = require "sim.extensions.as3.map.properties"

local M = {}

local INDEFINITE <const> = 4294967295

-- Options of OpenSSL: a property of the declaration, whether it adds the option when it is true,
-- and the option. The order is that of AS3.
local OPTIONS <const> = {
  { "insertEmptyFragmentsEnabled", false, "dont-insert-empty-fragments" },
  { "singleUseDhEnabled", true, "single-dh-use" },
  { "tls1_3Enabled", false, "no-tlsv1.3", since = "14.0" },
  { "tls1_2Enabled", false, "no-tlsv1.2" },
  { "tls1_1Enabled", false, "no-tlsv1.1" },
  { "tls1_0Enabled", false, "no-tlsv1" },
  { "dtlsEnabled", false, "no-dtls" },
  { "dtls1_2Enabled", false, "no-dtlsv1.2" },
  { "sslEnabled", false, "no-ssl" },
  { "ssl3Enabled", false, "no-sslv3" },
}

local function options(at, item)
  item.options = {}
  for _, option in ipairs(OPTIONS) do
    local known = not option.since or properties.at_least(at.context.version, option.since)
    if known and (item[option[1]] == true) == option[2] then
      table.insert(item.options, option[3])
    end
  end
end

local function times(item, names)
  for _, name in ipairs(names) do
    if item[name] == "indefinite" then item[name] = INDEFINITE end
  end
end

local FREQUENCIES <const> = { ["one-time"] = "once", ["every-time"] = "always" }

local function frequency(word)
  return FREQUENCIES[word] or word
end

-- The path in a property that may be a pointer, or a word that stands for it.
local function path_in(at, value, default, place)
  if value == nil or value == "" then return default end
  if type(value) == "string" then return references.resolve(at, value, place) end
  return value.bigip or value.use or default
end

-- One entry of cert-key-chain: the certificate at `path` of the declaration.
local function chain_entry(at, chain, path, usage)
  local declared = references.item(at, path) or {}
  local entry = {
    name = ("set%d"):format(#chain),
    certificate = path .. ".crt",
    key = path .. ".key",
    chain = declared.chainCA and path .. "-bundle.crt" or "none",
    usage = properties.at_least(at.context.version, "14.0") and usage or nil,
    passphrase = references.secret(declared.passphrase),
  }
  if path:match("[^/]*$"):lower():find("rsa", 1, true) then
    chain[#chain + 1] = entry
  else
    table.insert(chain, 1, entry)
  end
end

local function certificates(at, item, list, place)
  local chain = {}
  for i, entry in ipairs(list) do
    for usage, key in pairs { SERVER = "certificate", CA = "proxyCertificate" } do
      local pointer = references.plain(entry[key])
      if pointer then
        local where = ("%s/certificates/%d/%s"):format(place, i - 1, key)
        local path = references.resolve(at, pointer, where)
        if usage == "SERVER" then
          chain_entry(at, chain, path, usage)
        else
          entry.proxy = path
        end
      end
    end
    if entry.proxy then chain_entry(at, chain, entry.proxy, "CA") end
  end
  item.certificates = chain
end

local function common(at, item, place)
  item.remark = item.remark or ""
  item.authenticationFrequency = frequency(item.authenticationFrequency)
  item.authenticationDepth = item.authenticationDepth or 9
  if item.cipherGroup then item.ciphers = "none" end
  item.cipherGroup = item.cipherGroup or "none"
  item.crlFile = path_in(at, item.crlFile, "none", place .. "/crlFile")
  options(at, item)
  times(item, { "renegotiatePeriod", "renegotiateSize", "handshakeTimeout" })
end

-- What the profile for one certificate takes from that entry. `sent` is the TLS_Server without
-- defaults: whether it names a default for SNI decides who becomes the default.
local function one(item, entry, i, sent)
  local list = type(sent) == "table" and sent.certificates or {}
  local chosen = false
  for _, other in ipairs(list) do chosen = chosen or other.sniDefault == true end
  local own = list[i] or {}
  if i == 1 and own.sniDefault == nil then
    item.sniDefault = not chosen
  else
    item.sniDefault = entry.sniDefault
  end
  item.matchToSNI = entry.matchToSNI or "none"
  item.mode = entry.enabled
  if item.requireSNI and not item.sniDefault then item.requireSNI = false end
  if own.authenticationFrequency then
    item.authenticationFrequency = frequency(own.authenticationFrequency)
  end
  if own.authenticationMode then item.authenticationMode = own.authenticationMode end
end

local function hybrid(item, list)
  item["sni-default"], item.sniDefault, item.mode = true, true, false
  for _, entry in ipairs(list) do
    item.matchToSNI = item.matchToSNI or entry.matchToSNI
    item.mode = item.mode or entry.enabled
  end
  item.matchToSNI = item.matchToSNI or "none"
end

local function start_tls(at, item, side)
  if item.ldapStartTLS then
    local kind = side == "clientside" and "ltm profile client-ldap" or "ltm profile server-ldap"
    at:add(kind, at:path(("f5_appsvcs_%s_%s"):format(side, item.ldapStartTLS)),
      at:properties(kind, { activationMode = item.ldapStartTLS }))
  end
  if side == "clientside" and type(item.smtpsStartTLS) == "string" then
    at:add("ltm profile smtps", at:path("f5_appsvcs_smtps_" .. item.smtpsStartTLS),
      at:properties("ltm profile smtps", { activationMode = item.smtpsStartTLS }))
  end
end

M.TLS_Server = function(at, item, name)
  local place, list = at:path(name), item.certificates
  common(at, item, place)
  for _, key in ipairs { "authenticationTrustCA", "authenticationInviteCA" } do
    item[key] = path_in(at, item[key], "", place .. "/" .. key)
  end
  item.c3dOCSP = path_in(at, item.c3dOCSP, "none", place .. "/c3dOCSP")
  item.forwardProxyBypassAllowlist = item.forwardProxyBypassAllowlist or "none"
  times(item, { "renegotiateMaxRecordDelay" })
  local sent = (at.original[at.app] or {})[name]
  for i, entry in ipairs(list) do
    local copy = references.absolute(at, item, place)
    local own = i == 1 and name or ("%s-%d-"):format(name, i - 1)
    if item.namingScheme == "certificate" then
      own = references.plain(entry.certificate):match "[^/]+$"
    end
    if item.hybrid then
      hybrid(copy, list)
    else
      one(copy, entry, i, sent)
    end
    certificates(at, copy, item.hybrid and list or { entry }, place)
    at:add("ltm profile client-ssl", at:path(own), at:properties("ltm profile client-ssl", copy))
    if item.hybrid then break end
  end
  start_tls(at, item, "clientside")
end

-- The certificate and the key that a TLS_Client shows.
local function client_pair(at, item, from, cert, key, place)
  local value = item[from]
  if type(value) == "table" and value.bigip then
    item[cert], item[key] = value.bigip, (value.bigip:gsub("%.crt$", ".key"))
    return
  end
  local pointer = references.plain(value)
  if not pointer then
    item[cert], item[key] = "none", "none"
    item.chain = item.chain or "none"
    return
  end
  local path = references.resolve(at, pointer, place .. "/" .. from)
  local declared = references.item(at, path) or {}
  item.chain = declared.chainCA and path .. "-bundle.crt" or item.chain or "none"
  item[cert], item[key] = path .. ".crt", path .. ".key"
  return references.secret(declared.passphrase)
end

M.TLS_Client = function(at, item, name)
  local place = at:path(name)
  common(at, item, place)
  item.passphrase = client_pair(at, item, "clientCertificate", "clientCertificate", "key", place)
  if item.trustCA == nil or item.trustCA == "generic" then
    item.trustCA = "/Common/ca-bundle.crt"
  else
    item.trustCA = path_in(at, item.trustCA, "/Common/ca-bundle.crt", place .. "/trustCA")
  end
  item.c3dCAPassphrase = client_pair(at, item, "c3dCertificateAuthority", "c3dCACertificate",
    "c3dCAKey", place)
  at:add("ltm profile server-ssl", place, at:properties("ltm profile server-ssl", item))
  start_tls(at, item, "serverside")
end

return M
