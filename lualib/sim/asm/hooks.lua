-- Rules of single kinds of ASM: checks before a change and consequences after it.
--
-- hooks.of(spec) has these functions, all optional: before_create(context of the collection,
-- object, body), before_change(context, changes, user), before_delete(context),
-- after_change(context, changes), after_delete(context), render(context, body, present),
-- create(context, body, request).
local json = require "f5.json"
local content = require "sim.asm.content"
local entity = require "sim.asm.entity"
local policies = require "sim.asm.policy"
local policy_schema = require "sim.asm.policy.schema"
local schema = require "sim.asm.schema"
local suggestions = require "sim.asm.suggestions"
local tables = require "sim.tables"
local tree = require "sim.asm.tree"
local xml = require "sim.asm.xml"

local M = {}

local refuse <const> = entity.refuse

local by_spec <const> = {}  -- spec -> its functions

local function hooks_of(spec)
  by_spec[spec] = by_spec[spec] or {}
  return by_spec[spec]
end

local function part_of_policy(path)
  for _, spec in ipairs(policy_schema.list) do
    if spec.path == path then return spec end
  end
  error(("unknown part of a policy '%s'"):format(path))
end

local function of_policy(path)
  return hooks_of(part_of_policy(path))
end

local function of_device(path)
  for _, spec in ipairs(schema.root.children) do
    if spec.path == path then return hooks_of(spec) end
  end
  error(("unknown namespace '%s'"):format(path))
end

-- -- the device --

local policy_hooks <const> = hooks_of(schema.policies)
local signature_hooks <const> = hooks_of(schema.signatures)
local sets <const> = hooks_of(schema.signature_sets)

function policy_hooks.create(context, body, request)
  return policies.create(context.device, body, request.user)
end

local FIRST_USER_SIGNATURE <const> = 300000000

local function check_rule(rule)
  if type(rule) ~= "string" or not rule:find("%a+%s*:%s*[^;]+;") then
    refuse(
      "Could not add the Attack Signature. The rule is not valid: every option ends in a semicolon."
    )
  end
end

function signature_hooks.before_create(context, object)
  check_rule(object.rule)
  local asm = context.device.state.asm
  asm.user_signatures = (asm.user_signatures or 0) + 1
  object.signatureId, object.isUserDefined, object.revision =
    FIRST_USER_SIGNATURE + asm.user_signatures, true, 1
end

-- Updates the signatures of all policies after a change of sets or signatures.
local function sync_all(context)
  for _, policy in ipairs(tree.top(context.device):child("policies"):items()) do
    policies.sync_signatures(policy)
  end
end

function signature_hooks.before_change(context, changes)
  if not context.record.data.isUserDefined then
    refuse("Only user-defined attack signatures can be modified.")
  end
  if changes.rule ~= nil then check_rule(changes.rule) end
  context.record.data.revision = context.record.data.revision + 1
end

function signature_hooks.before_delete(context)
  if not context.record.data.isUserDefined then
    refuse("Only user-defined attack signatures can be deleted.")
  end
end
signature_hooks.after_change, signature_hooks.after_delete = sync_all, sync_all

function sets.render(context, body, present)
  local references = json.array {}
  for index, signature in ipairs(content.signatures_of(context.device, context.record.data)) do
    references[index] = { link = signature:link() }
  end
  body.signatureReferences = present(references)
end

function sets.before_delete(context)
  if not context.record.data.isUserDefined then
    refuse("Only user-defined attack signature sets can be deleted.")
  end
  local link = context:link()
  for _, policy in ipairs(tree.top(context.device):child("policies"):items()) do
    for _, assigned in ipairs(policy:child("signature-sets"):items()) do
      if assigned.record.data.signatureSetReference.link == link then
        refuse(("Could not delete the signature set '%s'. The policy '%s' uses it."):format(
          context.record.data.name, policy.record.data.fullPath))
      end
    end
  end
end
sets.after_change = sync_all

of_device("advanced-settings").before_change = function(context, changes)
  local data, value = context.record.data, changes.value
  if value and (value < data.minValue or value > data.maxValue) then
    refuse(
      ("Invalid value %s for '%s'. It must be between %d and %d."):format(
        tostring(value), data.name, data.minValue, data.maxValue
      )
    )
  end
  if value then data.isUserDefined = true end
end

-- Two names of the same settings.
for _, names in ipairs {
  { "signatures-update", "signature-update" },
  { "signature-update", "signatures-update" },
} do
  of_device(names[1]).after_change = function(context, changes)
    entity.merge(
      context.spec,
      tree.top(context.device):child(names[2]).record.data,
      tables.copy(changes)
    )
  end
end

-- -- policies --

function policy_hooks.before_change(context, changes)
  policies.put_on(context.device, context.record.data.fullPath, changes.virtualServers)
end

function policy_hooks.render(context, body)
  if body.virtualServers then
    body.virtualServers = policies.servers(context.device, context.record.data)
  end
end

local assigned_sets <const> = of_policy "signature-sets"
assigned_sets.after_change = function(context) policies.sync_signatures(context.policy) end
assigned_sets.after_delete = assigned_sets.after_change

function assigned_sets.before_create(context, object)
  local set = tree.follow(context.device, object.signatureSetReference)
  if set then object.signatureSetReference.name = set.record.data.name end
end

local suggestion <const> = of_policy "suggestions"

function suggestion.before_change(context, changes, user)
  local status = changes.status
  if status ~= "accept" and status ~= "accept-and-stage" then return end
  local now = context.record.data.status
  if now == "accept" or now == "accept-and-stage" then
    refuse("The suggestion has been accepted already.")
  end
  suggestions.accept(context, status == "accept-and-stage", user)
end

of_policy("session-tracking-statuses").before_create = function(context, object)
  local policy = context.policy
  local label = ("Could not add the Session Awareness Data Point '%s'.  "):format(
    object.value
  )
  if not policy.record.data.active then
    refuse(label .. "Session Awareness Data Point cannot be added to an inactive security policy")
  end
  local tracking = policy:child("session-tracking").record.data
  if not tracking.sessionTrackingConfiguration.enableSessionAwareness then
    refuse(label .. "Session Awareness is disabled in the security policy")
  end
  object.createdDatetime = entity.iso(context.device:now())
end

of_policy("login-pages").before_create = function(_, object)
  local valid = object.accessValidation
  local nested = part_of_policy("login-pages").nested.accessValidation
  for name, value in pairs(valid) do
    if type(nested[name]) ~= type(value) then
      refuse(("Invalid condition '%s' in 'accessValidation'."):format(name))
    end
  end
  local conditions = 0
  for name in pairs(valid) do
    if not name:find "Base64Encoded$" then conditions = conditions + 1 end
  end
  if conditions == 0 then refuse("At least one condition is needed in 'accessValidation'.") end
  for name, default in pairs(nested) do
    if default == false and valid[name] == nil then valid[name] = false end
  end
end

of_policy("brute-force-attack-preventions").before_create = function(context, object)
  local link = object.urlReference.link
  for _, page in ipairs(context.policy:child("login-pages"):items()) do
    if page.record.data.urlReference.link == link then return end
  end
  refuse("Brute force protection needs a login page: the URL is not the URL of one.")
end

local MESSAGES <const> = {
  { "allowTextMessage", "plainTextProfileReference", "plain-text-profiles" },
  { "allowJsonMessage", "jsonProfileReference", "json-profiles" },
}
local PAYLOAD <const> = {
  "allowTextMessage",
  "allowJsonMessage",
  "allowBinaryMessage",
  "plainTextProfileReference",
  "jsonProfileReference",
  "binaryMessageMaxSize",
  "checkBinaryMessageMaxSize",
}

-- Settles the properties of messages: they exist only while the payload is checked. Each kind of
-- message needs its profile.
local function settle_messages(policy, object)
  if not object.checkPayload then
    for _, name in ipairs(PAYLOAD) do object[name] = nil end
    return
  end
  for _, row in ipairs(MESSAGES) do
    if object[row[1]] == nil then object[row[1]] = false end
    if not object[row[1]] then object[row[2]] = nil
    elseif not object[row[2]] then
      local default = policy:child(row[3]):find("name", "Default")
      object[row[2]] = default and { link = default:link(), name = "Default" }
    end
  end
  if object.allowBinaryMessage == nil then object.allowBinaryMessage = false end
end

local websocket <const> = of_policy "websocket-urls"
websocket.before_create = function(context, object) settle_messages(context.policy, object) end
websocket.after_change = function(context) settle_messages(context.policy, context.record.data) end

of_policy("xml-validation-files").before_create = function(_, object)
  local ok, problem = pcall(xml.parse, object.contents)
  if not ok then
    if type(problem) ~= "table" then error(problem, 0) end
    refuse(("Could not add the XML validation file '%s'. %s"):format(object.fileName, problem.xml))
  end
end

of_policy("json-validation-files").before_create = function(_, object)
  local ok, problem = pcall(json.decode, object.contents)
  if not ok then
    refuse(
      ("Could not add the JSON validation file '%s'. %s"):format(object.fileName, tostring(problem))
    )
  end
end

local NONE <const> = {}

-- The functions of a spec.
function M.of(spec)
  return by_spec[spec] or NONE
end

return M
