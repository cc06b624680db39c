-- Certificates, keys and bundles: files that are uploaded first. A certificate that is on the
-- device already makes no object; whoever names it gets the one of the device.
local references = require "sim.extensions.as3.map.references"
local properties = require "sim.extensions.as3.map.properties"

local M = {}

-- PEM texts get lines of 64 characters.
local function lines(text)
  return (text:gsub("\r\n", "\n"):gsub("[^\n]+", function(line)
    if #line <= 64 then return line end
    return (line:gsub(("."):rep(64), "%0\n"):gsub("\n$", ""))
  end))
end

local function file(at, kind, path, content, props)
  props["source-path"], props.checksum = at:upload(path, lines(content))
  at:add(kind, path, props)
end

-- A property that is a text, or a certificate of the device or of the declaration.
local function part(at, item, key, kind, path, props)
  local value = item[key]
  if value == nil then return end
  if type(value) == "table" and (value.bigip or value.use) then
    local there = value.bigip or value.use
    at:replace(path, there)
    -- the key of a certificate of the device has the same name
    if key == "certificate" and item.privateKey == nil then
      at:replace((path:gsub("%.crt$", ".key")), (there:gsub("%.crt$", ".key")))
    end
    return
  end
  local text = references.text(at, value, ("%s/%s"):format(at.place, key))
  if type(text) ~= "string" then
    references.fail(at.place .. "/" .. key, "this form of a certificate is not simulated")
  end
  file(at, kind, path, text, props)
end

local function validators(at, item)
  local props = at:properties("sys file ssl-cert", item)
  if item.staplerOCSP then
    props["cert-validation-options"] = { "ocsp" }
    props["cert-validators"] = { properties.path_of(item.staplerOCSP) }
  end
  local issuer = item.issuerCertificate
  if issuer then
    local path = properties.path_of(issuer)
    if not issuer.bigip and not path:find "%.crt$" then path = path .. ".crt" end
    props["issuer-cert"] = path
  end
  return props
end

M.Certificate = function(at, item, name)
  local path = at:path(name)
  if item.pkcs12 then references.fail(path .. "/pkcs12", "PKCS 12 is not simulated") end
  part(at, item, "bundle", "sys file ssl-cert", path, at:properties("sys file ssl-cert", {}))
  part(at, item, "certificate", "sys file ssl-cert", path .. ".crt", validators(at, item))
  part(at, item, "chainCA", "sys file ssl-cert", path .. "-bundle.crt",
    at:properties("sys file ssl-cert", {}))
  part(at, item, "privateKey", "sys file ssl-key", path .. ".key", {
    passphrase = references.secret(item.passphrase),
  })
end

M.CA_Bundle = M.Certificate

return M
