-- Rules and groups of ciphers.
local kinds <const> = {
  ["ltm/cipher/rule"] = { factory = { protected = true, objects = {} } },
  ["ltm/cipher/group"] = {
    facts = {
      lists = {
        allow = "ltm/cipher/rule", exclude = "ltm/cipher/rule", require = "ltm/cipher/rule",
      },
    },
    relations = {
      { property = "allow", to = { "ltm/cipher/rule" } },
      { property = "exclude", to = { "ltm/cipher/rule" } },
      { property = "require", to = { "ltm/cipher/rule" } },
    },
    factory = { protected = true, objects = {} },
  },
}

local CIPHERS <const> = {
  { "f5-aes", "AES-GCM:AES" },
  { "f5-default", "DEFAULT" },
  { "f5-ecc", "ECDHE:ECDHE_ECDSA" },
  {
    "f5-hw_keys",
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-CBC-SHA:"
      .. "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-SHA256:DHE-RSA-AES256-SHA:"
      .. "ECDH-RSA-AES256-GCM-SHA384:ECDH-RSA-AES256-SHA384:ECDH-RSA-AES256-SHA:"
      .. "AES256-GCM-SHA384:AES256-SHA256:AES256-SHA:ECDHE-RSA-DES-CBC3-SHA:"
      .. "DHE-RSA-DES-CBC3-SHA:ECDH-RSA-DES-CBC3-SHA:DES-CBC3-SHA:"
      .. "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-CBC-SHA:"
      .. "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA:"
      .. "ECDH-RSA-AES128-GCM-SHA256:ECDH-RSA-AES128-SHA256:ECDH-RSA-AES128-SHA:"
      .. "AES128-GCM-SHA256:AES128-SHA256:AES128-SHA:RC4-SHA:RC4-MD5:DHE-RSA-DES-CBC-SHA:"
      .. "DHE-RSA-CAMELLIA256-SHA:CAMELLIA256-SHA:DHE-RSA-CAMELLIA128-SHA:!TLSv1:!TLSv1_1:"
      .. "!SSLv3:!DTLSv1",
  },
  { "f5-secure", "ECDHE:RSA:ECDHE_ECDSA:!SSLV3:!RC4:!EXP:!DES:!3DES" },
}

for i, entry in ipairs(CIPHERS) do
  local name, cipher = table.unpack(entry)
  kinds["ltm/cipher/rule"].factory.objects[i] = { name = name, cipher = cipher }
  kinds["ltm/cipher/group"].factory.objects[i] =
    { name = name, allow = { { name = name, partition = "Common" } }, ordering = "default" }
end

return kinds
