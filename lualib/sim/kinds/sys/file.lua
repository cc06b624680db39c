-- File objects: certificates, keys and other files, and sys/crypto, which shows the same
-- certificates and keys.
local certificates = require "sim.files.certificates"
local digest = require "sim.digest"
local files = require "sim.kinds.common.files"
local names = require "sim.config.names"
local pem = require "sim.pem"
local property = require "sim.kinds.common.property"
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local s <const> = property.text
local ROOT <const> = "/mgmt/tm/"

local file <const> = {
  in_use = files.in_use,
  prepare = function(store, object, properties, old, ctx)
    files.need_source(object, old, ctx)
    files.settle(store, object, properties, old, ctx)
  end,
}

-- "Jan  1 00:00:00 2035 GMT"
local function expiry(at) return os.date("!%b %e %H:%M:%S %Y GMT", at) end

local function settle_certificate(object, ctx)
  object.certificateKeySize = object.certificateKeySize or 2048
  object.keyType = object.keyType or "rsa-public"
  object.isBundle = object.isBundle or "false"
  object.certificateKeyCurveName = object.certificateKeyCurveName or "none"
  object.version = object.version or 3
  object.subject = object.subject
    or "CN=localhost.localdomain,OU=IT,O=MyCompany,L=Seattle,ST=WA,C=US"
  object.issuer = object.issuer or object.subject
  object.expirationDate = object.expirationDate or 2051222400
  object.expirationString = object.expirationString or expiry(object.expirationDate)
  if not ctx.factory and object.isBundle ~= "true" then
    object.serialNumber = object.serialNumber or tostring(object.fullPath:byte(-5) * 7919)
  end
  object.fingerprint = object.fingerprint
    or "SHA256/"
      .. digest
        .sha256(object.fullPath)
        :gsub(".", function(byte) return ("%02X:"):format(byte:byte()) end)
        :sub(1, -2)
end

-- The parts of a subject, as sys/crypto/cert names them.
local SUBJECT <const> = {
  CN = "commonName", C = "country", L = "city", ST = "state", O = "organization", OU = "ou",
  emailAddress = "emailAddress",
}

local function crypto_twin(store, kind, object, replaces)
  local path = ROOT .. "sys/crypto/" .. kind .. "/" .. names.segment(object.fullPath)
  if store:get(path) and not replaces then return end
  local twin =
    { name = object.fullPath, fullPath = object.fullPath, generation = object.generation }
  if kind == "key" then
    twin.keySize, twin.keyType, twin.securityType =
      tostring(object.keySize), "rsa-private", object.securityType
  else
    -- A comma in a value is written as it is, or after a backslash.
    local field
    for part in object.subject:gsub("\\,", "\1"):gmatch "[^,]+" do
      local name, value = part:match "^%s*(%w+)=(.*)$"
      field = name and SUBJECT[name] or not name and field or nil
      if name and field then
        twin[field] = value:gsub("\1", ",")
      elseif field then
        twin[field] = twin[field] .. "," .. part
      end
    end
    twin.fingerprint = object.fingerprint
    twin.apiRawValues = {
      certificateKeySize = tostring(object.certificateKeySize),
      expiration = object.expirationString,
      issuer = object.issuer,
      publicKeyType = "RSA",
    }
  end
  store:put(path, twin)
end

local certificate <const> = {
  in_use = files.in_use,
  prepare = function(store, object, properties, old, ctx)
    if not ctx.automatic then files.need_source(object, old, ctx) end
    files.settle(store, object, properties, old, ctx, certificates.read_certificate)
    settle_certificate(object, ctx)
    if ctx.factory then certificates.mark_inherited(object) end
    certificates.check(store, "sys/file/ssl-cert", object)
  end,
  made = function(store, _, object) crypto_twin(store, "cert", object) end,
  changed = function(store, _, object, old)
    if object.fingerprint ~= old.fingerprint then crypto_twin(store, "cert", object, true) end
  end,
  removed = function(store, _, object)
    store:put(ROOT .. "sys/crypto/cert/" .. names.segment(object.fullPath), nil)
  end,
}

local key <const> = {
  in_use = files.in_use,
  prepare = function(store, object, properties, old, ctx)
    if not ctx.automatic then files.need_source(object, old, ctx) end
    object.mode = ctx.factory and 33188 or 33184
    files.settle(store, object, properties, old, ctx, certificates.read_key)
    object.keySize = object.keySize or 2048
    object.keyType = object.keyType or "rsa-private"
    object.securityType = object.securityType or "normal"
    if ctx.factory then certificates.mark_inherited(object) end
    certificates.check(store, "sys/file/ssl-key", object)
    -- A passphrase that a device has encrypted stays as it is.
    local phrase = properties.passphrase
    if type(phrase) == "string" and not phrase:find "^%$M%$" then
      object.passphrase = "$M$xy$" .. digest.base64(digest.md5(phrase))
    end
  end,
  made = function(store, _, object) crypto_twin(store, "key", object) end,
  removed = function(store, _, object)
    store:put(ROOT .. "sys/crypto/key/" .. names.segment(object.fullPath), nil)
  end,
}

-- The checks of sys/crypto/cert and sys/crypto/key. Their objects are file objects, too.
local function crypto(kind)
  return {
    -- A key without the extension is made with it, and the answer is that it was not found.
    read = kind == "key" and function(_, _, body, ctx, old)
      local name = body.name
      if old or ctx.seed or ctx.automatic or type(name) ~= "string" or name:find "%.key$" then
        return body
      end
      local fresh = {}
      for field, value in pairs(body) do fresh[field] = value end
      fresh.name = name .. ".key"
      ctx.lost = ("01020036:3: The requested key (%s) was not found."):format(names.absolute(name))
      return fresh
    end or nil,
    made = function(store, _, object, ctx)
      local path = ROOT .. "sys/file/ssl-" .. kind .. "/" .. names.segment(object.fullPath)
      if store:get(path) then return end
      local body = { name = object.fullPath }
      store:create(
        ROOT .. "sys/file/ssl-" .. kind,
        body,
        setmetatable({ automatic = true }, { __index = ctx })
      )
    end,
    removed = function(store, _, object)
      store:put(ROOT .. "sys/file/ssl-" .. kind .. "/" .. names.segment(object.fullPath), nil)
    end,
    removing = function(store, _, object)
      local path = ROOT .. "sys/file/ssl-" .. kind .. "/" .. names.segment(object.fullPath)
      local file_object = store:get(path)
      if file_object then references.check_unused(store, path, file_object) end
    end,
    prepare = function(_, object, properties, old)
      for _, name in ipairs {
        "fromLocalFile", "fromUrl", "fromEditor", "consumer", "genCertificate", "lifetime",
      } do
        object[name] = nil
      end
      if kind == "key" then
        object.keySize = tostring(object.keySize or 2048)
        local type_given = object.keyType and validate.text("keyType", object.keyType)
        object.keyType = type_given and type_given:gsub("%-private$", "") .. "-private"
          or "rsa-private"
        object.passphrase = nil
      end
      local _ = properties or old
    end,
  }
end

-- `dataGroupName` makes a data group of the file.
local data_group <const> = {
  prepare = function(store, object, properties, old, ctx)
    files.need_source(object, old, ctx)
    files.settle(store, object, properties, old, ctx)
    if properties.dataGroupName and not old then ctx.data_group = object.dataGroupName end
    object.dataGroupName = nil
  end,
  made = function(store, _, object, ctx)
    local name = ctx.data_group
    ctx.data_group = nil
    if not name or name == validate.NONE then return end
    name = names.absolute(name, object.partition)
    if store:get(ROOT .. "ltm/data-group/external/" .. names.segment(name)) then return end
    store:create(ROOT .. "ltm/data-group/external", {
      name = name, externalFileName = object.fullPath, type = object.type,
    }, ctx)
  end,
}

-- -- certificate signing requests --

local REQUESTS <const> = "/config/ssl/ssl.csr/"
local ENTRIES <const> = {
  { "C", "country" }, { "ST", "state" }, { "L", "city" }, { "O", "organization" }, { "OU", "ou" },
  { "CN", "commonName" }, { "emailAddress", "emailAddress" },
}

-- The text of a key that was installed from a file of the disk; nil if there is none.
local function key_text(store, name)
  local object = type(name) == "string"
    and store:get(ROOT .. "sys/file/ssl-key/" .. names.segment(names.absolute(name)))
  local source = object and object.sourcePath
  return type(source) == "string" and store.device.disk.read((source:gsub("^file:/*", "/"))) or nil
end

local request <const> = {
  -- The file with the request has the name of the object.
  made = function(store, _, object)
    local entries = {}
    for _, entry in ipairs(ENTRIES) do
      local value = object[entry[2]]
      if type(value) == "string" and value ~= "" then
        entries[#entries + 1] = { entry[1], value }
      end
    end
    local alternative = object.subjectAlternativeName
    local text = pem.request(
      entries, type(alternative) == "string" and alternative or nil, key_text(store, object.key)
    )
    if not text then validate.invalid("subjectAlternativeName", alternative) end
    store.device.disk.write(REQUESTS .. object.fullPath:match "[^/]+$", text)
  end,
  removed = function(store, _, object)
    store.device.disk.remove(REQUESTS .. object.fullPath:match "[^/]+$")
  end,
}

-- The certificates of every device. A file with several certificates shows the subject of one and
-- no serial number.
local certs <const> = {
  {
    name = "default", email = "root@localhost.localdomain", size = 1338, serialNumber = "380774144",
    subject = "emailAddress=root@localhost.localdomain,CN=localhost.localdomain,OU=IT,"
      .. "O=MyCompany,L=Seattle,ST=WA,C=US",
  },
  {
    name = "f5-irule", email = "support@f5.com", size = 1728, expirationDate = 1815944413,
    serialNumber = "87:ae:02:f9:18:f9:4a:11",
    fingerprint = "SHA256/AC:08:EA:3F:0E:AC:C8:DD:A2:2A:7D:AA:73:02:86:1E:"
      .. "1F:38:51:4A:80:D3:E6:AE:4E:6B:01:0C:68:FF:18:D2",
    subject = "emailAddress=support@f5.com,CN=support.f5.com,OU=Product Development,"
      .. "O=F5 Networks,L=Seattle,ST=Washington,C=US",
  },
  {
    name = "ca-bundle", isBundle = "true", mode = 33261, size = 4871247,
    expirationDate = 1893455999,
    fingerprint = "SHA256/B5:BD:2C:B7:9C:BD:19:07:29:8D:6B:DF:48:42:E5:16:"
      .. "D8:C7:8F:A6:FC:96:D2:5F:71:AF:81:4E:16:CC:24:5E",
    subject = "CN=Starfield Services Root Certificate Authority,OU=http://certificates"
      .. ".starfieldtech.com/repository/,O=Starfield Technologies, Inc.,L=Scottsdale,"
      .. "ST=Arizona,C=US",
  },
  {
    name = "f5-ca-bundle", size = 2151, expirationDate = 1922896554, serialNumber = "1246989352",
    fingerprint = "SHA256/43:DF:57:74:B0:3E:7F:EF:5F:E4:0D:93:1A:7B:ED:F1:"
      .. "BB:2E:6B:42:73:8C:4E:6D:38:41:10:3D:3A:A7:F3:39",
    subject = "CN=Entrust Root Certification Authority - G2,OU=(c) 2009 Entrust, Inc. - for "
      .. "authorized use only,OU=See www.entrust.net/legal-terms,O=Entrust, Inc.,C=US",
  },
}
for _, body in ipairs(certs) do
  body.issuer = body.subject
  body.expirationString = body.expirationDate and expiry(body.expirationDate)
  body.systemPath = "/config/ssl/ssl.crt/" .. body.name .. ".crt"
  body.name = "/Common/" .. body.name .. ".crt"
end

return {
  ["^sys/file/[^/*]+$"] = {
    facts = { only = "collection", props = files.READ_ONLY },
    checks = file,
  },
  ["sys/file/ssl-cert"] = {
    facts = { noun = "Certificate File" },
    checks = certificate,
    factory = { written = true, objects = certs },
  },
  ["sys/file/ssl-key"] = {
    facts = { noun = "Certificate Key File" },
    checks = key,
    factory = {
      written = true,
      objects = {
        {
          name = "/Common/default.key", systemPath = "/config/ssl/ssl.key/default.key", size = 1704,
        },
      },
    },
  },
  ["sys/file/ifile"] = { facts = { noun = "iFile file object" } },
  ["sys/file/data-group"] = {
    facts = { noun = "Data Group File", props = { dataGroupName = s() } },
    checks = data_group,
  },
  ["sys/file/browser-capabilities-db"] = { facts = files.kind().facts },
  ["sys/file/lwtunneltbl"] = { facts = files.kind().facts },
  ["sys/file/external-monitor"] = {
    facts = { noun = "External Monitor File" },
    factory = {
      written = true,
      objects = {
        {
          name = "/Common/arg_example", systemPath = "/config/monitors/arg_example", size = 3159,
        },
        {
          name = "/Common/sample_monitor", systemPath = "/config/monitors/sample_monitor",
          size = 1984,
        },
        {
          name = "/Common/paap_version_monitor",
          systemPath = "/config/monitors/paap_version_sample", size = 3721,
        },
      },
    },
  },
  ["sys/crypto/cert"] = {
    facts = { noun = "certificate", flat = true, full_names = true, open = true },
    checks = crypto "cert",
  },
  ["sys/crypto/key"] = {
    facts = {
      type = "collection", noun = "key", flat = true, full_names = true, open = true,
      props = { keySize = s(), keyType = s(), securityType = s("normal") },
    },
    checks = crypto "key",
  },
  ["sys/crypto/cert/*/cert-validators"] = { facts = { flat = false } },
  ["sys/crypto/csr"] = {
    facts = { noun = "certificate signing request", flat = true, full_names = true, open = true },
    checks = request,
  },
  ["sys/crypto/master-key"] = { facts = { type = "show" } },
  ["sys/crypto/check-cert"] = { facts = { type = "show" } },
  ["sys/crypto/allow-key-export"] = {
    facts = { type = "singleton", open = true, props = { value = s "enabled" } },
  },
  ["sys/crypto/fips/external-hsm"] = { facts = { type = "singleton", open = true } },
  ["sys/crypto/ca-bundle-manager"] = {
    factory = {
      protected = true,
      objects = { { name = "ca-bundle", trustedCaBundle = "/Common/f5-ca-bundle.crt" } },
    },
  },
}
