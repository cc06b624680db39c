-- The properties of an object: its defaults, what it takes from its parent, and how a write changes
-- them.
local json = require "f5.json"
local catalogue = require "sim.config.catalogue"
local errors = require "sim.http.errors"
local identity = require "sim.config.identity"
local kinds = require "sim.kinds"
local lists = require "sim.config.lists"
local names = require "sim.config.names"
local native = require "sim.native"
local relations = require "sim.config.relations"
local secrets = require "sim.kinds.common.secrets"
local tables = require "sim.tables"
local validate = require "sim.config.validate"

local M = {}

local NONE <const>, NOTHING <const> = validate.NONE, {}

-- Properties that say which object it is; they are not inherited.
M.IDENTITY = { name = true, partition = true, subPath = true, fullPath = true, generation = true }
local IDENTITY <const> = M.IDENTITY

-- A copy of a table with the same values.
M.shallow = native.copy

--- A context of a write (see sim/config/objects.lua) with one more property.
function M.with(ctx, name, value)
  local inner = native.copy(ctx)
  inner[name] = value
  return inner
end

-- Writes properties into an object. Groups (`spec.t == "o"`) are merged.
function M.apply(node, object, properties)
  local secret = secrets.of(node)
  for name, value in pairs(properties) do
    local spec = node.props[name]
    if secret[name] and type(value) == "string" then value = secrets.encrypted(value) end
    if value == NONE then
      object[name] = nil
    elseif
      spec and spec.t == "o" and type(value) == "table" and type(object[name]) == "table"
      and not json.is_array(object[name])
    then
      if #value > 0 then validate.invalid(name, value) end
      local inner = M.shallow(object[name])
      local defaults = type(spec.d) == "table" and spec.d or NOTHING
      for key, item in pairs(value) do
        if item == "" and defaults[key] == "none" then item = "none" end
        local nothing = item == json.null
          or item == "none" and inner[key] == nil and not spec.keeps_none
        if nothing then
          inner[key] = nil
        else
          inner[key] = item
        end
      end
      object[name] = inner
    elseif spec and spec.t == "b" and value == false and spec.d ~= false then
      object[name] = nil
    else
      object[name] = value
    end
  end
  for _, pair in ipairs(node.pairs or NOTHING) do
    for i, name in ipairs(pair) do
      local other = pair[3 - i]
      local value = properties[name]
      if value == true then
        object[other] = nil
      elseif value == false and properties[other] ~= false then
        object[other] = true
      end
    end
  end
end

-- Node -> its defaults. The facts of a node that was found once keep their defaults.
local defaults <const> = setmetatable({}, { __mode = "k" })

--- The values of the properties that nobody set. The table must not be changed.
function M.usual(node)
  local known = defaults[node]
  if not known then
    known = {}
    for name, spec in pairs(node.props) do
      if spec.d ~= nil then known[name] = spec.d end
    end
    defaults[node] = known
  end
  return known
end

-- The properties of a new object before its body is written into it.
function M.defaults(node) return native.copy(M.usual(node)) end

-- Node -> its defaults without those that say which object it is.
local inherited <const> = setmetatable({}, { __mode = "k" })

--- The defaults of a kind, with the name and the other properties of a new object.
function M.new_object(node, named)
  local known = inherited[node]
  if not known then
    known = {}
    M.inherit(known, M.usual(node))
    inherited[node] = known
  end
  local object = native.copy(known)
  for name, value in pairs(named) do
    if IDENTITY[name] or object[name] == nil then object[name] = value end
  end
  return object
end

function M.inherit(object, parent)
  for name, value in pairs(parent) do
    if not IDENTITY[name] and name:sub(1, 1) ~= "_" then object[name] = value end
  end
end

-- The parent (`defaultsFrom`) of an object: the one in the body, else that of the kind. Nil for an
-- object without a parent. Also returns its full name.
function M.parent_of(store, target, object, given, ctx)
  local node = target.node
  if not node.props.defaultsFrom then return nil end
  local name = given
  if name == NONE or name == "none" then return nil end
  if not name then name = "/Common/" .. (node.parent or node.name:gsub("%-", "_")) end
  if type(name) ~= "string" then validate.invalid("defaultsFrom", name) end
  name = names.absolute(name, object.partition)
  local parent = store:get(target.path .. "/" .. names.segment(name))
  if not parent and given and given ~= "none" and not ctx.seed then
    local orphan = kinds.of(target.template).checks.orphan
    if orphan then validate.refuse_mcpd(orphan(object)) end
    error(
      errors.tm(
        404,
        ("01020036:3: The requested %s (%s) was not found."):format(identity.noun(target), name),
        3
      ),
      0
    )
  end
  return parent, name
end

--- Refuses a parent that takes its values from the object itself. `parent_of` found it.
function M.check_parent(store, target, object, parent)
  local ancestor = parent
  local seen = {}
  while ancestor and not seen[ancestor] do
    seen[ancestor] = true
    if ancestor.fullPath == object.fullPath then
      validate.refuse_mcpd(
        ('01070734:3: Configuration error: A %s may not default from itself "%s"'):format(
          identity.noun(target):gsub("^%u%l", string.lower), object.fullPath
        )
      )
    end
    local name = ancestor.defaultsFrom
    ancestor = type(name) == "string" and name:sub(1, 1) == "/"
      and store:get(target.collection .. "/" .. names.segment(name)) or nil
  end
end

function M.mark_own(object, properties, old)
  local own = old and M.shallow(old) or {}
  for name in pairs(properties) do own[name] = true end
  object._own = own
end

--- The properties that an object has of its own; it takes all others from its parent. `parent`: its
--- parent before a change. A device does not tell, so those of an object that a twin read are the
--- ones that differ from the parent's.
function M.own_of(store, path, object, parent)
  if object._own or not store.twin then return object._own or {} end
  local name = object.defaultsFrom
  if not parent and type(name) == "string" and name:sub(1, 1) == "/" then
    parent = store:get(path:match "^(.*)/[^/]+$" .. "/" .. names.segment(name))
  end
  local own = {}
  for _, source in ipairs(parent and { object, parent } or {}) do
    for property in pairs(source) do
      if
        not IDENTITY[property] and property:sub(1, 1) ~= "_" and property ~= "defaultsFrom"
        and not tables.same(object[property], parent[property])
      then
        own[property] = true
      end
    end
  end
  return own
end

-- A value of a relation with full names; nil if nothing changes.
local function full_names(relation, value, partition)
  if type(value) == "string" then return relations.full_name(relation, value, partition) end
  if type(value) ~= "table" or #value == 0 then return nil end
  local list = json.array {}
  for i, item in ipairs(value) do
    list[i] = type(item) == "string" and item:sub(1, 1) ~= '"'
      and relations.full_name(relation, item, partition) or item
  end
  return list
end

-- Completes the names of a relation that follows from facts.
local function complete_names(node, object, relation)
  local property = relation.property
  if node.lists and node.lists[property] then return end
  local group, inner = relation.group, relation.inner
  if not group then
    local fresh = full_names(relation, object[property], object.partition)
    if fresh then object[property] = fresh end
  elseif type(object[group]) == "table" then
    local fresh = full_names(relation, object[group][inner], object.partition)
    if fresh and fresh ~= object[group][inner] then
      object[group] = M.shallow(object[group])
      object[group][inner] = fresh
    end
  end
end

-- Completes names without a partition by that of the object.
function M.absolute_names(node, object)
  lists.settle(node, object)
  for reference, template in pairs(node.refs or NOTHING) do
    local name = reference:sub(1, -#"Reference" - 1)
    local value = object[name]
    local is_name = type(value) == "string"
      and value ~= "" and value ~= "none" and not value:find "^/" and not value:find "[%s*]"
    if is_name and name ~= "name" then
      -- the last part of the template can be a name
      local other = catalogue.find(template)
        or catalogue.find(template:match "^(.*)/[^/]+$" or "")
      if not (other and other.flat) then object[name] = names.absolute(value, object.partition) end
    end
  end
  for _, relation in ipairs(relations.of(node.template)) do
    local plain = relation.property and not (relation.names or relation.fields)
    if relation.derived or plain then complete_names(node, object, relation) end
  end
end

function M.check_mandatory(node, object)
  for _, name in ipairs(node.mandatory or NOTHING) do
    if object[name] == nil then
      validate.refuse(('"%s" must be specified'):format(name))
    end
  end
end

-- Writes the properties of a seed that a device would compute itself: a state, a time, an index.
function M.lay_given(node, object, body)
  for name, value in pairs(body) do
    local spec = node.props[name]
    local plain = type(value) ~= "table" and value ~= json.null
    if
      spec and plain and (spec.r or spec.d ~= nil or object[name] ~= nil) and value ~= ""
      and not (spec.t == "b" and value == false)
    then
      object[name] = value
    elseif spec and spec.r then
      object[name] = value
    end
  end
  if body.apiRawValues then object.apiRawValues = body.apiRawValues end
end

-- The commands that take a property of a creation, where they were recorded.
local COMMANDS <const> = { network = "create, list, show", type = "create, edit, list" }

-- Refuses properties that cannot be changed. A PATCH must not name them, not even with the value
-- that they have; a PUT may.
function M.check_create_only(node, old, properties, whole)
  for _, name in ipairs(node.create_only or {}) do
    local value = properties[name]
    if value ~= nil and value ~= NONE and not (whole and tables.same(value, old[name])) then
      validate.refuse(
        (
          '"%s" may not be specified in the context of the "modify" command. "%s" may be specified '
            .. "using the following commands: %s"
        ):format(
          name,
          name,
          COMMANDS[name] or "create"
        )
      )
    end
    properties[name] = nil
  end
end

return M
