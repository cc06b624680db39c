-- How tasks name policies: { link = "/mgmt/tm/asm/policies/…", fullPath = … }.
local entity = require "sim.asm.entity"
local tree = require "sim.asm.tree"

local M = {}

--- The policy of a reference. Refuses an unknown one.
function M.policy(device, reference)
  local policy = tree.follow(device, reference)
  if not policy or policy.policy ~= policy then
    entity.refuse(
      ("Could not find the policy '%s'."):format(
        tostring(type(reference) == "table" and reference.link)
      )
    )
  end
  return policy
end

--- A reference to a policy, in the form of tasks.
function M.of(policy)
  return { link = policy:link(), fullPath = policy.record.data.fullPath }
end

return M
