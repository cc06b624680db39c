-- Traffic policies: published ones, drafts, and their strategies.
local clock = require "sim.clock"
local identity = require "sim.config.identity"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, flag <const> = property.text, property.flag
local ROOT <const> = "/mgmt/tm/"

local function is_draft(object)
  return object.subPath ~= nil and object.subPath:find "%f[^/\0]Drafts$" ~= nil
end

-- The folder of drafts is in every folder, and nobody makes it.
local function make_folder_of_drafts(store, object, ctx)
  local folder = "/" .. object.partition .. "/" .. object.subPath
  local parent = folder:match "^(.*)/Drafts$"
  if store:get(ROOT .. "sys/folder/" .. names.segment(folder)) then return end
  if not store:get(ROOT .. "sys/folder/" .. names.segment(parent)) then return end
  store:create(ROOT .. "sys/folder", { name = folder }, { factory = ctx.factory, seed = true })
end

-- A published policy is made and changed by way of a draft.
local function refuse_direct_change(object)
  local folder = object.subPath and object.subPath .. "/Drafts" or "Drafts"
  validate.refuse_mcpd(
    ("01071abb:3: Cannot create/modify published policy '%s' directly, try specifying a draft "
      .. "folder like '%s'."):format(
      object.fullPath,
      names.full(object.partition, folder, object.name)
    )
  )
end

local function refuse_second_draft(store, object)
  local folder = object.subPath:gsub("/?Drafts$", "")
  local published = names.full(object.partition, folder ~= "" and folder or nil, object.name)
  if store:get(ROOT .. "ltm/policy/" .. names.segment(published)) then
    validate.refuse_mcpd(
      ('01070734:3: Configuration error: Published policy "%s" exists, use create-draft to create '
        .. "a draft copy ."):format(published)
    )
  end
end

-- A policy is published or a draft. A new one below /Common/Drafts is a draft.
local policy <const> = {
  in_use = function(object, user)
    return user.template == "ltm/virtual/*/policies"
      and ("01070635:3: The policy (%s) is referenced by one or more virtuals."):format(
        object.fullPath
      ) or nil
  end,
  identify = function(node, body, _, store)
    local object = identity.identify(node, body)
    if object.fullPath and is_draft(object) then make_folder_of_drafts(store, object, {}) end
    if object.name then validate.name(node, object.name) end
    return object
  end,
  prepare = function(store, object, properties, old, ctx)
    local free <const> = ctx.seed or ctx.factory
    if not old then
      object.status = is_draft(object) and "draft"
        or ((object.legacy or properties.status == "legacy") and "legacy" or "published")
      if not free and object.status == "published" then refuse_direct_change(object) end
      if not free and object.status == "draft" then refuse_second_draft(store, object) end
    elseif properties.createDraft and properties.createDraft ~= validate.NONE then
      ctx.draft_of = old
    elseif not free and old.status == "published" then
      refuse_direct_change(old)
    end
    object.legacy, object.createDraft = nil, nil
    object.lastModified = clock.utc(ctx.now or 0)
    local strategy = properties.strategy -- the device's own are in Common
    if type(strategy) == "string" then object.strategy = names.absolute(strategy) end
  end,
  changed = function(store, path, object, _, ctx)
    if not ctx.draft_of then return end
    -- A draft is a copy below Drafts, with all rules.
    ctx.draft_of = nil
    local draft = {}
    for key, value in pairs(object) do draft[key] = value end
    draft.subPath = object.subPath and object.subPath .. "/Drafts" or "Drafts"
    draft.fullPath = names.full(object.partition, draft.subPath, object.name)
    draft.status, draft.generation = "draft", store:next_generation()
    store:copy_tree(path, ROOT .. "ltm/policy/" .. names.segment(draft.fullPath), draft)
  end,
}

return {
  ["ltm/policy"] = {
    facts = {
      noun = "Policy", known = true,
      props = {
        status = s(),
        legacy = flag(),
        publish = s(),
        createDraft = s(),
        publishCopy = s(),
        publishedCopy = s(),
        strategy = s("/Common/first-match"),
        controls = { t = "a" },
        requires = { t = "a" },
        lastModified = s(nil, { r = true }),
        description = s(),
        metadata = { t = "a" },
        references = { t = "o" },
      },
      refs = { strategyReference = "ltm/policy-strategy" },
      subs = { rulesReference = "rules" },
    },
    checks = policy,
    options = { ["create-draft"] = { createDraft = "yes" } },
  },
  ["ltm/policy-strategy"] = {
    facts = {
      noun = "policy strategy",
      props = { description = s() },
      subs = { operandsReference = "operands" },
    },
    factory = {
      protected = true,
      objects = { { name = "all-match" }, { name = "best-match" }, { name = "first-match" } },
    },
  },
  ["ltm/policy-strategy/*/operands"] = {
    facts = { type = "collection", flat = true, open = true },
  },
}
