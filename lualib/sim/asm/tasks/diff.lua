-- Differences between two policies, and their merge. Both are computed from the current contents.
--
-- An entity of only one policy is "only-in-first" or "only-in-second". One of both with different
-- values is a "conflict", and its details list the properties. Settings are entities of both.
local json = require "f5.json"
local entity = require "sim.asm.entity"
local odata = require "sim.asm.odata"
local policies = require "sim.asm.policy"
local policy_schema = require "sim.asm.policy.schema"
local reference = require "sim.asm.tasks.reference"
local tables = require "sim.tables"
local tree = require "sim.asm.tree"

local M = { run = {}, check = {} }

local IGNORED <const> = { id = true, lastUpdateMicros = true }
local COMMON <const> = {
  { "applicationLanguage", "the application language" }, { "caseInsensitive", "case sensitivity" },
  { "protocolIndependent", "protocol independence" },
}
-- Properties of the policies themselves that are compared.
local OWN <const> = { "description", "enforcementMode", "enablePassiveMode" }

local function details_of(first, second, names)
  local details = json.array {}
  local fields = {}
  for name in pairs(first) do fields[name] = true end
  for name in pairs(second) do fields[name] = true end
  local sorted = {}
  for name in pairs(fields) do
    if not IGNORED[name] and name:sub(1, 1) ~= "_" and (not names or names[name]) then
      sorted[#sorted + 1] = name
    end
  end
  table.sort(sorted)
  for _, name in ipairs(sorted) do
    if not tables.same(first[name], second[name]) then
      details[#details + 1] = { field = name, firstValue = first[name], secondValue = second[name] }
    end
  end
  return details
end

local function label(context)
  local data = context.record.data
  if context.spec.type == "singleton" then return context.spec.path end
  return data.name
    or data.url or data.description or data.fileName or entity.natural_key(context.spec, data)
end

-- Calls visit(first or nil, second or nil) for every pair of entities with the same path.
local function walk(first, second, specs, visit)
  for _, spec in ipairs(specs) do
    if not policy_schema.not_configuration[spec.path] then
      local a, b =
        first and first:child(spec.path), second and second:child(spec.path)
      if spec.type == "singleton" then
        if a and b then visit(a, b) end
      elseif spec.type == "organizer" then
        walk(a, b, spec.children, visit)
      else
        for _, one in ipairs(a and a:items() or {}) do
          local other = b and b:item(one.id)
          visit(one, other)
          if spec.children then walk(one, other, spec.children, visit) end
        end
        for _, other in ipairs(b and b:items() or {}) do
          if not (a and a:item(other.id)) then
            visit(nil, other)
            if spec.children then walk(nil, other, spec.children, visit) end
          end
        end
      end
    end
  end
end

local function difference(one, other, details)
  local present = one or other
  local first, second = one and one.record.data, other and other.record.data
  return {
    entityKind = present:kind(),
    entityType = present.spec.kind,
    entityName = label(present),
    diffType = not other and "only-in-first" or not one and "only-in-second" or "conflict",
    details = details,
    firstEntityReference = one and { link = one:link() },
    secondEntityReference = other and { link = other:link() },
    firstLastUpdateMicros = first and first.lastUpdateMicros,
    secondLastUpdateMicros = second and second.lastUpdateMicros,
    canMergeFirstToSecond = one ~= nil,
    canMergeSecondToFirst = other ~= nil,
  }
end

--- The differences of two policies (contexts) as a list.
function M.compare(first, second)
  local found = {}
  local function visit(one, other)
    if not one or not other then
      found[#found + 1] = difference(one, other, json.array {})
      return
    end
    -- links inside a policy are compared without the policy
    local details = details_of(
      tree.relative(one.record.data, first:link() .. "/"),
      tree.relative(other.record.data, second:link() .. "/")
    )
    if #details > 0 then found[#found + 1] = difference(one, other, details) end
  end
  local names = {}
  for _, name in ipairs(OWN) do names[name] = true end
  local own = details_of(first.record.data, second.record.data, names)
  if #own > 0 then
    local conflict = difference(first, second, own)
    conflict.entityName = first.record.data.name
    found[1] = conflict
  end
  walk(first, second, policy_schema.list, visit)
  return found
end

-- -- tasks --

local function check_comparable(first, second)
  for _, row in ipairs(COMMON) do
    if first.record.data[row[1]] ~= second.record.data[row[1]] then
      entity.refuse(("The policies cannot be compared: they differ in %s."):format(row[2]))
    end
  end
end

-- Replaces the collection of differences.
local function refresh(diff)
  local device, data = diff.device, diff.record.data
  local collection = diff:child("differences")
  collection.record.items, collection.record.order = {}, json.array {}
  local first, second =
    reference.policy(device, data.firstPolicyReference),
    reference.policy(device, data.secondPolicyReference)
  for index, one in ipairs(M.compare(first, second)) do
    collection:insert(one, tostring(index))
  end
  return collection
end

M.run["policy-diff"] = function(device, object)
  local first, second =
    reference.policy(device, object.firstPolicyReference),
    reference.policy(device, object.secondPolicyReference)
  check_comparable(first, second)
  local diffs = tree.top(device):child("policy-diffs")
  local diff = diffs:insert({
    _serial = object._serial,
    firstPolicyReference = reference.of(first),
    secondPolicyReference = reference.of(second),
    createDatetime = entity.iso(device:now()),
  }, device.hostname)
  local differences = refresh(diff)
  return {
    policyDiffReference = { link = diff:link() },
    differenceReference = { link = differences:link() },
    differenceCount = #differences.record.order,
  }
end

-- Copies the values of an entity to the same entity of the other policy.
local function put(from, from_policy, to_policy, user)
  local prefix = from_policy:link() .. "/"
  local data = tree.relative(from.record.data, prefix)
  local function absolute(value)
    if type(value) ~= "table" then return value end
    for name, member in pairs(value) do
      if name == "link" and type(member) == "string" and not member:find("^/") then
        value[name] = to_policy:link() .. "/" .. member
      else
        absolute(member)
      end
    end
    return value
  end
  absolute(data)
  local rest = from.path:sub(#from_policy.path + 2)
  local context = to_policy
  for segment in rest:gmatch("[^/]+") do
    local following = context.element and context:child(segment)
      or not context.element and context:item(segment)
    if not following then break end
    context = following
  end
  if context.element then
    local id = context.record.data.id
    context.record.data = data
    data.id = id
    if id then data.lastUpdateMicros = entity.micros(context.device:now()) end
    policies.touch(context, "update", nil, user)
  else
    policies.touch(context:insert(data), "add", nil, user)
  end
end

local function wanted(options, one)
  local missing = options.handleMissingEntities
  if one.diffType == "only-in-second" then
    return (
      options.addMissingEntitiesToFirst or missing == "accept-from-second"
      or missing == "accept-from-both"
    ) and "first"
  elseif one.diffType == "only-in-first" then
    return (
      options.addMissingEntitiesToSecond or missing == "accept-from-first"
      or missing == "accept-from-both"
    ) and "second"
  end
  if options.handleCommonEntities == "accept-from-first" then return "second" end
  return options.handleCommonEntities == "accept-from-second" and "first"
end

M.check["policy-merge"] = function(device, object)
  if not tree.follow(device, object.policyDiffReference) then
    entity.refuse("Could not find the policy differences.")
  end
  if object.itemFilter ~= "" then odata.parse_filter(object.itemFilter) end
end

M.run["policy-merge"] = function(device, object, user)
  local diff = tree.follow(device, object.policyDiffReference)
  if not diff then entity.refuse("Could not find the policy differences.") end
  local first = reference.policy(device, diff.record.data.firstPolicyReference)
  local second = reference.policy(device, diff.record.data.secondPolicyReference)
  local fits = object.itemFilter ~= ""
      and odata.predicate(odata.parse_filter(object.itemFilter))
    or function() return true end
  local merged = 0
  for _, item in ipairs(diff:child("differences"):items()) do
    local one = item.record.data
    local target = fits(one) and wanted(object, one)
    if target then
      local from = tree.follow(
        device,
        target == "first" and one.secondEntityReference or one.firstEntityReference
      )
      local from_policy, to_policy =
        target == "first" and second or first, target == "first" and first or second
      if from == nil then
        entity.refuse(("'%s' has been deleted since the comparison."):format(one.entityName))
      elseif from.policy == from then
        for _, detail in ipairs(one.details) do
          to_policy.record.data[detail.field] = from.record.data[detail.field]
        end
        policies.touch(to_policy, "update", nil, user)
      else
        put(from, from_policy, to_policy, user)
      end
      merged = merged + 1
    end
  end
  for _, policy in ipairs { first, second } do policies.sync_signatures(policy) end
  refresh(diff)
  return { mergedCount = merged, policyDiffReference = { link = diff:link() } }
end

return M
