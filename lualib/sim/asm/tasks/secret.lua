-- Tasks for data protection: the keys of cookie encryption, which devices share, and certificates.
local digest = require "sim.digest"
local entity = require "sim.asm.entity"
local files = require "sim.asm.tasks.files"
local tree = require "sim.asm.tree"

local M = { run = {}, check = {} }

local refuse <const> = entity.refuse
local MARK <const> = "asm data protection 1\n"
local MINUTE <const> = 60 * 1000000

-- -- data protection --

M.check["export-data-protection"] = function(_, object)
  if not object.inline and (object.filename or "") == "" then
    refuse("Failed Required Fields: Must have at least 1(one) of (filename, inline)")
  end
end

M.run["export-data-protection"] = function(device, object)
  local text = digest.base64(MARK .. device.state.asm.cookie_seed)
  if object.inline then return { message = "", file = text } end
  files.write(device, object.filename, text)
  return { message = "", filename = object.filename, fileSize = #text }
end

M.run["import-data-protection"] = function(device, object)
  local text = digest.unbase64(files.input(device, object))
  if not text or text:sub(1, #MARK) ~= MARK then
    refuse("The file holds no data protection keys.")
  end
  device.state.asm.cookie_seed = text:sub(#MARK + 1)
  local now = device:now()
  local settings = tree.top(device):child("data-protection")
  local data = settings.record.data
  data.isShared, data.lastImportDatetime = true, entity.iso(now)
  data.acceptingUntilDatetime = entity.iso(now + object.graceAcceptingIntervalInMinutes * MINUTE)
  data.signingFromDatetime = entity.iso(now + object.graceSigningIntervalInMinutes * MINUTE)
  return { message = "", DataProtectionReference = { link = settings:link() } }
end

-- -- certificates --

-- The DER element at `at`: its tag, and the start and end of its contents.
local function element(der, at)
  local tag, first = der:byte(at, at + 1)
  if not first then refuse("The certificate is not valid.") end
  local length, start = first, at + 2
  if first >= 128 then
    length = 0
    for _ = 1, first - 128 do
      length = length * 256 + (der:byte(start) or refuse("The certificate is not valid."))
      start = start + 1
    end
  end
  if start + length - 1 > #der then refuse("The certificate is not valid.") end
  return tag, start, start + length - 1
end

local function time_of(der, at)
  local tag, from, to = element(der, at)
  local text = der:sub(from, to)
  local year, rest = text:match(tag == 0x17 and "^(%d%d)(%d+)Z$" or "^(%d%d%d%d)(%d+)Z$")
  local month, day, hour, minute, second = (rest or ""):match("^(%d%d)(%d%d)(%d%d)(%d%d)(%d%d)$")
  if not second then refuse("The certificate is not valid.") end
  year = tonumber(year)
  if tag == 0x17 then year = year < 50 and 2000 + year or 1900 + year end
  return ("%04d-%s-%sT%s:%s:%sZ"):format(year, month, day, hour, minute, second), to + 1
end

-- Issuer, subject and the end of the validity of the certificate in a PEM text.
local function certificate_of(text)
  local body =
    text:match("%-%-%-%-%-BEGIN CERTIFICATE%-%-%-%-%-(.-)%-%-%-%-%-END CERTIFICATE%-%-%-%-%-")
  local der = body and digest.unbase64(body)
  if not der then refuse("The file holds no certificate in PEM format.") end
  local _, outer = element(der, 1)
  local _, at = element(der, outer)
  local tag, _, last = element(der, at)
  -- version, then the serial number
  if tag == 0xA0 then at = last + 1 _, _, last = element(der, at) end
  at = last + 1
  _, _, last = element(der, at)                                            -- signature algorithm
  local issuer_at = last + 1
  _, _, last = element(der, issuer_at)
  local issuer = der:sub(issuer_at, last)
  local validity_start, validity_end
  _, validity_start, validity_end = element(der, last + 1)
  local _, after_start = time_of(der, validity_start)
  local ends = time_of(der, after_start)
  _, _, last = element(der, validity_end + 1)
  return issuer, der:sub(validity_end + 1, last), ends
end

M.run["import-certificate"] = function(device, object)
  local issuer, subject, ends = certificate_of(files.input(device, object))
  local expired, trusted = ends < entity.iso(device:now()), issuer ~= subject
  if (expired or not trusted) and not object.saveExpiredOrUntrustedCertificate then
    refuse(
      ("The certificate '%s' is %s."):format(
        object.certificateName,
        expired and "expired" or "not trusted"
      )
    )
  end
  local certificates = tree.top(device):child("certificates")
  local made = certificates:insert {
    certificateName = object.certificateName,
    certificateType = object.certificateType,
    expirationDatetime = ends,
    isExpired = expired,
    isTrusted = trusted,
  }
  if not made then
    refuse(
      ("Could not add the certificate '%s'. It already exists."):format(object.certificateName)
    )
  end
  return { certificateReference = { link = made:link() } }
end

return M
