-- What is in the certificates and keys that clients give a device, and which of them belong together.
--
-- A file object whose text was read has `_public`, which is the same in a certificate and in its key. One without it (those of the factory, and
-- what is not PEM) is taken for whatever it is used as.
local json = require "f5.json"
local names = require "sim.names"
local pem = require "sim.pem"
local validate = require "sim.validate"

local M = {}

local PROFILES <const> = { "client-ssl", "server-ssl" }
local FILES <const> = { cert = true, key = true, chain = true }
local ROOT <const> = "/mgmt/tm/"

local function hex(bytes, separator)
  return (bytes:gsub(".", function(byte) return ("%02X%s"):format(byte:byte(), separator) end))
end

-- Puts what a certificate says into its object.
function M.read_certificate(object, text)
  local found <const> = pem.certificate(text)
  object._public = found and hex(found.public, "") or nil
  if not found then return end
  object.subject, object.issuer, object.serialNumber = found.subject, found.issuer, found.serial
  object.certificateKeySize, object.keyType = found.bits, found.type .. "-public"
  object.expirationDate = found.expires
  object.expirationString = os.date("!%b %d %H:%M:%S %Y GMT", found.expires)
  object.fingerprint = "SHA256/" .. hex(found.fingerprint, ":"):sub(1, -2)
  object.isBundle = select(2, text:gsub("%-%-%-%-%-BEGIN CERTIFICATE", "")) > 1 and "true" or "false"
end

function M.read_key(object, text, passphrase)
  local found <const> = pem.key(text, passphrase)
  object._public = found and hex(found.public, "") or nil
  if not found then return end
  object.keySize, object.keyType = found.bits, found.type .. "-private"
end

-- The pair that a client-ssl profile has from its parent where it says nothing; those belong to each other and to nothing else.
local INHERITED <const> = { cert = "/Common/default.crt", key = "/Common/default.key" }

--- Of the factory's certificate and key: nothing is in them, but they are a pair.
function M.mark_inherited(object)
  if object.fullPath == INHERITED.cert or object.fullPath == INHERITED.key then object._public = "the factory's" end
end

local function given(name) return type(name) == "string" and name ~= "none" and name or nil end

-- The pairs of a profile; in what is said beside a chain, one of two may be the parent's.
local function pairs_of(kind, profile)
  local list <const> = {}
  for _, chain in ipairs(type(profile.certKeyChain) == "table" and profile.certKeyChain or {}) do
    if type(chain) == "table" then list[#list + 1] = { cert = given(chain.cert), key = given(chain.key) } end
  end
  local cert <const>, key <const> = given(profile.cert), given(profile.key)
  local parent <const> = kind == "client-ssl" and (cert or key) and INHERITED or {}
  list[#list + 1] = { cert = cert or parent.cert, key = key or parent.key }
  return list
end

-- Refuses a profile that has one without the other, or two that do not belong together. `fresh` takes the place of the object at `path`.
local function check_one(store, kind, profile, path, fresh)
  local function public_of(template, name)
    local place <const> = ROOT .. template .. "/" .. names.segment(name)
    local object <const> = place == path and fresh or store:get(place)
    return object and object._public
  end
  for _, pair in ipairs(pairs_of(kind, profile)) do
    if pair.cert and not pair.key then validate.refuse_mcpd(("01070315:3: profile %s requires a key"):format(profile.fullPath)) end
    if pair.key and not pair.cert then validate.refuse_mcpd(("01070315:3: profile %s requires a certificate"):format(profile.fullPath)) end
    local cert <const> = pair.cert and public_of("sys/file/ssl-cert", pair.cert)
    local key <const> = pair.key and public_of("sys/file/ssl-key", pair.key)
    if cert and key and cert ~= key then
      validate.refuse_mcpd(("01070317:3: profile %s's key (%s) and certificate (%s) do not match"):format(profile.fullPath, pair.key, pair.cert))
    end
  end
end

local function check_all(store, path, fresh)
  for _, kind in ipairs(PROFILES) do
    for _, profile in ipairs(store:list(ROOT .. "ltm/profile/" .. kind)) do check_one(store, kind, profile, path, fresh) end
  end
end

-- Checked at once, or in a transaction when all of its commands have run.
function M.check(store, template, object)
  if not object._public then return end
  local device <const>, path <const> = store.device, ROOT .. template .. "/" .. names.segment(object.fullPath)
  if not device.checks then return check_all(store, path, object) end
  table.insert(device.checks, function() check_all(store) end)
end

-- The same for a profile ("client-ssl", "server-ssl") that is made or changed. Names without a partition are meant in its own.
function M.check_profile(store, kind, profile)
  if type(profile.certKeyChain) == "table" then
    local chains <const> = json.array {}
    for i, chain in ipairs(profile.certKeyChain) do
      if type(chain) == "table" then
        local copy <const> = {}
        for name, value in pairs(chain) do
          local is_name <const> = FILES[name] and given(value)
          copy[name] = is_name and names.absolute(value, profile.partition) or value
        end
        chain = copy
      end
      chains[i] = chain
    end
    profile.certKeyChain = chains
  end
  local device <const> = store.device
  if not device.checks then return check_one(store, kind, profile) end
  table.insert(device.checks, function() check_all(store) end)
end

return M
