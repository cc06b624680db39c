-- Reads certificates and keys that clients install, and finds out which of them belong together.
--
-- A file object whose text could be read has `_public`, which is equal in a certificate and in its
-- key. An object without it (from the factory, or not PEM) fits to everything.
local json = require "f5.json"
local names = require "sim.config.names"
local pem = require "sim.pem"
local secrets = require "sim.kinds.common.secrets"
local validate = require "sim.config.validate"

local M = {}

local PROFILES <const> = { "client-ssl", "server-ssl" }
-- The properties of a profile that name certificates and keys.
local FILES <const> = { cert = true, key = true, chain = true }
local ROOT <const> = "/mgmt/tm/"

local function hex(bytes, separator)
  return (bytes:gsub(".", function(byte) return ("%02X%s"):format(byte:byte(), separator) end))
end

-- Copies the fields of a certificate into its object.
function M.read_certificate(object, text)
  local found = pem.certificate(text)
  object._public = found and hex(found.public, "") or nil
  if not found then return end
  object.subject, object.issuer, object.serialNumber = found.subject, found.issuer, found.serial
  object.certificateKeySize, object.keyType = found.bits, found.type .. "-public"
  object.expirationDate = found.expires
  object.expirationString = os.date("!%b %d %H:%M:%S %Y GMT", found.expires)
  object.fingerprint = "SHA256/" .. hex(found.fingerprint, ":"):sub(1, -2)
  object.isBundle = select(2, text:gsub("%-%-%-%-%-BEGIN CERTIFICATE", "")) > 1 and "true"
    or "false"
end

function M.read_key(object, text, passphrase)
  local found = pem.key(text, passphrase)
  object._locked = not found and text:find("ENCRYPTED", 1, true) ~= nil or nil
  object._public = found and hex(found.public, "") or nil
  if not found then return end
  object.keySize, object.keyType = found.bits, found.type .. "-private"
end

-- The default pair of client-ssl profiles. They belong to each other and to nothing else.
local INHERITED <const> = { cert = "/Common/default.crt", key = "/Common/default.key" }

--- Marks the certificate and key of the factory, which have no text, as a pair.
function M.mark_inherited(object)
  if object.fullPath == INHERITED.cert or object.fullPath == INHERITED.key then
    object._public = "the factory's"
  end
end

local function given(name) return type(name) == "string" and name ~= "none" and name or nil end

-- The pairs of a profile: those of its chain, which every client-ssl profile has, or its own
-- certificate and key.
local function pairs_of(kind, profile)
  if kind ~= "client-ssl" then
    return { { cert = given(profile.cert), key = given(profile.key) } }
  end
  local list = {}
  for _, chain in ipairs(type(profile.certKeyChain) == "table" and profile.certKeyChain or {}) do
    if type(chain) == "table" then
      list[#list + 1] = { cert = given(chain.cert), key = given(chain.key) }
    end
  end
  return list
end

-- Refuses a profile with a certificate but no key, with a key but no certificate, or with two that
-- do not belong together. `fresh` replaces the object at `path`.
local function check_one(store, kind, profile, path, fresh)
  local function public_of(template, name)
    local place = ROOT .. template .. "/" .. names.segment(name)
    local object = place == path and fresh or store:get(place)
    return object and object._public
  end
  for _, pair in ipairs(pairs_of(kind, profile)) do
    if pair.cert and not pair.key then
      validate.refuse_mcpd(("01070315:3: profile %s requires a key"):format(profile.fullPath))
    end
    if pair.key and not pair.cert then
      validate.refuse_mcpd(
        ("01070315:3: profile %s requires a certificate"):format(profile.fullPath)
      )
    end
    local cert = pair.cert and public_of("sys/file/ssl-cert", pair.cert)
    local key = pair.key and public_of("sys/file/ssl-key", pair.key)
    if cert and key and cert ~= key then
      validate.refuse_mcpd(
        ("01070317:3: profile %s's key and certificate do not match"):format(profile.fullPath)
      )
    end
  end
end

local function check_all(store, path, fresh)
  for _, kind in ipairs(PROFILES) do
    for _, profile in ipairs(store:list(ROOT .. "ltm/profile/" .. kind)) do
      check_one(store, kind, profile, path, fresh)
    end
  end
end

-- Checks at once, or in a transaction after all of its commands.
function M.check(store, template, object)
  if not object._public then return end
  local device, path =
    store.device, ROOT .. template .. "/" .. names.segment(object.fullPath)
  if not device.checks then return check_all(store, path, object) end
  table.insert(device.checks, function() check_all(store) end)
end

-- One pair of a chain in the form that a device keeps. Names without a partition are in the
-- partition of the profile.
local function settle_pair(pair, partition)
  local fresh = { appService = "none", chain = "none", usage = "SERVER" }
  for name, value in pairs(pair) do
    local is_name = FILES[name] and given(value)
    if not name:find "Reference$" then
      fresh[name] = is_name and names.absolute(value, partition) or value
    end
  end
  if type(fresh.passphrase) == "string" then
    fresh.passphrase = secrets.encrypted(fresh.passphrase)
  end
  return fresh
end

local function same_files(one, other)
  if type(one) ~= "table" or type(other) ~= "table" or #one ~= #other then return false end
  for i, pair in ipairs(one) do
    if type(pair) ~= "table" or type(other[i]) ~= "table" then return false end
    for name in pairs(FILES) do
      if given(pair[name]) ~= given(other[i][name]) then return false end
    end
  end
  return true
end

local INHERITABLE <const> = { "cert", "key", "chain", "certKeyChain" }

--- Settles the certificate and key of a client-ssl profile after a write, because they are both in
--- its chain and beside it. A new chain counts first, then new properties beside it, then the
--- parent's chain. `inheritCertkeychain` is true for the last.
function M.settle_client(store, profile, properties, old)
  local parent = given(profile.defaultsFrom)
    and store:get(ROOT .. "ltm/profile/client-ssl/" .. names.segment(profile.defaultsFrom))
  local chains = profile.certKeyChain
  if type(chains) == "table" then
    local fresh = json.array {}
    for i, pair in ipairs(chains) do
      if type(pair) ~= "table" or #pair > 0 then validate.invalid("certKeyChain", pair) end
      fresh[i] = settle_pair(pair, profile.partition)
    end
    chains = #fresh > 0 and fresh or nil
  end
  local beside = false
  for _, name in ipairs { "cert", "key", "chain" } do
    beside = beside or properties[name] ~= nil and (not old or profile[name] ~= old[name])
  end
  local new_chain = properties.certKeyChain ~= nil
    and chains ~= nil and not (old and same_files(chains, old.certKeyChain))
  if beside and not new_chain then
    chains = json.array {
      settle_pair(
        { name = "default", cert = profile.cert, key = profile.key, chain = profile.chain },
        profile.partition
      ),
    }
  end
  local inherits
  if not parent then
    inherits = false
  elseif
    not chains
    or properties.inheritCertkeychain == "true" and same_files(chains, parent.certKeyChain)
  then
    inherits = true
  elseif beside or new_chain or properties.inheritCertkeychain == "false" then
    inherits = false
  else
    inherits = not old or old.inheritCertkeychain == "true"
  end
  if inherits then
    for _, name in ipairs(INHERITABLE) do profile[name] = parent[name] end
  else
    local first = chains and chains[1] or {}
    profile.certKeyChain = chains
    for name in pairs(FILES) do profile[name] = given(first[name]) or "none" end
  end
  profile.inheritCertkeychain = inherits and "true" or "false"
  if profile._own then
    local own = { inheritCertkeychain = true }
    for name in pairs(profile._own) do own[name] = true end
    for _, name in ipairs(INHERITABLE) do own[name] = not inherits or nil end
    profile._own = own
  end
end

--- The links in the pairs of a chain, as a response has them.
function M.show_chain(profile, shown, version)
  if type(profile.certKeyChain) ~= "table" then return end
  local list = json.array {}
  for i, pair in ipairs(profile.certKeyChain) do
    local copy = {}
    for name, value in pairs(pair) do copy[name] = value end
    for name in pairs(FILES) do
      local full = given(copy[name])
      local template = name == "key" and "sys/file/ssl-key/" or "sys/file/ssl-cert/"
      if full then
        copy[name .. "Reference"] =
          { link = names.link(ROOT .. template .. names.segment(full), "ver=" .. version) }
      end
    end
    list[i] = copy
  end
  shown.certKeyChain = list
end

--- Refuses an encrypted key without its passphrase, which the profile or the key must have.
function M.check_passphrase(store, profile, properties)
  local function check(name, phrase)
    local path = given(name) and ROOT .. "sys/file/ssl-key/" .. names.segment(name)
    local key = path and store:get(path)
    if not key or not key._locked then return end
    local text = key.sourcePath
      and store.device.disk.read((key.sourcePath:gsub("^file:", ""):gsub("^//+", "/")))
    if given(phrase) and (not text or pem.key(text, phrase)) then return end
    validate.refuse_mcpd(
      ("01070313:3: Error reading key PEM file %s for profile %s: error:0906A068:PEM routines:"
        .. "PEM_do_header:bad password read"):format(name, profile.fullPath)
    )
  end
  -- with a chain, `key` is that of its first pair
  local chain = type(properties.certKeyChain) == "table" and #properties.certKeyChain > 0
  if not chain then check(profile.key, properties.passphrase) end
  for i, pair in ipairs(chain and profile.certKeyChain or {}) do
    check(pair.key, (properties.certKeyChain[i] or {}).passphrase or properties.passphrase)
  end
end

--- Checks a profile ("client-ssl", "server-ssl") that is created or changed.
function M.check_profile(store, kind, profile)
  local device = store.device
  if not device.checks then return check_one(store, kind, profile) end
  table.insert(device.checks, function() check_all(store) end)
end

return M
