-- References between objects (sim/config/relations.lua). An object that another one refers to must
-- exist, and cannot be deleted while it is in use.
local catalogue = require "sim.config.catalogue"
local errors = require "sim.http.errors"
local in_use = require "sim.kinds.common.in_use"
local kinds = require "sim.kinds"
local names = require "sim.config.names"
local relations = require "sim.config.relations"
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"
local NOTHING <const> = {}

-- "/mgmt/tm/ltm/pool/~Common~web/members/~Common~a:80" -> "ltm/pool/*/members", and the path of the
-- collection.
local flat_collections <const> = {}  -- path of a collection that no object owns -> its template
local last_above, last_template  -- the last collection with an owner: many objects of it in a row
local TILDE <const> = ("~"):byte()

function M.template(path)
  local above, name = path:match "^(.*)/([^/]+)$"
  local known = flat_collections[above] or above == last_above and last_template
  if known and (name:byte() == TILDE or not catalogue.find(known .. "/" .. name)) then
    return known, above
  end
  local template
  local resource = false
  local collection, last = nil, ROOT:sub(1, -2)
  for segment in path:sub(#ROOT):gmatch "[^/]+" do
    local child = template and template .. "/" .. segment or segment
    collection = last
    last = last .. "/" .. segment
    if not resource and template and not catalogue.find(child) then
      template, resource = template .. "/*", true
    else
      template, resource = child, false
    end
  end
  if resource then
    local own = template:sub(1, -3)
    if not collection:find("~", 1, true) and not own:find("*", 1, true) then
      flat_collections[collection] = own
    else
      last_above, last_template = collection, own
    end
    return own, collection
  end
  return template, nil
end

local function at(object, property)
  local value = object
  for part in property:gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    value = value[part]
  end
  return value
end

local function add_item(list, item, relation)
  if type(item) == "string" then
    list[#list + 1] = item
  elseif relation.fields then
    if type(item) ~= "table" then validate.invalid(relation.property, item) end
    for _, field in ipairs(relation.fields) do
      if type(item[field]) == "string" then list[#list + 1] = item[field] end
    end
  elseif type(item) == "table" and type(item.name) == "string" then
    list[#list + 1] = item.name:sub(1, 1) == "/" and item.name
      or ("/%s/%s%s"):format(
        item.partition or "Common", item.subPath and item.subPath .. "/" or "", item.name
      )
  end
end

-- The full names for a relation that follows from facts.
local function derived_values(object, relation, value)
  local list = {}
  local function add(text)
    local full = relations.full_name(relation, text, object.partition)
    if relations.is_name(full) then list[#list + 1] = full end
  end
  if type(value) == "string" or math.type(value) == "integer" then add(tostring(value)) end
  for _, item in ipairs(type(value) == "table" and value or {}) do
    if type(item) == "string" then
      add(item)
    elseif type(item) == "table" and type(item.name) == "string" then
      local text = item.name
      if text:sub(1, 1) ~= "/" and item.partition and not relation.flat then
        text = names.full(item.partition, item.subPath, text)
      end
      add(text)
    end
  end
  return list
end

-- Whether an object cannot have names for a relation.
local function lacks(object, relation)
  local property = relation.group or relation.property
  return property and object[property] == nil
end

-- The full names in an object for a relation.
local function values(object, relation, store)
  local property = relation.property
  if not property then
    return relation.names and relation.names(object, store) or { object.fullPath }
  end
  local value = object[property]
  if relation.group then value = at(object, property) end
  if value == nil then return NOTHING end
  if relation.derived then return derived_values(object, relation, value) end
  if relation.names then return type(value) == "string" and relation.names(value) or NOTHING end
  if type(value) == "string" then return { value } end
  local list = {}
  for _, item in ipairs(type(value) == "table" and value or {}) do
    add_item(list, item, relation)
  end
  return list
end

--- The templates in a text such as "net/vlan|net/tunnels/tunnel".
function M.alternatives(text)
  local list = {}
  for template in text:gmatch "[^|]+" do list[#list + 1] = template end
  return list
end

local places <const> = {}  -- template -> the paths of its collections, and the kinds they are from

-- The paths of the collections that a template means.
local function collections_of(template)
  local known = places[template]
  if known and not known.above then return known end
  local above = known and known.above or template:sub(-2) == "/*" and template:sub(1, -3) or nil
  local kinds_below = above and catalogue.children(above)
  if known and known.from == kinds_below and known.count == #kinds_below then return known end
  known = { above = above, from = kinds_below, count = kinds_below and #kinds_below }
  for i, child in ipairs(kinds_below or { template }) do
    known[i] = ROOT .. (above and above .. "/" .. child or template)
  end
  places[template] = known
  return known
end

--- The path of the object with this full name in one of these collections; nil if there is none.
--- "ltm/monitor/*" means all collections directly below.
function M.locate(store, templates, full)
  if store.locate then return store:locate(templates, full) end
  local segment, known = full:gsub("/", "~"), store.collections
  for _, template in ipairs(templates) do
    for _, collection in ipairs(collections_of(template)) do
      local entry = known[collection]
      if entry and entry.set[segment] then return collection .. "/" .. segment end
    end
  end
  return nil
end

-- The paths of the existing objects that the object at `path` refers to; nil if there are none.
-- `template`: of the path, if it is known.
function M.targets(store, path, object, template)
  local found
  local find = store.target_of or M.locate
  for _, relation in ipairs(relations.of(template or M.template(path))) do
    local is_empty = relation.free or lacks(object, relation)
    for _, full in ipairs(is_empty and NOTHING or values(object, relation, store)) do
      local target = find(store, relation.to, full)
      if target then
        found = found or {}
        found[#found + 1] = target
      end
    end
  end
  return found
end

M.noun = in_use.noun

local function partition(full)
  return full:match "^/([^/]+)/"
end

local function refuse_missing(template, relation, full)
  local said = in_use.missing(template, relation, full)
  if said then validate.refuse_mcpd(said) end
  local noun = in_use.referred(relation.to[1])
  error(
    errors.tm(404, ("01020036:3: The requested %s (%s) was not found."):format(noun, full), 3),
    0
  )
end

local function refuse_foreign(template, object, relation, full)
  validate.refuse_mcpd(
    ("01070726:3: %s %s in partition %s cannot reference %s %s in partition %s"):format(
      M.noun(template), object.fullPath, partition(object.fullPath),
      in_use.referred(relation.to[1]), full, partition(full)
    )
  )
end

-- Refuses an object that refers to an object that does not exist or is in a foreign partition.
-- `old` is the object before, or what a new one took over: these references are not checked again.
function M.check(store, path, object, old)
  local template = M.template(path)
  local own = partition(object.fullPath or "")
  for _, relation in ipairs(relations.of(template)) do
    local before
    local is_empty = relation.later or lacks(object, relation)
    if not is_empty and old and (relation.property or old.fullPath) then
      for _, full in ipairs(values(old, relation, store)) do
        before = before or {}
        before[full] = true
      end
    end
    for _, full in ipairs(is_empty and NOTHING or values(object, relation, store)) do
      if not (before and before[full]) and (full:sub(1, 1) == "/" or relation.flat) then
        if not M.locate(store, relation.to, full) then
          if store.touch_missing then store:touch_missing(relation.to, full) end
          refuse_missing(template, relation, full)
        end
        local other = partition(full)
        if own and other and other ~= "Common" and other ~= own then
          refuse_foreign(template, object, relation, full)
        end
      end
    end
  end
end

-- Refuses to delete the object at `path` while another object refers to it. Its own sub-collections
-- do not count.
function M.check_unused(store, path, object)
  local template = M.template(path)
  local said = kinds.of(template).checks.in_use
  for _, user in ipairs(store:users(path)) do
    if user ~= path and user:sub(1, #path + 1) ~= path .. "/" then
      local from = M.template(user)
      local owner = from:find "/%*/" and store:get(user:match "^(.*)/[^/]+/[^/]+$")
        or store:get(user)
      local message = said
        and said(object, { template = from, object = store:get(user), owner = owner })
        or in_use.message(store, template, object, from, user)
      error(errors.tm(400, message, 3), 0)
    end
  end
end

return M
