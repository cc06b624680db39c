-- Making, changing and removing objects, with everything a BIG-IP checks. These are methods of the
-- store, see the end of sim/config/store.lua:
--
--   store:create("/mgmt/tm/ltm/pool", { name = "web" }, ctx)   -> path, object
--   store:modify(path, body, ctx)    PATCH: only what is named
--   store:replace(path, body, ctx)   PUT: the rest goes back to its default
--   store:delete(path, ctx)
--
-- ctx: { user = { name, role }, now = microseconds }, may be nil. What is refused is raised as a
-- response of sim/http/errors.lua, and then nothing has changed. What is special about a kind of object
-- is in sim/kinds.
local json = require "f5.json"
local catalogue = require "sim.config.catalogue"
local errors = require "sim.http.errors"
local kinds = require "sim.kinds"
local names = require "sim.config.names"
local references = require "sim.config.references"
local uri = require "sim.config.uri"
local validate = require "sim.config.validate"

local M = {}

local NONE <const> = validate.NONE
local IDENTITY <const> =
  { name = true, partition = true, subPath = true, fullPath = true, generation = true }

local function shallow(value)
  local copy = {}
  for key, item in pairs(value) do copy[key] = item end
  return setmetatable(copy, getmetatable(value))
end
M.shallow = shallow

-- The word for an object in messages.
local function noun(target)
  return references.noun(target.template)
end

-- What mcpd calls an object in messages: a member is named with its pool.
local function label(target, full)
  local name = kinds.of(target.template).checks.label
  return name and name(target, full) or full
end

function M.not_found(target)
  local id = target.id or target.path:match "[^/]+$"
  local full = id:gsub("~", "/")
  if not target.node.noun and target.node.flat and target.parent then
    error(errors.tm(404, "Object not found - " .. full, 1), 0)
  end
  error(
    errors.tm(
      404,
      ("01020036:3: The requested %s (%s) was not found."):format(noun(target), label(target, full)),
      3
    ),
    0
  )
end

local function exists(target, full, partition)
  if target.node.flat then
    error(
      errors.tm(
        409,
        ("01020066:3: The requested %s (%s) already exists."):format(
          noun(target),
          label(target, full)
        ),
        3
      ),
      0
    )
  end
  error(errors.tm(409, ("01020066:3: The requested %s (%s) already exists in partition %s."):format(
    noun(target), label(target, full), partition or "Common"), 3), 0)
end

-- The name, partition, sub-path and full path that a body gives a new object.
local function identify(node, body)
  local name = body.name
  if type(name) == "number" then name = tostring(name) end
  if name == json.null then name = nil end
  if name ~= nil and type(name) ~= "string" then validate.invalid("name", name) end
  if not name or name == "" then validate.nothing_to_do() end
  if node.flat then
    if node.full_names and name:sub(1, 1) ~= "/" then
      name = "/" .. (body.partition or "Common") .. "/" .. name
    end
    return { name = name, fullPath = name }
  end
  local partition, sub_path = body.partition, body.subPath
  if partition == json.null then partition = nil end
  if sub_path == json.null then sub_path = nil end
  if partition ~= nil and type(partition) ~= "string" then
    validate.invalid("partition", partition)
  end
  if sub_path ~= nil and type(sub_path) ~= "string" then validate.invalid("subPath", sub_path) end
  if name:sub(1, 1) == "/" then
    local given, below, rest = names.split(name)
    if given then
      partition, sub_path, name = given, below, rest
    elseif not partition then
      validate.invalid("name", name)
    end
  else
    local folder
    partition, folder = names.partition(partition or "Common")
    if partition == "" then partition = "Common" end
    if sub_path then sub_path = sub_path:gsub("^/+", ""):gsub("/+$", "") end
    if sub_path == "" then sub_path = nil end
    if folder then sub_path = sub_path and folder .. "/" .. sub_path or folder end
    if name:find "/" and not name:find ":" and not node.free_names then
      local below, rest = name:match "^(.*)/([^/]+)$"
      if below then
        sub_path = sub_path and sub_path .. "/" .. below or below
        name = rest
      end
    end
  end
  return {
    name = name, partition = partition, subPath = sub_path,
    fullPath = names.full(partition, sub_path, name),
  }
end

-- The folder of an object must be there.
local function check_folder(store, object, ctx)
  if not object.partition then return end
  local folder = "/" .. object.partition .. (object.subPath and "/" .. object.subPath or "")
  if ctx.seed then
    -- A seed names folders by what is in them.
    local path = ""
    for part in folder:gmatch "[^/]+" do
      path = path .. "/" .. part
      if not store:get("/mgmt/tm/sys/folder/" .. names.segment(path)) then
        store:create("/mgmt/tm/sys/folder", { name = path }, ctx)
      end
    end
  elseif not store:get("/mgmt/tm/sys/folder/" .. names.segment(folder)) then
    error(errors.tm(400, ("The requested folder (%s) was not found."):format(folder), 26214401), 0)
  end
end

-- Lays properties over an object. `spec.t == "o"`: what is in it is laid over, too.
local function apply(node, object, properties)
  for name, value in pairs(properties) do
    local spec = node.props[name]
    if value == NONE then
      object[name] = nil
    elseif
      spec and spec.t == "o" and type(value) == "table" and type(object[name]) == "table"
      and not json.is_array(object[name])
    then
      if #value > 0 then validate.invalid(name, value) end
      local inner = shallow(object[name])
      for key, item in pairs(value) do
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
  for _, pair in ipairs(node.pairs or {}) do
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

-- What a new object has before the body is laid over it.
local function defaults(node)
  local object = {}
  for name, spec in pairs(node.props) do
    if spec.d ~= nil then object[name] = spec.d end
  end
  return object
end
M.defaults = defaults

local function inherit(object, parent)
  for name, value in pairs(parent) do
    if not IDENTITY[name] and name:sub(1, 1) ~= "_" then object[name] = value end
  end
end

-- The parent that a body or the kind of object names; nil for the roots themselves.
local function parent_of(store, target, object, given, ctx)
  local node = target.node
  if not node.props.defaultsFrom then return nil end
  local name = given
  if name == NONE or name == "none" then return nil end
  if not name then name = "/Common/" .. (node.parent or node.name:gsub("%-", "_")) end
  if type(name) ~= "string" then validate.invalid("defaultsFrom", name) end
  name = names.absolute(name, object.partition)
  local parent = store:get(target.path .. "/" .. names.segment(name))
  if not parent and given and given ~= "none" and not ctx.seed then
    error(
      errors.tm(
        404,
        ("01020036:3: The requested %s (%s) was not found."):format(noun(target), name),
        3
      ),
      0
    )
  end
  return parent, name
end

local function mark_own(object, properties, old)
  local own = old and shallow(old) or {}
  for name in pairs(properties) do own[name] = true end
  object._own = own
end

-- Names that a body gives without a partition are meant in the object's own.
local function absolute_names(node, object)
  for reference in pairs(node.refs or {}) do
    local name = reference:gsub("Reference$", "")
    local value = object[name]
    local template = node.refs[reference]
    -- the last may be a name
    local other = catalogue.find(template)
      or catalogue.find(template:match "^(.*)/[^/]+$" or "")
    local is_name = type(value) == "string"
      and value ~= "" and value ~= "none" and not value:find "^/" and not value:find "[%s*]"
    if is_name and name ~= "name" and not (other and other.flat) then
      object[name] = names.absolute(value, object.partition)
    end
  end
end

--- Checks what must hold of an object when everything is written: at once, or in a transaction when
--- all of its commands have run. A seed is taken as it is. `old`: what was there before.
function M.settle(store, path, ctx, old)
  local settled = kinds.of(references.template(path)).checks.settled
  if not settled or ctx.seed or ctx.factory then return end
  local later = store.device.checks
  if later then
    table.insert(later, function() settled(store, path, old) end)
  else
    settled(store, path, old)
  end
end

-- Where a whole object is written (and gives its partition), all that belongs to it is looked at
-- together.
local function settle_owner(store, target, ctx)
  if target.parent and not ctx.partition then M.settle(store, target.parent, ctx) end
end

local create_in, delete_at, modify_at

-- The parent of a sub-collection's object changes with it.
local function touch(store, path, generation)
  local object = store:get(path)
  if not object then return end
  local fresh = shallow(object)
  fresh.generation = generation
  store:put(path, fresh)
end

-- A whole sub-collection as a body gives it: what is not named goes, what is named is made anew.
local function replace_sub(store, path, sub, items, ctx)
  local collection = path .. "/" .. sub
  local target = uri.parse(collection)
  local bodies, wanted = {}, {}
  for _, item in ipairs(items) do
    local body = item
    if type(item) ~= "table" then body = { name = item } end
    if body.name == nil and body.fullPath then
      body = shallow(body)
      body.name = body.fullPath
    end
    if
      not target.node.flat and not body.partition and type(body.name) == "string"
      and body.name:sub(1, 1) ~= "/"
    then
      body = shallow(body)
      body.partition = ctx.partition
    end
    bodies[#bodies + 1] = body
  end
  for _, segment in
    ipairs(table.move(store:segments(collection), 1, store:count(collection), 1, {}))
  do
    delete_at(store, uri.parse(collection .. "/" .. segment), ctx, wanted)
  end
  for _, body in ipairs(bodies) do create_in(store, target, body, ctx) end
end

local function check_mandatory(node, object)
  for _, name in ipairs(node.mandatory or {}) do
    if object[name] == nil then
      validate.refuse(('"%s" must be specified'):format(name))
    end
  end
end

-- A seed's objects are as they are given, also where a device would work out the value: a state, a
-- time, an index.
local function lay_given(node, object, body)
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

function create_in(store, target, body, ctx)
  local node = target.node
  local checks = kinds.of(target.template).checks
  if node.no_create and not ctx.seed then
    error(
      errors.tm(
        400,
        ('"create" is not supported for %s.'):format(target.template:gsub("/%*", ""):gsub("/", " ")),
        26214401
      ),
      0
    )
  end
  body = checks.read and checks.read(store, target, body, ctx) or body
  local object = (checks.identify or identify)(node, body, target, store)
  if not checks.identify then validate.name(node, object.name) end
  if not object.fullPath then validate.nothing_to_do() end
  validate.length(object.fullPath)
  if not node.flat and not checks.own_folder then check_folder(store, object, ctx) end
  local path = target.path .. "/" .. names.segment(object.fullPath)
  if store:get(path) then
    if not ctx.seed then exists(target, object.fullPath, object.partition) end
    -- a seed says how things are, not what is new
    return modify_at(store, uri.parse(path), body, ctx, false)
  end
  local properties, subs = validate.body(node, body, ctx.seed)
  local parent, parent_name =
    parent_of(store, target, object, properties.defaultsFrom, ctx)
  if parent then
    inherit(object, parent)
    object.defaultsFrom = parent_name
    properties.defaultsFrom = nil
    mark_own(object, properties)
  else
    inherit(object, defaults(node))
    if node.props.defaultsFrom then mark_own(object, properties) end
  end
  validate.exclusive(node, properties)
  apply(node, object, properties)
  absolute_names(node, object)
  if not ctx.seed then check_mandatory(node, object) end
  if checks.prepare then checks.prepare(store, object, properties, nil, ctx, target) end
  if ctx.seed then lay_given(node, object, body) end
  if checks.before then checks.before(store, path, object, ctx, target) end
  if not ctx.seed then references.check(store, path, object) end
  object.generation = ctx.factory and 1 or store:next_generation()
  store:put(path, object)
  if target.parent then touch(store, target.parent, object.generation) end
  local inner = setmetatable({ partition = object.partition }, { __index = ctx })
  for sub, items in pairs(subs) do replace_sub(store, path, sub, items, inner) end
  if checks.made then checks.made(store, path, store:get(path), ctx, target) end
  M.settle(store, path, ctx)
  settle_owner(store, target, ctx)
  return path, store:get(path)
end

-- Children of a parent that was changed take over what they have not set themselves.
local function pass_on(store, path, old, fresh)
  local collection = path:match "^(.*)/[^/]+$"
  for _, user in ipairs(store:users(path)) do
    local child = store:get(user)
    if user:match "^(.*)/[^/]+$" == collection and child.defaultsFrom == fresh.fullPath then
      local own = child._own or {}
      local next_child = shallow(child)
      local changed = false
      for _, source in ipairs { old, fresh } do
        for name in pairs(source) do
          if
            not IDENTITY[name] and name:sub(1, 1) ~= "_" and name ~= "defaultsFrom"
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

local function same(a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end
M.same = same

local function check_create_only(node, old, properties)
  for _, name in ipairs(node.create_only or {}) do
    local value = properties[name]
    if value ~= nil and value ~= NONE and not same(value, old[name]) then
      validate.refuse(
        ('"%s" may not be specified in the context of the "modify" command. "%s" may be specified using the following commands: create'):format(
          name,
          name
        )
      )
    end
    properties[name] = nil
  end
end

function modify_at(store, target, body, ctx, whole)
  local node = target.node
  local checks = kinds.of(target.template).checks
  local old = store:get(target.path)
  if not old then M.not_found(target) end
  body = checks.read and checks.read(store, target, body, ctx, old) or body
  local properties, subs = validate.body(node, body, ctx.seed)
  if ctx.seed and next(properties) == nil and next(subs) == nil then return target.path, old end
  if next(properties) == nil and next(subs) == nil then validate.nothing_to_do() end
  if not ctx.seed then check_create_only(node, old, properties) end
  validate.exclusive(node, properties)
  local fresh
  if whole then
    fresh =
      { name = old.name, partition = old.partition, subPath = old.subPath, fullPath = old.fullPath }
    local parent = parent_of(
      store,
      { node = node, template = target.template, path = target.collection },
      old,
      properties.defaultsFrom or old.defaultsFrom,
      ctx
    )
    inherit(fresh, parent or defaults(node))
    if parent then fresh.defaultsFrom = parent.fullPath end
    for _, name in ipairs(node.create_only or {}) do fresh[name] = old[name] end
    for _, name in ipairs(node.mandatory or node.kept or {}) do fresh[name] = old[name] end
    for name, spec in pairs(node.props) do
      if spec.r then fresh[name] = old[name] end
    end
    for name, value in pairs(old) do
      if name:sub(1, 1) == "_" and name ~= "_own" then fresh[name] = value end
    end
    if node.props.defaultsFrom then mark_own(fresh, properties) end
  else
    fresh = shallow(old)
    local change = properties.defaultsFrom
    if
      change and change ~= NONE and change ~= "none"
      and names.absolute(change, old.partition) ~= old.defaultsFrom
    then
      local parent, name = parent_of(
        store,
        { node = node, template = target.template, path = target.collection },
        old,
        change,
        ctx
      )
      for field, value in pairs(parent or {}) do
        if not IDENTITY[field] and field:sub(1, 1) ~= "_" and not (old._own or {})[field] then
          fresh[field] = value
        end
      end
      fresh.defaultsFrom = name
    end
    properties.defaultsFrom = nil
    if node.props.defaultsFrom then mark_own(fresh, properties, old._own) end
  end
  apply(node, fresh, properties)
  absolute_names(node, fresh)
  if checks.prepare then checks.prepare(store, fresh, properties, old, ctx, target) end
  if ctx.seed then
    lay_given(node, fresh, body)
  else
    references.check(store, target.path, fresh, old)
  end
  fresh.generation = store:next_generation()
  store:put(target.path, fresh)
  if target.parent then touch(store, target.parent, fresh.generation) end
  local inner = setmetatable({ partition = fresh.partition }, { __index = ctx })
  for sub, items in pairs(subs) do replace_sub(store, target.path, sub, items, inner) end
  if node.props.defaultsFrom then pass_on(store, target.path, old, fresh) end
  if checks.changed then
    checks.changed(store, target.path, store:get(target.path), old, ctx, target)
  end
  M.settle(store, target.path, ctx, old)
  return target.path, store:get(target.path)
end

-- Removes what belongs to the object at a path.
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
  if not object then M.not_found(target) end
  local checks = kinds.of(target.template).checks
  if target.node.no_delete then
    error(
      errors.tm(
        400,
        ('"delete" is not supported for %s.'):format(target.template:gsub("/%*", ""):gsub("/", " ")),
        26214401
      ),
      0
    )
  end
  if object._factory then
    validate.refuse_mcpd(
      ("01070734:3: Configuration error: The system default %s (%s) cannot be deleted."):format(
        noun(target),
        object.fullPath
      )
    )
  end
  if checks.removing then checks.removing(store, target.path, object, ctx, target) end
  references.check_unused(store, target.path, object)
  delete_subs(store, target.path, target.node)
  store:put(target.path, nil)
  if target.parent then touch(store, target.parent, store:next_generation()) end
  if checks.removed then checks.removed(store, target.path, object, ctx, target) end
  settle_owner(store, target, ctx)
end

local function singleton(store, target)
  if not store:get(target.path) then
    local object = defaults(target.node)
    object.generation = 1
    store:put(target.path, object)
  end
end

local function target_of(path, ...)
  local target = type(path) == "table" and path or uri.parse(path)
  assert(target, "unknown URI")
  for _, what in ipairs { ... } do
    if target.what == what then return target end
  end
  error("not for this: " .. target.path)
end

function M.create(store, path, body, ctx)
  local target = target_of(path, "collection")
  if target.parent and not store:get(target.parent) then M.not_found(uri.parse(target.parent)) end
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

-- The object of a singleton; it comes into being when it is first looked at.
function M.one(store, path)
  local target = target_of(path, "singleton")
  local object = store:get(target.path)
  if object then return object end
  local fresh = defaults(target.node)
  fresh.generation = 1
  return fresh
end

return M
