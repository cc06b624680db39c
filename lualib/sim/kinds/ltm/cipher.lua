-- Rules and groups of ciphers.
local kinds <const> = {
  ["ltm/cipher/rule"] = { factory = { protected = true, objects = {} } },
  ["ltm/cipher/group"] = { factory = { protected = true, objects = {} } },
}

for i, name in ipairs { "f5-aes", "f5-default", "f5-ecc", "f5-hw_keys", "f5-secure" } do
  kinds["ltm/cipher/rule"].factory.objects[i] =
    { name = name, cipher = name == "f5-default" and "DEFAULT" or name:sub(4):upper() }
  kinds["ltm/cipher/group"].factory.objects[i] =
    { name = name, allow = { { name = name, partition = "Common" } }, ordering = "default" }
end

return kinds
