-- The profiles of TLS, client-ssl and server-ssl.
local certificates = require "sim.files.certificates"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const> = property.text

-- The name of a certificate or key, or "none", as it is shown.
local function file() return s("none", { keeps_none = true }) end

local RELATIONS <const> = {
  { property = "cert", to = { "sys/file/ssl-cert" } },
  { property = "key", to = { "sys/file/ssl-key" } },
  { property = "chain", to = { "sys/file/ssl-cert" } },
}
local CLIENT_RELATIONS <const> = {
  RELATIONS[1], RELATIONS[2], RELATIONS[3],
  { property = "certKeyChain", to = { "sys/file/ssl-cert" }, fields = { "cert", "chain" } },
  { property = "certKeyChain", to = { "sys/file/ssl-key" }, fields = { "key" } },
}

-- TLS options become one text in braces, whether they came as a text or a list.
local function settle_options(object, given)
  local words = {}
  for _, text in ipairs(type(given) == "table" and given or { tostring(object.tmOptions) }) do
    for word in tostring(text):gmatch "[^%s{}]+" do words[#words + 1] = word end
  end
  object.tmOptions = (#words == 0 or words[1] == "none") and "none"
    or "{ " .. table.concat(words, " ") .. " }"
end

-- Refuses a new profile with a certificate beside its chain that is not the first of the chain.
local function refuse_both(object, properties)
  local chain = type(properties.certKeyChain) == "table" and properties.certKeyChain[1]
  if type(chain) ~= "table" then return end
  for _, name in ipairs { "cert", "key" } do
    local beside, inside = properties[name], chain[name]
    if type(beside) == "string" and beside ~= "none" and type(inside) == "string"
      and names.absolute(beside, object.partition) ~= names.absolute(inside, object.partition)
    then
      validate.refuse_mcpd(
        ("01b4002a:3: Client SSL profile (%s):cert-key-chain and profile cert/key/chain/passphrase "
          .. "options cannot be specified together."):format(object.fullPath)
      )
    end
  end
end

-- Refuses a key that is not one of RSA beside the chain.
local function refuse_other_keys(store, object, properties)
  local name = properties.certKeyChain == nil and properties.key
  if type(name) ~= "string" or name == "none" then return end
  local full = names.absolute(name, object.partition)
  local key = store:get("/mgmt/tm/sys/file/ssl-key/" .. names.segment(full))
  if key and not tostring(key.keyType):find "^rsa" then
    validate.refuse_mcpd(
      ("01b40029:3: Client SSL profile (%s): %s is not RSA key. To add non-RSA cert/key, please "
        .. "use [cert-key-chain add]."):format(object.fullPath, full)
    )
  end
end

local tls <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    if not old and not ctx.seed and target.node.name == "client-ssl" then
      refuse_both(object, properties)
    end
    if not ctx.seed and not ctx.factory and target.node.name == "client-ssl" then
      refuse_other_keys(store, object, properties)
    end
    if target.node.name == "client-ssl" then
      certificates.settle_client(store, object, properties, old)
    end
    if ctx.seed or ctx.factory then return end
    if properties.tmOptions ~= nil then settle_options(object, properties.tmOptions) end
    if properties.cert or properties.key or properties.certKeyChain then
      certificates.check_profile(store, target.node.name, object)
      certificates.check_passphrase(store, object, properties)
    end
  end,
}

local function show_tls(_, _, object, shown, context)
  certificates.show_chain(object, shown, context.version)
end

-- The certificate and key that a device makes for itself.
local OWN_CERT <const>, OWN_KEY <const> = "/Common/default.crt", "/Common/default.key"

local CLIENT_OBJECTS <const> = {
  {
    name = "clientssl",
    cert = OWN_CERT,
    key = OWN_KEY,
    inheritCertkeychain = "false",
    certKeyChain = {
      {
        name = "default", appService = "none", cert = OWN_CERT, chain = "none", key = OWN_KEY,
        usage = "SERVER",
      },
    },
  },
}
for name, body in pairs {
  ["clientssl-insecure-compatible"] = {
    ciphers = "ALL:!DH:!ADH:!EDH:@SPEED", secureRenegotiation = "request",
  },
  ["clientssl-quic"] = {
    cipherGroup = "/Common/f5-quic", ciphers = "none", data_0rtt = "enabled-with-anti-replay",
    renegotiation = "disabled", sessionTicket = "enabled",
    tmOptions = "{ dont-insert-empty-fragments no-ssl no-dtls no-tlsv1.1 no-tlsv1.2 no-tlsv1 }",
  },
  ["clientssl-secure"] = {
    ciphers = "ecdhe:rsa:!sslv3:!rc4:!exp:!des", renegotiation = "disabled",
    tmOptions = "{ no-ssl }",
  },
  ["crypto-server-default-clientssl"] = {
    cacheSize = 0, ciphers = "DHE-RSA-AES256-GCM-SHA384", renegotiatePeriod = "21600",
  },
  ["splitsession-default-clientssl"] = {},
  ["wom-default-clientssl"] = { allowNonSsl = "enabled" },
} do
  body.name, body.defaultsFrom, body.inheritCertkeychain = name, "/Common/clientssl", "true"
  table.insert(CLIENT_OBJECTS, body)
end

local SERVER_OBJECTS <const> = {
  { name = "serverssl" },
  {
    name = "serverssl-secure", defaultsFrom = "/Common/serverssl",
    cipherGroup = "/Common/f5-secure", ciphers = "none", renegotiation = "disabled",
    tmOptions = "{ no-ssl }",
  },
}
for name, body in pairs {
  ["serverssl-insecure-compatible"] = {
    ciphers = "!EXPORT:!DH:RSA+RC4:RSA+AES:RSA+DES:RSA+3DES:ECDHE+AES:ECDHE+3DES:@SPEED",
    secureRenegotiation = "request",
  },
  ["apm-default-serverssl"] = {
    caFile = "/Common/ca-bundle.crt", peerCertMode = "require", secureRenegotiation = "request",
  },
  ["crypto-client-default-serverssl"] = { cacheSize = 0, ciphers = "DHE-RSA-AES256-GCM-SHA384" },
  ["pcoip-default-serverssl"] = { serverName = "pcoip-default-sni" },
  ["shape-api-ssl"] = { secureRenegotiation = "require-strict", serverName = "bf.shpapi.com" },
  ["splitsession-default-serverssl"] = { cert = OWN_CERT, key = OWN_KEY },
  ["wom-default-serverssl"] = { mode = "disabled", cert = OWN_CERT, key = OWN_KEY },
} do
  body.name, body.defaultsFrom = name, "/Common/serverssl"
  table.insert(SERVER_OBJECTS, body)
end
for name, host in pairs {
  ["cloud-service-default-ssl"] = "*.idservice.net",
  ["f5aas-default-ssl"] = "*.f5aas.com",
} do
  table.insert(SERVER_OBJECTS, {
    name = name, defaultsFrom = "/Common/serverssl-secure", authenticate = "always",
    authenticateName = host, caFile = "/Common/ca-bundle.crt", peerCertMode = "require",
  })
end

return {
  ["ltm/profile/client-ssl"] = {
    facts = {
      noun = "ClientSSL Profile", parent = "clientssl",
      refs = {
        caFileReference = "sys/file/ssl-cert",
        chainReference = "sys/file/ssl-cert",
        cipherGroupReference = "ltm/cipher/group",
      },
      props = {
        c3dClientFallbackCert = s("none"),
        cert = file(),
        crl = s("none"),
        data_0rtt = s("disabled"),
        key = file(),
        chain = file(),
        tmOptions = s("{ dont-insert-empty-fragments no-tlsv1.3 no-dtlsv1.2 }"),
        peerCertMode = { c = "ignore|request|require" },
      },
    },
    relations = CLIENT_RELATIONS,
    checks = tls,
    show = show_tls,
    factory = { protected = true, objects = CLIENT_OBJECTS },
  },
  ["ltm/profile/server-ssl"] = {
    facts = {
      noun = "ServerSSL Profile", parent = "serverssl",
      refs = { caFileReference = "sys/file/ssl-cert" },
      props = {
        cert = file(),
        key = file(),
        chain = file(),
        tmOptions = s("{ dont-insert-empty-fragments no-tlsv1.3 no-dtlsv1.2 }"),
      },
    },
    relations = RELATIONS,
    checks = tls,
    show = show_tls,
    factory = { protected = true, objects = SERVER_OBJECTS },
  },
}
