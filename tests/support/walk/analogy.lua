-- Defaults by analogy, for kinds of which nobody knows a default: a property has the value that
-- nearly all known kinds give to the property of the same name, type and choices. If they leave it
-- out, so does the rule; without such kinds it says nothing.
--
-- scripts/facts/assume.lua writes what the rule says about these kinds into the catalogue, where it
-- counts as assumed. A spec leaves out each known kind in turn and looks how often the rule is
-- right.
local catalogue = require "sim.config.catalogue"
local json = require "f5.json"
local plain_kinds = require "walk.plain_kinds"

local M = {}

local LEAST <const> = 3  -- kinds that agree
local AGREE <const> = 0.9
local UNSET <const> = "left out"

local function kind_of(node)
  local has_default = false
  for name, spec in pairs(node.props) do
    if spec.d ~= nil and not spec.assumed and name ~= "description" and name ~= "defaultsFrom" then
      has_default = true
    end
  end
  return has_default
end

--- The kinds that can be made or shown: the known ones, and those without a known default. Kinds
--- that are known to have no default are known, too.
function M.kinds()
  local plain, known, bare = {}, {}, {}
  for _, templates in pairs(plain_kinds) do
    for template in templates:gmatch "%S+" do plain[template] = true end
  end
  for _, module in ipairs(catalogue.modules()) do
    for _, template in ipairs(catalogue.templates(module)) do
      local node = catalogue.find(template)
      if (node.type == "collection" or node.type == "singleton") and not node.no_create then
        local list = (plain[template] or kind_of(node)) and known or bare
        list[#list + 1] = template
      end
    end
  end
  return known, bare
end

-- Properties with the same key are compared.
local function key_of(name, spec)
  local words = {}
  for word in pairs(spec.choices or {}) do words[#words + 1] = word end
  table.sort(words)
  return ("%s %s %s"):format(name, spec.t, table.concat(words, "|"))
end

local function text_of(value)
  if value == nil then return UNSET end
  return type(value) == "table" and json.encode(value) or ("%s %s"):format(type(value), value)
end

-- Calls run(template, name, spec) for the properties of kinds.
local function each(templates, run)
  for _, template in ipairs(templates) do
    for name, spec in pairs(catalogue.find(template).props) do
      if name ~= "description" and name ~= "defaultsFrom" then run(template, name, spec) end
    end
  end
end

--- What known kinds say: key -> { total =, counts = { text -> number }, values = { text ->
--- value } }
function M.votes(known)
  local votes = {}
  each(known, function(_, name, spec)
    local key, text = key_of(name, spec), text_of(spec.d)
    local vote = votes[key] or { total = 0, counts = {}, values = {} }
    votes[key] = vote
    vote.total, vote.counts[text] = vote.total + 1, (vote.counts[text] or 0) + 1
    vote.values[text] = spec.d
  end)
  return votes
end

--- What the rule says about a property; nil if it says nothing. `without`: the text of one vote
--- that does not count.
function M.says(votes, name, spec, without)
  local vote = votes[key_of(name, spec)]
  if not vote then return nil end
  local total = vote.total - (without and 1 or 0)
  for text, count in pairs(vote.counts) do
    if text == without then count = count - 1 end
    if count >= LEAST and count >= AGREE * total then return text, vote.values[text] end
  end
  return nil
end

--- How often the rule is right about the properties of known kinds, each left out in turn:
--- { values = { right =, wrong = }, left_out = { right =, wrong = } }
function M.measure()
  local known = M.kinds()
  local votes = M.votes(known)
  local figures = { values = { right = 0, wrong = 0 }, left_out = { right = 0, wrong = 0 } }
  each(known, function(_, name, spec)
    local is = text_of(spec.d)
    local said = M.says(votes, name, spec, is)
    if not said then return end
    local figure = said == UNSET and figures.left_out or figures.values
    local outcome = said == is and "right" or "wrong"
    figure[outcome] = figure[outcome] + 1
  end)
  return figures
end

--- The values that the rule gives to kinds without a known default: template -> { name -> value }
function M.assumed()
  local known, bare = M.kinds()
  local votes, found = M.votes(known), {}
  each(bare, function(template, name, spec)
    local _, value = M.says(votes, name, spec)
    if value == nil then return end
    found[template] = found[template] or {}
    found[template][name] = value
  end)
  return found
end

return M
