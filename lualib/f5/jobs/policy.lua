-- bip:policy(name): a traffic policy (ltm/policy) and its draft. A device does not change a
-- published policy: a draft is made of it, changed and published, which consumes the draft. A draft
-- that is left over blocks later changes.

local compare = require "f5.ensure.compare"
local core = require "f5.core"
local plan = require "f5.ensure.plan"
local receiver = require "f5.receiver"
local same = require("f5.safe.policy").same
local tree = require "f5.safe.tree"

local M = {}

local Policy <const> = { __name = "f5.policy" }
Policy.__index = Policy

local FIRST_MATCH <const> = "/Common/first-match"

local function load(ref)
  local ok, object = pcall(ref.load, ref)
  if ok then return object end
  if type(object) == "table" and object.kind == "not_found" then return nil end
  return error(object, 0)
end

local function fail(self, kind, format, ...)
  error(core.error_new {
    kind = kind, device = self.session:label(), path = tostring(self.reference),
    message = format:format(...),
  }, 0)
end

--- session:policy(name): a handle; no traffic.
function M.policy(bip, name, ...)
  if type(name) ~= "string" or name == "" or select("#", ...) > 0 then
    core.usage_error(("policy: expected the name of a policy, got a %s"):format(
      name == "" and "empty string" or type(name)
    ))
  end
  local full = name:sub(1, 1) == "/" and name or "/Common/" .. name
  local folder, last = full:match "^(/.+)/([^/]+)$"
  if not folder then core.usage_error(("policy: this is no full path: %q"):format(name)) end
  if folder:find "/Drafts$" then
    core.usage_error(("policy: give the name of the policy, not that of its draft: %q"):format(
      folder:gsub("/Drafts$", "") .. "/" .. last
    ))
  end
  local collection, drafted = bip.ltm.policy, ("%s/Drafts/%s"):format(folder, last)
  return setmetatable({
    session = bip, name = full, reference = collection[full],
    draft_name = drafted, draft_reference = collection[drafted],
  }, Policy)
end

function Policy:__tostring() return "policy " .. self.name end

-- The published policy. One of before 12.1, or one that was made as such, has no drafts.
local function published(self)
  local object = load(self.reference)
  return object, object ~= nil and object.status == "legacy"
end

-- The properties of a new policy.
local function new_policy(given)
  local out = { strategy = FIRST_MATCH }
  for key, value in next, given or {} do out[key] = value end
  return compare.for_create(out)
end

-- Makes a draft: of the published policy, or a new one with these properties.
local function make_draft(self, object, properties)
  if object then
    self.reference:modify { createDraft = "yes" }
  else
    self.draft_reference:create(properties)
  end
end

local function refuse_legacy(self)
  fail(self, "unsupported", "the policy %s has no drafts (status legacy): change it directly",
    self.name)
end

--- Makes a draft of the policy, unless there is one.
-- @param properties table|nil: of a policy that is new
-- @return reference; "created" or "unchanged"
function Policy:draft(properties)
  if properties ~= nil and type(properties) ~= "table" then
    core.usage_error(("draft: expected a table of properties, got a %s"):format(type(properties)))
  end
  if self.draft_reference:exists() then return self.draft_reference, "unchanged" end
  local object, is_legacy = published(self)
  if is_legacy then refuse_legacy(self) end
  make_draft(self, object, new_policy(properties))
  return self.draft_reference, "created"
end

--- Publishes the draft, which is gone then.
function Policy:publish()
  if not self.draft_reference:exists() then
    fail(self, "not_found", "there is no draft of the policy %s", self.name)
  end
  self.session.ltm.policy:run("publish", { name = self.draft_name })
end

--- Deletes the draft.
-- @return "deleted" or "unchanged"
function Policy:discard() return self.draft_reference:absent() end

-- Whether the draft and the published policy do the same.
local function is_same(self)
  local before = tree.read(self.session, tostring(self.reference), true)
  local after = tree.read(self.session, tostring(self.draft_reference), true)
  return before and after and same(before, after)
end

-- Makes a draft, calls fn(draft), and publishes it. fn may return that nothing differs. Whatever
-- happens, no draft is left.
local function edit(self, object, properties, fn)
  local done = false
  local _ <close> = setmetatable({}, { __close = function()
    if not done then pcall(self.draft_reference.absent, self.draft_reference) end
  end })
  make_draft(self, object, properties)
  if fn(self.draft_reference) then return "discarded" end
  self.session.ltm.policy:run("publish", { name = self.draft_name })
  done = true
  return object and "changed" or "created"
end

local function refuse_second(self)
  if not self.draft_reference:exists() then return end
  fail(
    self, "conflict",
    "there is a draft of the policy %s already: publish or discard it first", self.name
  )
end

--- Changes the policy by way of a draft: calls fn(draft) with its reference, and publishes.
-- @return "created", "changed", or "discarded" if the draft did not differ
function Policy:edit(fn, ...)
  if type(fn) ~= "function" or select("#", ...) > 0 then
    core.usage_error(("edit: expected one function, got a %s"):format(type(fn)))
  end
  local object, is_legacy = published(self)
  if is_legacy then refuse_legacy(self) end
  refuse_second(self)
  return edit(self, object, new_policy(), function(draft)
    fn(draft)
    return object and is_same(self)
  end)
end

--- Brings the policy to the wanted state by way of a draft.
-- @return "created", "changed" or "unchanged"
function Policy:ensure(properties, ...)
  if type(properties) ~= "table" or select("#", ...) > 0 then
    core.usage_error "ensure: expected one table of properties"
  end
  local object, is_legacy = published(self)
  if is_legacy then return (self.reference:ensure(properties)) end
  if object then
    local steps = {}
    plan.object(steps, self.reference, object, properties)
    if #steps == 0 then return "unchanged" end
  end
  refuse_second(self)
  return edit(self, object, new_policy(properties), function(draft)
    if object then draft:ensure(properties) end
  end)
end

receiver.guard(Policy, "a policy")

return M
