-- What kinds of objects a BIG-IP has: the generated facts (sim/catalogue/*.lua) with our
-- corrections (sim/overrides.lua) on top.
--
-- A node is found by its template: the path below /mgmt/tm with `*` for every name, as
-- "ltm/pool/*/members". Node: type ("organizing", "collection", "singleton", "show"), kind (without
-- its ending "state"), noun (in messages),
--   known (the list of properties is complete enough to refuse others), flat (objects are in no partition),
--   subs (name of the reference property -> sub-collection), refs (name of the reference property -> template of its target),
--   exact (the types of its properties are certain),
--   props (name -> { t = type, d = default, c = choices, r = read-only, m = mandatory }), and what sim/overrides.lua adds.
-- A file of the catalogue is read when a path below it is first looked up.
local json = require "f5.json"
local overrides = require "sim.overrides"

local M = {}

local FILES <const> = {
  "api_protection",
  "apiprotection",
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
  "sys",
  "vcmp",
  "wam",
  "wom",
}
local by_module <const> = {}
for _, file in ipairs(FILES) do by_module[file:gsub("_", "-")] = "sim.catalogue." .. file end
by_module["api-protection"] = "sim.catalogue.api_protection"

local nodes <const>, loaded <const>, children <const> = {}, {}, {}

local function merge(node, template, change)
  for key, value in pairs(change) do
    if key == "props" then
      node.props = node.props or {}
      for name, spec in pairs(value) do
        local old <const> = node.props[name]
        if spec == false then
          node.props[name] = nil
        elseif old and not spec.t then
          for field, content in pairs(spec) do
            if content == false then old[field] = nil else old[field] = content end
          end
        elseif spec.t then  -- without a type: only where there is such a property
          node.props[name] = spec
        end
      end
    elseif (key == "subs" or key == "refs") and node[key] then
      for name, target in pairs(value) do node[key][name] = target or nil end
    else
      node[key] = value
    end
  end
  node.template = template
end

local function complete(template, node)
  local last
  local parts <const> = {}
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
  if template:find "^ltm/profile/[^/]+$" then
    node.refs = node.refs or {}
    node.refs.defaultsFromReference = template
  end
  for _, spec in pairs(node.props) do
    -- Profiles and persistence say "none" where other kinds leave a property out.
    if
      spec.d == "none" or template:find "^ltm/profile/[^/]+$"
      or template:find "^ltm/persistence/[^/]+$"
    then
      spec.keeps_none = true
      spec.keeps_empty = spec.t == "a"
    end
    spec.exact = node.exact
    if spec.t == "a" and type(spec.d) == "table" then
      spec.d = json.array(spec.d)
    end
    if type(spec.c) == "string" then
      spec.choices = {}
      for choice in spec.c:gmatch "[^|]+" do spec.choices[choice] = true end
    end
  end
  local above <const> = template:match "^(.*)/[^/*]+$"
  if above and not above:find("/*", -2, true) then
    children[above] = children[above] or {}
    table.insert(children[above], last)
  end
end

local function load(module)
  if loaded[module] then return end
  loaded[module] = true
  local file <const> = by_module[module]
  if not file then return end
  local fresh <const> = {}
  for template, node in pairs(require(file)) do
    nodes[template] = node
    fresh[template] = node
  end
  for template, change in pairs(overrides.nodes) do
    local first <const>, second <const> = template:match "^([^/]+)/?([^/]*)"
    local owner = first .. "-" .. second
    if not by_module[owner] or template == first .. "/" .. second then owner = first end
    if owner == module then
      nodes[template] = nodes[template] or { type = "collection" }
      fresh[template] = nodes[template]
      merge(nodes[template], template, change)
    end
  end
  for template, node in pairs(fresh) do
    for pattern, change in pairs(overrides.patterns) do
      if template:find(pattern) and node.type == (change.only or node.type) then
        merge(node, template, change)
      end
    end
    complete(template, node)
  end
end

local function load_for(template)
  local first <const>, second <const> = template:match "^([^/]+)/?([^/]*)"
  if not loaded[first] then load(first) end
  if first == "ltm" and second ~= "" and by_module[first .. "-" .. second] then
    load(first .. "-" .. second)
  end
end

-- The node of a template, or nil.
function M.find(template)
  local node <const> = nodes[template]
  if node then return node end
  load_for(template)
  return nodes[template]
end

-- The names of what is below an organizing collection (or a module), sorted.
function M.children(template)
  load_for(template)
  local module <const> = template:match "^[^/]+"
  for _, file in ipairs(FILES) do
    local name <const> = file:gsub("_", "-")
    if name:sub(1, #module + 1) == module .. "-" then load(name) end
  end
  local list <const> = children[template] or {}
  table.sort(list)
  return list
end

-- All templates of a module's collections and singletons, sorted: what is asked when a whole device
-- is walked through.
function M.templates(module)
  M.children(module)
  local list <const> = {}
  for template in pairs(nodes) do
    if template == module or template:sub(1, #module + 1) == module .. "/" then
      list[#list + 1] = template
    end
  end
  table.sort(list)
  return list
end

-- The modules there are facts about, sorted.
function M.modules()
  local list <const> = {}
  for _, file in ipairs(FILES) do
    local name <const> = file:gsub("_", "-")
    if not name:find("^ltm%-") then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

return M
