-- What a security policy consists of: its settings (one each) and its collections, with properties
-- and defaults.
--
-- `defaults` are filled in when an entity is made; `optional` properties exist but have no default
-- (the value shows the type); `key` names what must be unique, and what the hash id is made of.
-- `ref` is the name under which the policy links to it.
local M = {}

M.list = {}
for _, part in ipairs {
  "entities", "profiles", "settings", "builder", "enforcement", "records",
} do
  for _, spec in ipairs(require("sim.asm.policy.schema." .. part)) do
    M.list[#M.list + 1] = spec
  end
end

-- Made by the device, not configured: neither exported nor compared.
M.not_configuration = {
  ["vulnerabilities"] = true,
  ["suggestions"] = true,
  ["history-revisions"] = true,
  ["audit-logs"] = true,
  ["action-items"] = true,
  ["disabled-action-items"] = true,
  ["sections"] = true,
  ["session-tracking-statuses"] = true,
}

return M
