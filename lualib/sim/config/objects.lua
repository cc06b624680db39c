-- Creates, changes and deletes objects, with all checks of a BIG-IP. The functions are methods of
-- the store, see the end of sim/config/store.lua:
--
--   store:create("/mgmt/tm/ltm/pool", { name = "web" }, ctx)   -> path, object
--   store:modify(path, body, ctx)    PATCH: changes the properties in the body only
--   store:replace(path, body, ctx)   PUT: sets all other properties to their defaults
--   store:delete(path, ctx)
--
-- ctx: { user = { name, provider, access }, now = microseconds }, may be nil. A refusal is raised
-- as a response of sim/http/errors.lua; then nothing has changed. The rules of a kind are in
-- sim/kinds.
local errors = require "sim.http.errors"
local contrary = require "sim.contrary"
local identity = require "sim.config.identity"
local kinds = require "sim.kinds"
local names = require "sim.config.names"
local profiles = require "sim.kinds.common.profiles"
local references = require "sim.config.references"
local uri = require "sim.config.uri"
local validate = require "sim.config.validate"
local values = require "sim.config.values"

local M = {}

local NONE <const> = validate.NONE

--- Checks the conditions of an object that must hold when everything is written: at once, or in a
--- transaction after all of its commands. Seeds are not checked. `old`: the object before, or nil.
function M.settle(store, path, ctx, old)
  if ctx.seed or ctx.factory then return end
  local settled = kinds.of(references.template(path)).checks.settled
  if not settled then return end
  local later = store.device.checks
  if later then
    table.insert(later, function() settled(store, path, old) end)
  else
    settled(store, path, old)
  end
end

-- Checks the owner of a changed sub-collection. If the owner itself is being written (then ctx has
-- its partition), it is checked at the end of that write.
local function settle_owner(store, target, ctx)
  if target.parent and not ctx.partition then M.settle(store, target.parent, ctx) end
end

local create_in, delete_at, modify_at

-- Gives the owner of a sub-collection the generation of the changed object. While the whole
-- sub-collection is replaced, that is done once, at the end.
local function touch(store, target, generation, ctx)
  if not target.parent or ctx.replacing == (target.collection or target.path) then return end
  local path = target.parent
  local object = store:get(path)
  if not object then return end
  local fresh = values.shallow(object)
  fresh.generation = generation
  store:put(path, fresh)
end

-- Replaces a whole sub-collection by the items of a body.
local function replace_sub(store, path, sub, items, ctx)
  local collection = path .. "/" .. sub
  local target = uri.parse(collection)
  local bodies = {}
  local inner = values.with(ctx, "replacing", collection)
  for _, item in ipairs(items) do
    local body = item
    if type(item) ~= "table" then body = { name = item } end
    if body.name == nil and body.fullPath then
      body = values.shallow(body)
      body.name = body.fullPath
    end
    if
      not target.node.flat and not body.partition and type(body.name) == "string"
      and body.name:sub(1, 1) ~= "/"
    then
      body = values.shallow(body)
      body.partition = ctx.partition
    end
    bodies[#bodies + 1] = body
  end
  local old = table.move(store:segments(collection), 1, store:count(collection), 1, {})
  for _, segment in ipairs(old) do
    delete_at(store, uri.parse(collection .. "/" .. segment), inner)
  end
  local last
  for _, body in ipairs(bodies) do
    local _, object = create_in(store, target, body, inner)
    last = object.generation
  end
  if last or old[1] then touch(store, target, last or store.state.generation, ctx) end
end

-- Replaces the sub-collections of a body. `partition`: of their owner.
local function replace_subs(store, path, subs, partition, ctx)
  if not next(subs) then return end
  local inner = values.with(ctx, "partition", partition)
  for sub, items in pairs(subs) do replace_sub(store, path, sub, items, inner) end
end

function create_in(store, target, body, ctx)
  local node = target.node
  local checks = kinds.of(target.template).checks
  if node.no_create and not ctx.seed then
    error(
      errors.tm(
        400,
        ('"create" is not supported for %s.'):format(
          target.template:gsub("/%*", ""):gsub("/", " ")
        ),
        26214401
      ),
      0
    )
  end
  body = checks.read and checks.read(store, target, body, ctx) or body
  local object = (checks.identify or identity.identify)(node, body, target, store)
  if not checks.identify and not ctx.seed then validate.name(node, object.name) end
  if not object.fullPath then validate.nothing_to_do() end
  validate.length(object.fullPath)
  if not node.flat and not checks.own_folder then identity.check_folder(store, object, ctx) end
  local path = target.path .. "/" .. names.segment(object.fullPath)
  if store:get(path) then
    if not ctx.seed then identity.exists(target, object.fullPath, object.partition) end
    -- a seed describes the result, also for objects that exist
    return modify_at(store, uri.parse(path), body, ctx, false)
  end
  if not ctx.seed and not ctx.factory then
    profiles.check_name(store, target.template, object.fullPath)
  end
  local properties, subs = validate.body(node, body, ctx.seed)
  local parent, parent_name =
    values.parent_of(store, target, object, properties.defaultsFrom, ctx)
  if parent then
    values.inherit(object, parent)
    object.defaultsFrom = parent_name
    properties.defaultsFrom = nil
    values.mark_own(object, properties)
  else
    object = values.new_object(node, object)
    if node.props.defaultsFrom then values.mark_own(object, properties) end
  end
  validate.exclusive(node, properties)
  contrary.new_object(store, target.template, object, ctx)
  values.apply(node, object, properties)
  values.absolute_names(node, object)
  contrary.write(store, properties, ctx)
  if not ctx.seed then values.check_mandatory(node, object) end
  if checks.prepare then checks.prepare(store, object, properties, nil, ctx, target) end
  if ctx.seed or ctx.factory then values.lay_given(node, object, body) end
  if checks.before then checks.before(store, path, object, ctx, target) end
  if not ctx.seed then references.check(store, path, object, parent or values.usual(node)) end
  object.generation = ctx.factory and 1 or store:next_generation()
  store:put(path, object)
  touch(store, target, object.generation, ctx)
  replace_subs(store, path, subs, object.partition, ctx)
  if checks.made then checks.made(store, path, store:get(path), ctx, target) end
  contrary.made(store, target.template, object, ctx)
  M.settle(store, path, ctx)
  settle_owner(store, target, ctx)
  return path, store:get(path)
end

-- Passes the changes of a parent on to its children, for properties that they have not set
-- themselves.
local function pass_on(store, path, old, fresh)
  local collection = path:match "^(.*)/[^/]+$"
  for _, user in ipairs(store:users(path, references.template(path))) do
    local child = store:get(user)
    if user:match "^(.*)/[^/]+$" == collection and child.defaultsFrom == fresh.fullPath then
      local own = values.own_of(store, user, child, old)
      local next_child = values.shallow(child)
      local changed = false
      for _, source in ipairs { old, fresh } do
        for name in pairs(source) do
          if
            not values.IDENTITY[name] and name:sub(1, 1) ~= "_" and name ~= "defaultsFrom"
            and not own[name] and next_child[name] ~= fresh[name]
          then
            next_child[name] = fresh[name]
            changed = true
          end
        end
      end
      if changed then
        next_child.generation = fresh.generation
        store:put(user, next_child)
        pass_on(store, user, child, next_child)
      end
    end
  end
end

-- The object after a PUT: properties that are not in the body get their defaults.
local function replaced(store, target, old, properties, ctx)
  local node = target.node
  local fresh =
    { name = old.name, partition = old.partition, subPath = old.subPath, fullPath = old.fullPath }
  local parent = values.parent_of(
    store,
    { node = node, template = target.template, path = target.collection },
    old,
    properties.defaultsFrom or old.defaultsFrom,
    ctx
  )
  if properties.defaultsFrom and not ctx.seed then
    values.check_parent(store, target, old, parent)
  end
  values.inherit(fresh, parent or values.usual(node))
  if parent then fresh.defaultsFrom = parent.fullPath end
  for _, name in ipairs(node.create_only or {}) do fresh[name] = old[name] end
  for _, name in ipairs(node.mandatory or node.kept or {}) do fresh[name] = old[name] end
  for name, spec in pairs(node.props) do
    if spec.r then fresh[name] = old[name] end
  end
  for name, value in pairs(old) do
    if name:sub(1, 1) == "_" and name ~= "_own" then fresh[name] = value end
  end
  if node.props.defaultsFrom then values.mark_own(fresh, properties) end
  return fresh
end

-- The object after a PATCH: properties that are not in the body keep their values.
local function changed(store, target, old, properties, ctx)
  local node = target.node
  local fresh = values.shallow(old)
  local change, own = properties.defaultsFrom, nil
  if node.props.defaultsFrom then own = values.own_of(store, target.path, old) end
  if
    change and change ~= NONE and change ~= "none"
    and names.absolute(change, old.partition) ~= old.defaultsFrom
  then
    local parent, name = values.parent_of(
      store,
      { node = node, template = target.template, path = target.collection },
      old,
      change,
      ctx
    )
    if not ctx.seed then values.check_parent(store, target, old, parent) end
    for field, value in pairs(parent or {}) do
      if not values.IDENTITY[field] and field:sub(1, 1) ~= "_" and not own[field] then
        fresh[field] = value
      end
    end
    fresh.defaultsFrom = name
  end
  properties.defaultsFrom = nil
  if node.props.defaultsFrom then values.mark_own(fresh, properties, own) end
  return fresh
end

function modify_at(store, target, body, ctx, whole)
  local node = target.node
  local checks = kinds.of(target.template).checks
  local old = store:get(target.path)
  if not old then identity.not_found(target) end
  body = checks.read and checks.read(store, target, body, ctx, old) or body
  local properties, subs = validate.body(node, body, ctx.seed)
  if ctx.seed and next(properties) == nil and next(subs) == nil then return target.path, old end
  if next(properties) == nil and next(subs) == nil then validate.nothing_to_do() end
  if not ctx.seed then values.check_create_only(node, old, properties, whole) end
  validate.exclusive(node, properties)
  local rewrite = whole and replaced or changed
  local fresh = rewrite(store, target, old, properties, ctx)
  contrary.write(store, properties, ctx)
  values.apply(node, fresh, properties)
  values.absolute_names(node, fresh)
  if checks.prepare then checks.prepare(store, fresh, properties, old, ctx, target) end
  if ctx.seed then
    values.lay_given(node, fresh, body)
  else
    references.check(store, target.path, fresh, old)
  end
  fresh.generation = store:next_generation()
  store:put(target.path, fresh)
  touch(store, target, fresh.generation, ctx)
  replace_subs(store, target.path, subs, fresh.partition, ctx)
  if node.props.defaultsFrom then pass_on(store, target.path, old, fresh) end
  if checks.changed then
    checks.changed(store, target.path, store:get(target.path), old, ctx, target)
  end
  M.settle(store, target.path, ctx, old)
  return target.path, store:get(target.path)
end

-- Removes the sub-collections of the object at a path.
local function delete_subs(store, path, node)
  for _, sub in pairs(node.subs or {}) do
    local collection = path .. "/" .. sub
    if store:count(collection) > 0 then
      local inner = uri.parse(collection)
      for _, segment in
        ipairs(table.move(store:segments(collection), 1, store:count(collection), 1, {}))
      do
        delete_subs(store, collection .. "/" .. segment, inner.node)
        store:put(collection .. "/" .. segment, nil)
      end
    end
  end
end

function delete_at(store, target, ctx)
  local object = store:get(target.path)
  if not object then identity.not_found(target) end
  local checks = kinds.of(target.template).checks
  if target.node.no_delete then
    error(
      errors.tm(
        400,
        ('"delete" is not supported for %s.'):format(
          target.template:gsub("/%*", ""):gsub("/", " ")
        ),
        26214401
      ),
      0
    )
  end
  if object._factory then
    validate.refuse_mcpd(
      ("01070734:3: Configuration error: The system default %s (%s) cannot be deleted."):format(
        identity.noun(target),
        object.fullPath
      )
    )
  end
  if checks.removing then checks.removing(store, target.path, object, ctx, target) end
  references.check_unused(store, target.path, object)
  delete_subs(store, target.path, target.node)
  store:put(target.path, nil)
  if target.parent then touch(store, target, store:next_generation(), ctx) end
  if checks.removed then checks.removed(store, target.path, object, ctx, target) end
  settle_owner(store, target, ctx)
end

local function singleton(store, target)
  if not store:get(target.path) then
    local object = values.defaults(target.node)
    object.generation = 1
    store:put(target.path, object)
  end
end

-- The collections and singletons that no object owns, by their paths: they are asked for again and
-- again.
local unowned <const> = {}

local function target_of(path, ...)
  local target = type(path) == "table" and path or unowned[path] or uri.parse(path)
  assert(target, "unknown URI")
  local is_unowned = target.what == "collection" or target.what == "singleton"
  if is_unowned and not target.parent then unowned[target.path] = target end
  for _, what in ipairs { ... } do
    if target.what == what then return target end
  end
  error(("%s: this is not an object but of the type %s"):format(target.path, target.what), 0)
end

function M.create(store, path, body, ctx)
  local target = target_of(path, "collection")
  if target.parent and not store:get(target.parent) then
    identity.not_found(uri.parse(target.parent))
  end
  return store:atomically(create_in, store, target, body, ctx or {})
end

function M.modify(store, path, body, ctx)
  local target = target_of(path, "resource", "singleton")
  if target.what == "singleton" then singleton(store, target) end
  return store:atomically(modify_at, store, target, body, ctx or {}, false)
end

function M.replace(store, path, body, ctx)
  local target = target_of(path, "resource", "singleton")
  if target.what == "singleton" then singleton(store, target) end
  return store:atomically(modify_at, store, target, body, ctx or {}, true)
end

function M.delete(store, path, ctx)
  local target = target_of(path, "resource")
  return store:atomically(delete_at, store, target, ctx or {})
end

-- The object of a singleton; its defaults if it was never written.
function M.one(store, path)
  local target = target_of(path, "singleton")
  local object = store:get(target.path)
  if object then return object end
  local fresh = values.defaults(target.node)
  fresh.generation = 1
  return fresh
end

return M
