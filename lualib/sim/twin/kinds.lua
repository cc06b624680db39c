-- What a twin must know about kinds: which kinds refer to which, which kind a name is likely to be
-- of, what only the device knows.
local catalogue = require "sim.config.catalogue"
local kinds = require "sim.kinds"
local relations = require "sim.config.relations"

local M = {}

-- -- names --

local expansions <const> = setmetatable({}, { __mode = "k" })  -- list of templates -> templates
local groups <const> = {}  -- the text of a list of templates -> { [template] = true }
local lists <const> = {}  -- the same text -> the templates, in their order

--- The kinds in a list such as { "ltm/monitor/*", "net/vlan" }, and a text that stands for the
--- list.
function M.expand(templates)
  local known = expansions[templates]
  if known then return known.list, known.id end
  local list = {}
  for _, template in ipairs(templates) do
    if template:sub(-2) == "/*" then
      local above = template:sub(1, -3)
      for _, child in ipairs(catalogue.children(above)) do
        list[#list + 1] = above .. "/" .. child
      end
    else
      list[#list + 1] = template
    end
  end
  local id = table.concat(templates, "|")
  expansions[templates] = { list = list, id = id }
  if not groups[id] then
    groups[id], lists[id] = {}, list
    for _, template in ipairs(list) do groups[id][template] = true end
  end
  return list, id
end

--- The texts of all lists of kinds that a kind is in.
function M.groups_of(template)
  local list = {}
  for id, templates in pairs(groups) do
    if templates[template] then list[#list + 1] = id end
  end
  return list
end

--- The kinds of the list that a text stands for.
function M.group(id) return lists[id] end

local shipped <const> = {}  -- template -> { [name] = true }: the objects that F5 ships

local function shipped_names(template)
  local known = shipped[template]
  if known then return known end
  known = {}
  local factory = kinds.of(template).factory
  local objects = factory and factory.objects
  if type(objects) == "function" then objects = objects() end
  for _, body in ipairs(objects or {}) do
    if type(body.name) == "string" then known[body.name] = true end
  end
  known.protected = factory and factory.protected
  shipped[template] = known
  return known
end

--- Whether an object is one that F5 ships and that cannot be deleted; a guess from its name.
function M.is_factory(template, object)
  local known = shipped_names(template)
  return known.protected == true and object.partition == "Common" and known[object.name] == true
end

-- Kinds that objects usually are of.
local COMMON <const> = {
  ["ltm/monitor/http"] = 3, ["ltm/monitor/https"] = 3, ["ltm/monitor/tcp"] = 3,
  ["ltm/profile/tcp"] = 3, ["ltm/profile/http"] = 3, ["ltm/profile/client-ssl"] = 3,
  ["ltm/profile/fastl4"] = 2, ["ltm/profile/server-ssl"] = 2, ["ltm/profile/one-connect"] = 2,
  ["ltm/monitor/icmp"] = 2, ["ltm/monitor/gateway-icmp"] = 2, ["ltm/profile/udp"] = 2,
  ["ltm/persistence/cookie"] = 2, ["ltm/persistence/source-addr"] = 2, ["net/vlan"] = 2,
}

local function likelihood(template, name)
  if shipped_names(template)[name] then return 100 end
  local last = template:match "[^/]+$"
  local plain, wanted = name:lower():gsub("[-_.]", ""), last:gsub("[-_.]", "")
  local found = plain:find(wanted, 1, true) and 10 + #wanted or 0
  return found + (COMMON[template] or 0)
end

--- Sorts kinds so that the likeliest for a full name comes first.
function M.sort(templates, full)
  local name = full:match "[^/]+$" or full
  local rank = {}
  for i, template in ipairs(templates) do rank[template] = likelihood(template, name) - i / 1000 end
  table.sort(templates, function(a, b) return rank[a] > rank[b] end)
  return templates
end

-- -- who refers to a kind --

local referring  -- template -> list of templates whose objects may refer to it

local function find_referring()
  referring = {}
  for _, module in ipairs(catalogue.modules()) do
    for _, template in ipairs(catalogue.templates(module)) do
      local seen = {}
      for _, relation in ipairs(relations.of(template)) do
        local targets = relation.free and {} or M.expand(relation.to)
        for _, target in ipairs(targets) do
          if not seen[target] then
            seen[target] = true
            referring[target] = referring[target] or {}
            table.insert(referring[target], template)
          end
        end
      end
    end
  end
end

--- The kinds whose objects may refer to objects of this kind.
function M.referring(template)
  if not referring then find_referring() end
  return referring[template] or {}
end

-- -- what only the device knows --

--- A property that is not in the list of a kind, but that the device has.
function M.learn_property(_, node, name)
  node.props[name] = { t = "x", learned = true }
end

-- "tm:ltm:pool:members:membersstate" -> { "ltm", "pool", "members" }, "state"
local function parts_of(kind)
  local parts = {}
  for part in kind:gmatch "[^:]+" do parts[#parts + 1] = part end
  local last = table.remove(parts) or ""
  local ending = last:match "(collectionstate)$" or last:match "(state)$"
  if table.remove(parts, 1) ~= "tm" or not ending or #parts == 0 then return nil end
  return parts, ending
end

-- The template of a path: its segments that are not parts of the kind are names.
local function template_of(segments, parts)
  local list, at, after_name = {}, 1, true
  for i = 3, #segments do
    if segments[i] == parts[at] then
      list[#list + 1] = segments[i]
      at, after_name = at + 1, false
    elseif after_name then
      return nil
    else
      list[#list + 1] = "*"
      after_name = true
    end
  end
  return at > #parts and table.concat(list, "/") or nil
end

local function add(twin, template, node)
  if catalogue.find(template) then return end
  twin:state().learned[template] = node
  local fresh = {}
  for name, value in pairs(node) do fresh[name] = value end
  catalogue.learn(template, fresh)
end

--- Learns a kind that the catalogue does not have from an answer of the device: its path and its
--- body. Returns whether the path is known now.
function M.learn(twin, segments, body)
  local parts, ending = parts_of(type(body.kind) == "string" and body.kind or "")
  local template = parts and template_of(segments, parts)
  if not template then return false end
  local is_object = template:sub(-2) == "/*"
  local own = is_object and template:sub(1, -3) or template
  local sample = is_object and body or type(body.items) == "table" and body.items[1] or nil
  if ending == "collectionstate" and sample and not sample.kind and sample.reference then
    return false  -- it only leads further down
  end
  local above = ""
  for part in own:gmatch "[^/]+" do
    above = above == "" and part or above .. "/" .. part
    if above ~= own and part ~= "*" then
      add(twin, above, { type = "organizing", hidden = true })
    end
  end
  local full = type(sample) == "table" and (sample.fullPath or sample.name)
  add(twin, own, {
    type = (is_object or ending == "collectionstate") and "collection" or "singleton",
    kind = "tm:" .. table.concat(parts, ":") .. ":" .. parts[#parts], open = true, learned = true,
    flat = type(full) == "string" and full:sub(1, 1) ~= "/" or nil,
  })
  return true
end

--- Learns again what a saved state knows.
function M.restore(twin)
  local templates = {}
  for template in pairs(twin:state().learned) do templates[#templates + 1] = template end
  table.sort(templates)
  for _, template in ipairs(templates) do
    if not catalogue.find(template) then
      local fresh = {}
      for name, value in pairs(twin:state().learned[template]) do fresh[name] = value end
      catalogue.learn(template, fresh)
    end
  end
end

return M
