-- What is in the certificates and keys that clients give a device, and which of them belong together.
--
-- A file object whose text was read has `_public`, which is the same in a certificate and in its key. One without it (those of the factory, and
-- what is not PEM) is taken for whatever it is used as.
local names = require "sim.names"
local pem = require "sim.pem"
local validate = require "sim.validate"

local M = {}

local PROFILES <const> = { "client-ssl", "server-ssl" }
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

-- The pairs of a profile.
local function pairs_of(profile)
  local list <const> = {}
  for _, chain in ipairs(type(profile.certKeyChain) == "table" and profile.certKeyChain or {}) do list[#list + 1] = chain end
  list[#list + 1] = profile
  return list
end

-- Refuses a profile whose certificate and key do not belong together. `fresh` takes the place of the object of its path.
local function check_all(store, path, fresh)
  local function public_of(template, name)
    if type(name) ~= "string" then return nil end
    local place <const> = ROOT .. template .. "/" .. names.segment(name)
    local object <const> = place == path and fresh or store:get(place)
    return object and object._public
  end
  for _, kind in ipairs(PROFILES) do
    for _, profile in ipairs(store:list(ROOT .. "ltm/profile/" .. kind)) do
      for _, pair in ipairs(pairs_of(profile)) do
        local cert <const>, key <const> = public_of("sys/file/ssl-cert", pair.cert), public_of("sys/file/ssl-key", pair.key)
        if cert and key and cert ~= key then
          validate.refuse_mcpd(("01070317:3: profile %s's key (%s) and certificate (%s) do not match"):format(profile.fullPath, pair.key, pair.cert))
        end
      end
    end
  end
end

-- Checked at once, or in a transaction when all of its commands have run.
function M.check(store, template, object)
  if not object._public then return end
  local device <const>, path <const> = store.device, ROOT .. template .. "/" .. names.segment(object.fullPath)
  if not device.checks then return check_all(store, path, object) end
  table.insert(device.checks, function() check_all(store) end)
end

return M
