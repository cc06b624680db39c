-- create and delete of "asm policy": security policies are not in the store, but in /mgmt/tm/asm.
local body_reader = require "sim.shell.tmsh.body"
local target = require "sim.shell.tmsh.target"

local M = {}

M.TEMPLATE = "asm/policy"

local POLICIES <const> = "/mgmt/tm/asm/policies"
local TEMPLATES <const> = "/mgmt/tm/asm/policy-templates"

-- The item of a collection of ASM with this value of a property.
local function find(session, collection, property, value)
  for _, item in ipairs(target.send(session, "GET", collection).body.items or {}) do
    if item[property] == value then return item end
  end
  return nil
end

local function missing(noun, name)
  target.fail("01020036:3: The requested %s (%s) was not found.", noun, name)
end

-- Properties of tmsh that /mgmt/tm/asm has under the same meaning.
local function body_of(session, full, given)
  local partition, name = full:match "^/([^/]+)/(.+)$"
  local body = { name = name, partition = partition, description = given.description }
  body.applicationLanguage = given.encoding
  body.type = given.policyType
  if given.blockingMode then
    body.enforcementMode = given.blockingMode == "enabled" and "blocking" or "transparent"
  end
  if given.policyTemplate then
    local template = find(session, TEMPLATES, "name", given.policyTemplate)
    if not template then missing("predefined policy", given.policyTemplate) end
    body.templateReference = { link = template.selfLink }
  end
  return body
end

-- What a policy cannot get here; it would be lost in silence.
local LEFT_OUT <const> = { "active", "parentPolicy", "policyBuilder" }

function M.create(session, tokens, at, node)
  local full = target.full(session, node, tokens[at].word)
  local given = body_reader.read(tokens, at + 1, M.TEMPLATE, node, false, session)
  for _, name in ipairs(LEFT_OUT) do
    if given[name] then target.not_simulated(tokens) end
  end
  target.send(session, "POST", POLICIES, body_of(session, full, given))
end

function M.delete(session, names, node)
  for _, name in ipairs(names) do
    local full = target.full(session, node, name)
    local policy = find(session, POLICIES, "fullPath", full)
    if not policy then missing("security policy", full) end
    target.send(session, "DELETE", POLICIES .. "/" .. policy.id)
  end
end

return M
