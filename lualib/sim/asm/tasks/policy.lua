-- Tasks on whole policies: import, export, apply.
local json = require "f5.json"
local digest = require "sim.digest"
local document = require "sim.asm.policy.document"
local entity = require "sim.asm.entity"
local files = require "sim.asm.tasks.files"
local policies = require "sim.asm.policy"
local reference = require "sim.asm.tasks.reference"
local tree = require "sim.asm.tree"

local M = { run = {}, check = {} }

local refuse <const> = entity.refuse

-- -- export --

M.check["export-policy"] = function(_, object)
  if not object.inline and (object.filename or "") == "" then
    refuse("Failed Required Fields: Must have at least 1(one) of (filename, inline)")
  end
end

M.run["export-policy"] = function(device, object)
  local policy = reference.policy(device, object.policyReference)
  local format = object.format == "json" and "json" or "xml"
  local exported = document.export(policy, object.minimal)
  if object.exportSuggestions then
    exported.suggestions = json.array {}
    for index, item in ipairs(policy:child("suggestions"):items()) do
      exported.suggestions[index] = item.record.data
    end
  end
  local text = document.encode(exported, format, device.version.version)
  local shown = object.isBase64 and digest.base64(text) or text
  if object.inline then return { file = shown, fileSize = #shown } end
  files.write(device, object.filename, shown)
  return { filename = object.filename, fileSize = #shown }
end

-- -- import --

local SOURCES <const> = { "file", "filename", "policyTemplateReference", "policyHistoryReference" }

local function has(object, name)
  local value = object[name]
  return value ~= nil and value ~= ""
end

M.check["import-policy"] = function(device, object)
  local given = 0
  for _, name in ipairs(SOURCES) do
    if has(object, name) then given = given + 1 end
  end
  if given == 0 then
    refuse(
      "Failed Required Fields: Must have at least 1(one) of (" .. table.concat(SOURCES, ", ") .. ")"
    )
  end
  if object.policyTemplateReference and not tree.follow(device, object.policyTemplateReference) then
    refuse("Could not find the policy template.")
  end
end

local function source_of(device, object)
  if object.policyHistoryReference then
    local revision = tree.follow(device, object.policyHistoryReference)
    if not revision or not revision.record.data._document then
      refuse("Could not find the revision of the policy.")
    end
    return revision.record.data._document, true
  end
  if object.policyTemplateReference then
    local template = tree.follow(device, object.policyTemplateReference)
    return { template = { title = template.record.data.title, name = template.record.data.name } }
  end
  return document.decode(files.input(device, object))
end

-- The name of a new policy if another one has it already: "/Common/web_1".
local function free_name(policy_list, full)
  local count = 1
  while policy_list:find("fullPath", ("%s_%d"):format(full, count)) do count = count + 1 end
  return ("%s_%d"):format(full, count)
end

M.run["import-policy"] = function(device, object, user)
  local source, restores = source_of(device, object)
  local policy_list = tree.top(device):child("policies")
  if object.getPolicyAttributesOnly then
    return {
      policyAttributes = {
        name = source.name,
        fullPath = source.fullPath,
        description = source.description,
        type = source.type,
        applicationLanguage = source.applicationLanguage,
        caseInsensitive = source.caseInsensitive,
        protocolIndependent = source.protocolIndependent,
        enforcementMode = source.enforcementMode,
      },
    }
  end
  local target = {}
  if object.policyReference then
    target.policy = reference.policy(device, object.policyReference)
  else
    target.name, target.fullPath, target.partition = object.name, object.fullPath, object.partition
    local named = has(object, "name") or has(object, "fullPath")
    if not named and not restores then
      target.name, target.fullPath = source.name, source.fullPath
    end
    if not named and restores then
      -- a revision without a target makes a new policy
      target.fullPath = ("%s_revision_%d"):format(source.fullPath, object._serial)
    end
    local existing = policy_list:find("fullPath", policies.split_name(target).fullPath)
    -- an existing policy is replaced if the name comes from the document, or for a revision
    if existing and (restores or not named) then
      target.policy = existing
    elseif existing then
      target.name, target.partition = nil, nil
      target.fullPath = free_name(policy_list, existing.record.data.fullPath)
    end
  end
  local policy = document.import(device, source, target, user)
  return { policyReference = reference.of(policy) }
end

-- -- apply --

M.run["apply-policy"] = function(device, object, user)
  local policy = reference.policy(device, object.policyReference)
  policies.apply(policy, user, document.export(policy))
end

return M
