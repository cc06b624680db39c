-- Files of access policies.
local files = require "sim.kinds.common.files"

local kinds <const> = {}
for _, name in ipairs {
  "aaa/kerberos-keytab-file", "aaa/ping-access-properties-file", "policy/customization-group",
  "policy/image-file",
} do
  kinds["apm/" .. name] = files.kind()
end

return kinds
