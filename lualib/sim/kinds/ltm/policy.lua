-- Traffic policies: published ones, drafts, and their strategies.
local clock = require "sim.clock"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag
local ROOT <const> = "/mgmt/tm/"

-- A policy is published or a draft. A new one below /Common/Drafts is a draft.
local policy <const> = {
  prepare = function(_, object, properties, old, ctx)
    if not old then
      object.status = object.subPath and object.subPath:find "Drafts$" and "draft"
        or ((object.legacy or properties.status == "legacy") and "legacy" or "published")
    elseif properties.createDraft and properties.createDraft ~= validate.NONE then
      ctx.draft_of = old
    end
    object.legacy, object.createDraft = nil, nil
    object.lastModified = clock.utc(ctx.now or 0)
    if object.strategy then object.strategy = names.absolute(object.strategy) end
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
    store:copy_tree( path, ROOT .. "ltm/policy/" .. names.segment(draft.fullPath), draft)
  end,
}

return {
  ["ltm/policy"] = {
    facts = {
      noun = "policy", known = true,
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
  },
  ["ltm/policy/*/rules"] = {
    facts = {
      noun = "policy rule",
      flat = true,
      free_names = true,
      props = { ordinal = i(0), description = s() },
    },
  },
  ["ltm/policy/*/rules/*/actions"] = {
    facts = { noun = "policy action", flat = true, open = true },
    relations = {
      { property = "pool", to = { "ltm/pool" } },
      { property = "virtual", to = { "ltm/virtual" } },
    },
  },
  ["ltm/policy/*/rules/*/conditions"] = {
    facts = { noun = "policy condition", flat = true, open = true },
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
