-- Synchronisation of Application Security Manager: its policies and settings go to the members of
-- the device group with `asmSync`. Tasks and requests stay on their device.
local members = require "sim.cluster.members"
local names = require "sim.config.names"
local validate = require "sim.config.validate"

local M = {}

local GROUPS <const> = "/mgmt/tm/cm/device-group/"
local LOCAL <const> = { tasks = true, events = true }

local function has_asm(device)
  return device.state.asm ~= nil and device:is_provisioned("asm")
end

--- The full name of a group whose ASM changed since the last call; nil if nothing did.
function M.changed_group(device)
  local changes = device.state.asm and device.state.asm.changes or 0
  local seen = device.cluster.asm_seen or 0
  device.cluster.asm_seen = changes
  if changes == seen or not has_asm(device) then return nil end
  for _, group in ipairs(members.groups(device)) do
    if group.asmSync == "enabled" then return group.fullPath end
  end
  return nil
end

--- What a device sends to the members of a group; nil if it sends nothing.
function M.sent(device, group)
  local object = device.store:get(GROUPS .. names.segment(group))
  if not object or object.asmSync ~= "enabled" or not has_asm(device) then return nil end
  local sent = {}
  for name, child in pairs(device.state.asm.tree.children) do
    if not LOCAL[name] then sent[name] = child end
  end
  return next(sent) and sent or nil
end

--- Takes what another device sent.
function M.take(device, sent)
  if type(sent) ~= "table" or not has_asm(device) then return end
  local tree = device.state.asm.tree
  local children = {}
  for name in pairs(LOCAL) do children[name] = tree.children[name] end
  for name, child in pairs(sent) do
    if not LOCAL[name] then children[name] = child end
  end
  tree.children, device.state.asm.filled = children, true
end

--- Refuses a second group with `asmSync` for a device.
function M.check_group(store, path)
  local group = store:get(path)
  if not group or group.asmSync ~= "enabled" then return end
  local own = members.members(store.device, group.fullPath)
  for _, other in ipairs(store:list "/mgmt/tm/cm/device-group") do
    local others = other.asmSync == "enabled" and other.fullPath ~= group.fullPath
      and members.members(store.device, other.fullPath)
    for name in pairs(others or {}) do
      if own[name] then
        validate.refuse_mcpd(
          ("01070734:3: Configuration error: The device (%s) is already a member of the "
            .. "ASM-enabled device group (%s)."):format(name, other.fullPath)
        )
      end
    end
  end
end

--- Notes a change of ASM.
function M.note(device)
  local asm = device.state.asm
  asm.changes = (asm.changes or 0) + 1
end

return M
