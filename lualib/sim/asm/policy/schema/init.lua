-- The schema of a security policy: its settings (one resource each) and its collections, with
-- properties and defaults.
--
-- A new entity gets `defaults`. `optional` properties have no default; their value shows the type.
-- `key` lists the properties that must be unique together; the hash id is made from them. `ref` is
-- the name of the link in the policy.
local M = {}

M.list = {}
for _, part in ipairs {
  "entities", "profiles", "settings", "builder", "enforcement", "records",
} do
  for _, spec in ipairs(require("sim.asm.policy.schema." .. part)) do
    M.list[#M.list + 1] = spec
  end
end

-- Made by the device, not by configuration. They are neither exported nor compared.
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
