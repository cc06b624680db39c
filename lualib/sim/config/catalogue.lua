-- The kinds of objects of a BIG-IP: the generated facts (sim/catalogue/*.lua), corrected and
-- completed by sim/kinds/.
--
-- A node is found by its template: the path below /mgmt/tm with `*` for every name, as
-- "ltm/pool/*/members". A node has the facts that sim/kinds/init.lua lists, and
--   template    its template
--   name        the last part of the template that is not `*`
--   kind        always given
--   props       name -> property; always given
--   ending      the end of the kind in an answer to a GET of the whole, where it is another
-- A property with a known list of choices has them as a set, `choices`. A file of the catalogue is
-- loaded when a path below it is first looked up.
local json = require "f5.json"
local choices = require "sim.config.choices"
local kinds = require "sim.kinds"

local M = {}

local FILES <const> = {
  "analytics",
  "api_protection",
  "apm",
  "auth",
  "cli",
  "cm",
  "gtm",
  "ilx",
  "ltm",
  "ltm_monitor",
  "ltm_profile",
  "net",
  "pem",
  "security",
  "services",
  "sys",
  "vcmp",
  "wam",
  "wom",
}
local by_module <const> = {}
for _, file in ipairs(FILES) do by_module[file:gsub("_", "-")] = "sim.catalogue." .. file end
by_module["api-protection"] = "sim.catalogue.api_protection"

local nodes <const>, loaded <const>, children <const> = {}, {}, {}
local is_sorted <const> = {}  -- template -> whether everything below it is loaded, and sorted

local function merge(node, template, change)
  for key, value in pairs(change) do
    if key == "props" then
      node.props = node.props or {}
      for name, spec in pairs(value) do
        local old = node.props[name]
        if spec == false then
          node.props[name] = nil
        elseif old and not spec.t then
          for field, content in pairs(spec) do
            if content == false then old[field] = nil else old[field] = content end
          end
        elseif spec.t then  -- without a type only existing properties are corrected
          node.props[name] = spec
        end
      end
    elseif key == "subs" or key == "refs" then
      node[key] = node[key] or {}
      for name, target in pairs(value) do
        node[key][name] = target == "." and template or target or nil
      end
    elseif key ~= "only" then  -- which nodes a pattern is for
      node[key] = value
    end
  end
  node.template = template
end

-- The set of the words in "a|b". Properties with the same choices share it.
local sets <const> = {}

local function choices_of(text)
  local set = sets[text]
  if not set then
    set = {}
    for choice in text:gmatch "[^|]+" do set[choice] = true end
    sets[text] = set
  end
  return set
end

-- What is known about the properties inside of a group of a module whose defaults are unknown.
local anywhere <const> = {}
local function inside_anywhere(module)
  anywhere[module] = anywhere[module] or setmetatable({}, {
    __index = function(_, name)
      local known = choices.anywhere(module, name)
      return known and { choices = known } or nil
    end,
  })
  return anywhere[module]
end

-- What is known about the properties inside of a group with these defaults, at every depth: name ->
-- { choices = } or { number = true } or { inside = }; "" -> for groups that are not known.
-- @param given table|nil: the choices that sim/kinds describes: name -> "a|b", or a table of them
local function inside_of(module, defaults, given)
  local unknown = inside_anywhere(module)
  local inside = setmetatable({ [""] = unknown }, { __index = unknown })
  for name, value in pairs(defaults) do
    if math.type(value) == "integer" then
      inside[name] = { number = true }
    elseif type(value) == "string" then
      local known = choices.of(module, name, value)
      inside[name] = known and { choices = known } or nil
    elseif type(value) == "table" and not json.is_array(value) and #value == 0 then
      inside[name] = { inside = inside_of(module, value, given and given[name]) }
    end
  end
  for name, words in pairs(given or {}) do
    if type(words) == "string" then
      inside[name] = { choices = choices_of(words) }
    elseif not rawget(inside, name) then
      inside[name] = { inside = inside_of(module, {}, words) }
    end
  end
  return inside
end

-- Flags that exclude each other: "vlansDisabled" and "vlansEnabled", "enabled" and "disabled".
local function add_pairs(node)
  local pairs_of = node.pairs or {}
  local known = {}
  for _, pair in ipairs(pairs_of) do known[pair[1]], known[pair[2]] = true, true end
  for name, spec in pairs(node.props) do
    local stem = name:match "^(.+)Enabled$"
    local other = stem and stem .. "Disabled" or name == "enabled" and "disabled"
    local against = other and node.props[other]
    if against and not known[name] and spec.t == "b" and against.t == "b" then
      pairs_of[#pairs_of + 1] = stem and { other, name } or { name, other }
    end
  end
  node.pairs = #pairs_of > 0 and pairs_of or nil
end

-- Works out what else is known about a kind.
local function complete(template, node)
  local last
  local parts = {}
  for part in template:gmatch "[^/]+" do
    if part ~= "*" then
      parts[#parts + 1] = part
      last = part
    end
  end
  node.template = template
  node.name = last
  node.kind = node.kind or ("tm:%s:%s"):format(table.concat(parts, ":"), last)
  node.props = node.props or {}
  local module = parts[1]
  node.unknown = inside_anywhere(module)
  add_pairs(node)
  for name, spec in pairs(node.props) do
    if spec.d == "none" or node.keeps_none then
      spec.keeps_none = true
      spec.keeps_empty = spec.t == "a"
    end
    spec.exact = node.exact
    if spec.t == "a" and type(spec.d) == "table" then
      spec.d = json.array(spec.d)
    end
    if type(spec.c) == "string" then
      spec.choices = choices_of(spec.c)
      spec.keeps_none = spec.keeps_none or spec.choices.none
    elseif spec.t == "s" and not spec.r then
      spec.choices = choices.of(module, name, spec.d)
    elseif spec.t == "o" and not spec.r then
      local defaults = type(spec.d) == "table" and spec.d or {}
      spec.inside = inside_of(module, defaults, spec.c)
    end
  end
end

-- Lists a kind below its module or organizing collection.
local function register(template)
  local above, last = template:match "^(.*)/([^/*]+)$"
  if above and not above:find("/*", -2, true) then
    children[above] = children[above] or {}
    table.insert(children[above], last)
    is_sorted[above] = nil
  end
end

-- The file of the catalogue that a template belongs to: "ltm", "ltm-profile" …
local function owner_of(template)
  local first, second = template:match "^([^/]+)/?([^/]*)"
  local part = first .. "-" .. second
  return by_module[part] and template ~= first .. "/" .. second and part or first
end

local function load(module)
  if loaded[module] then return end
  loaded[module] = true
  local file = by_module[module]
  local fresh = {}
  for template, node in pairs(file and require(file) or {}) do
    nodes[template] = node
    fresh[template] = node
  end
  local described, patterns = kinds.described(module:match "^ltm" or module)
  for template, kind in pairs(described) do
    local change = kind.facts
    if change and owner_of(template) == module then
      nodes[template] = nodes[template] or { type = "collection" }
      fresh[template] = nodes[template]
      merge(nodes[template], template, change)
    end
  end
  for template, node in pairs(fresh) do
    for _, entry in ipairs(patterns) do
      local change = entry[2].facts
      if change and template:find(entry[1]) and node.type == (change.only or node.type) then
        merge(node, template, change)
      end
    end
    register(template)
  end
  for template, values in pairs(require "sim.catalogue.tables.assumed") do
    local props = fresh[template] and fresh[template].props or {}
    for name, value in pairs(values) do
      if props[name] then props[name].d, props[name].assumed = value, true end
    end
  end
end

local function load_for(template)
  local first, second = template:match "^([^/]+)/?([^/]*)"
  if not loaded[first] then load(first) end
  if first == "ltm" and second ~= "" and by_module[first .. "-" .. second] then
    load(first .. "-" .. second)
  end
end

-- The node of a template, or nil.
function M.find(template)
  local node = nodes[template]
  if not node then
    if not template:find "^[^/]" then return nil end
    load_for(template)
    node = nodes[template]
  end
  -- completed at its first use: a device uses few kinds
  if node and not node.unknown then complete(template, node) end
  return node
end

-- Adds a kind that a device has and the facts do not.
function M.learn(template, node)
  load_for(template)
  nodes[template] = node
  register(template)
end

-- Adds the kinds of a state (template -> node) that the facts do not have.
function M.relearn(learned)
  for template, node in pairs(learned or {}) do
    if not M.find(template) then
      local fresh = {}
      for name, value in pairs(node) do fresh[name] = value end
      M.learn(template, fresh)
    end
  end
end

-- The names below an organizing collection or a module, sorted.
function M.children(template)
  if is_sorted[template] then return children[template] or {} end
  load_for(template)
  local module = template:match "^[^/]+"
  for _, file in ipairs(FILES) do
    local name = file:gsub("_", "-")
    if name:sub(1, #module + 1) == module .. "-" then load(name) end
  end
  local list = children[template] or {}
  table.sort(list)
  is_sorted[template] = true
  return list
end

-- The templates of all collections and singletons of a module, sorted.
function M.templates(module)
  M.children(module)
  local list = {}
  for template in pairs(nodes) do
    if template == module or template:sub(1, #module + 1) == module .. "/" then
      list[#list + 1] = template
    end
  end
  table.sort(list)
  return list
end

-- The modules with facts, sorted.
function M.modules()
  local list = {}
  for _, file in ipairs(FILES) do
    local name = file:gsub("_", "-")
    if not name:find("^ltm%-") then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

return M
