-- Traffic policies: a published one is not changed directly. A run edits a draft, and `publish`
-- makes it the policy; taking it back goes the same way.

local clean = require "f5.state.clean"
local compare = require "f5.state.compare"
local target = require "f5.safe.target"
local tree = require "f5.safe.tree"

local M = {}

local KIND <const> = "ltm/policy"
local COLLECTION <const> = "/mgmt/tm/ltm/policy"

local function path_of(bip, name)
  return COLLECTION .. "/" .. target.segment(bip, COLLECTION, { name = name })
end

--- Completes what a `publish` is about: the policy as it was, and the draft.
function M.capture(bip, about, read)
  local draft = path_of(bip, about.name)
  local full = target.key(draft):match "[^/]*$":gsub("~", "/")
  local published, count = full:gsub("/Drafts/", "/", 1)
  if count == 0 then
    about.what, about.reason = "command", "it is not clear which policy is published"
    return
  end
  about.path, about.kind = path_of(bip, published), KIND
  local raw, why = read(bip, about.path, true)
  about.before, about.reason = raw, why
  local of_draft = read(bip, draft, true)
  if of_draft then about.draft = { path = draft, raw = of_draft } end
end

local IGNORED <const> = {
  status = true, lastModified = true, references = true, fullPath = true, subPath = true,
}

local function without_ignored(body)
  for name in pairs(IGNORED) do body[name] = nil end
  return body
end

--- What a `publish` did: the draft is gone, and the policy is what the draft was.
function M.net(net, step, before)
  local draft = step.draft
  if draft then net:removed(step, draft.raw, draft.path) end
  local rec = net:get(step.object, KIND, before ~= nil, step)
  rec.position, rec.line, rec.side = step.step, step.line, nil
  rec.after = draft and without_ignored(tree.properties(KIND, draft.raw)) or {}
  rec.unknown = step.state ~= "done"
  if not before then return end
  rec.policy, rec.base = true, rec.base or before
  rec.drafts = rec.drafts or {}
  rec.drafts[#rec.drafts + 1] = draft and draft.raw
end

--- Whether two policies do the same; both as read by tree.read.
local function same(a, b)
  local left, right = without_ignored(clean.object(KIND, a)), without_ignored(clean.object(KIND, b))
  return #compare.objects(KIND, left, right) == 0
end

M.same = same

--- What makes one policy of another.
local function changed_body(original, raw)
  local body = without_ignored(tree.creation(original))
  for name, value in pairs(without_ignored(tree.creation(raw))) do
    if body[name] == nil then body[name] = tree.nothing_for(value) end
  end
  return body
end

-- A published policy that the run replaced.
function M.set_right(self, rec, raw)
  local original = self:original(rec, rec.base)
  if same(original, raw) then return end
  local mine = self.force
  for _, draft in ipairs(rec.drafts or {}) do mine = mine or same(draft, raw) end
  if not mine then return self:leave(rec, "somebody else has changed it since") end
  self:add {
    op = "policy", path = rec.path, kind = KIND, position = rec.position, line = rec.line,
    body = changed_body(original, raw), note = "by way of a draft",
  }
end

--- A policy that the run deleted.
function M.bring_back(self, rec)
  local original = self:original(rec, rec.base)
  local body = without_ignored(tree.creation(original))
  if original.status == "legacy" then body.legacy = true end
  self:add {
    op = original.status == "published" and "policy" or "create", path = rec.path, kind = KIND,
    position = rec.position, line = rec.line, body = body, new = true,
    note = original.status == "published" and "by way of a draft" or nil,
  }
end

--- Carries out an operation: makes a draft, and publishes it.
function M.run(bip, op)
  local full = target.key(op.path):match "[^/]*$":gsub("~", "/")
  local folder, name = full:match "^(.*)/([^/]*)$"
  local drafted = folder .. "/Drafts/" .. name
  local draft = bip:at(path_of(bip, drafted))
  local body = {}
  for key, value in pairs(op.body) do body[key] = value end
  body.name, body.partition, body.subPath = nil, nil, nil
  if op.new then
    draft:create(body)
  else
    bip:at(op.path):modify { createDraft = "yes" }
    local ok, err = pcall(draft.modify, draft, body)
    if not ok then
      pcall(draft.delete, draft)
      error(err, 0)
    end
  end
  bip.ltm.policy:run("publish", { name = drafted })
end

return M
