-- iControl REST below /mgmt/tm: what each method does with a collection, a resource or a singleton
-- of the store.
local json = require "f5.json"
local Store = require "sim.config.store"
local catalogue = require "sim.config.catalogue"
local commands = require "sim.commands"
local discovery = require "sim.config.discovery"
local errors = require "sim.http.errors"
local example = require "sim.config.example"
local factory = require "sim.factory"
local glob = require "sim.shell.glob"
local indexes = require "sim.config.indexes"
local kinds = require "sim.kinds"
local list_options = require "sim.config.list_options"
local names = require "sim.config.names"
local identity = require "sim.config.identity"
local values = require "sim.config.values"
local paging = require "sim.config.paging"
local pieces = require "sim.http.pieces"
local present = require "sim.config.render"
local snapshot = require "sim.factory.snapshot"
local stats = require "sim.config.stats"
local tmsh = require("sim.lazy") "sim.tmsh.load"
local uri = require "sim.config.uri"
local validate = require "sim.config.validate"

local M = {}

local function context_of(device, request)
  return { user = request.user, now = device:now(), device = device }
end

-- The partition and folder of "$filter=partition eq X"; nil without a filter.
local function filter_of(request)
  local text = request.query["$filter"]
  if not text or text == "" then return nil end
  local name, operator, value = text:match "^%s*(%S+)%s+(%S+)%s+(.-)%s*$"
  if not name then
    error(errors.tm(400, ("invalid query parameter: $filter=%s"):format(text), 1), 0)
  end
  if operator ~= "eq" then
    error(
      errors.tm(
        400,
        ("invalid operator in the query parameter $filter: %s. Only eq is supported."):format(
          operator
        ),
        1
      ),
      0
    )
  end
  if name ~= "partition" then
    error(
      errors.tm(
        400,
        (
          "invalid property in the query parameter $filter: %s. Only partition is supported."
        ):format(
          name
        ),
        1
      ),
      0
    )
  end
  value = value:match "^'(.*)'$" or value:match '^"(.*)"$' or value
  return names.partition(value)
end

-- Whether an object is in the partition of a filter, and in its folder or below.
local function is_in(object, partition, folder)
  if object.partition ~= partition then return false end
  if not folder then return true end
  local below = object.subPath or ""
  return below == folder or below:sub(1, #folder + 1) == folder .. "/"
end

-- Whether an object has a name that matches "?options=PATTERN", which knows * and ? only.
local function matches(object, pattern)
  local plain = pattern:gsub("[%[\\]", "\\%0")
  return glob.matches(object.name or "", plain) or glob.matches(object.fullPath or "", plain)
end

local function get_collection(device, request, target)
  local store = device.store
  local version = names.version(device, request)
  if
    target.parent and not store:get(target.parent) and uri.parse(target.parent).what == "resource"
  then
    identity.not_found(uri.parse(target.parent))
  end
  local partition, folder = filter_of(request)
  local segments = store:segments(target.path)
  local options = request.query.options
  if partition or (options and options ~= "" and options:find "[%*%?]") then
    local pattern = options and options ~= "" and options or "*"
    local few = {}
    for _, segment in ipairs(segments) do
      local object = store:get(target.path .. "/" .. segment)
      local wanted = not partition
        or target.node.flat and target.template ~= "sys/folder" or is_in(object, partition, folder)
      if wanted and matches(object, pattern) then few[#few + 1] = segment end
    end
    segments = few
  end
  local first, last, add_paging =
    paging.page(request, #segments, version, target.shown)
  local wanted = present.wanted(request)
  local context =
    { version = version, expand = request.query.expandSubcollections == "true" }
  local function shown_item(n)
    local segment = segments[first + n - 1]
    local path = target.path .. "/" .. segment
    local at = { node = target.node, template = target.template, path = path }
    context.shown = target.shown .. "/" .. segment
    local shown = present.object(store, at, store:get(path), context)
    return wanted and present.select(shown, wanted) or shown
  end
  local body = {
    kind = target.node.kind .. (target.node.ending or "collectionstate"),
    selfLink = names.link(target.shown, names.query(request, version)),
  }
  local count = last - first + 1
  local response = not add_paging and pieces.list(device, request, body, count, shown_item)
  if response then return response end
  local items = {}
  for n = 1, count do items[n] = shown_item(n) end
  body.items = json.array(items)
  if add_paging then add_paging(body) end
  return { status = 200, body = body }
end

local function get_organizing(device, request, target)
  local version = names.version(device, request)
  local children = discovery.children(device, target.template)
  local first, last, add_paging =
    paging.page(request, #children, version, target.shown)
  local body = discovery.body(
    target, table.move(children, first, last, 1, {}), version, names.query(request, version)
  )
  if add_paging then add_paging(body) end
  return { status = 200, body = body }
end

-- The response with a resource or a singleton. `written`: after a write the links have no query but
-- the version.
local function show(device, request, target, object, written)
  local version = names.version(device, request)
  local shown = present.object(device.store, target, object, {
    version = version,
    expand = not written and request.query.expandSubcollections == "true",
    shown = target.shown,
    short = target.short,
    query = not written and names.query(request, version) or nil,
  })
  local wanted = not written and present.wanted(request)
  return { status = 200, body = wanted and present.select(shown, wanted) or shown }
end

local function get_resource(device, request, target)
  local object = device.store:get(target.path)
  if not object then
    if target.public and #device.store:segments(target.public.collection) >= 0 then
      error(
        errors.tm(
          400,
          ("The %s of which object? Its name must stand before /%s in the URI."):format(
            target.public.sub,
            target.public.sub
          ),
          1
        ),
        0
      )
    end
    identity.not_found(target)
  end
  return show(device, request, target, object)
end

local READERS <const> = {
  collection = get_collection,
  organizing = get_organizing,
  resource = get_resource,
  singleton = function(device, request, target)
    return show(device, request, target, device.store:one(target.path))
  end,
  show = stats.show,
}

local function get(device, request, target)
  local twin = device.twin
  local answer = twin and twin:read(request, target)
  if answer then return answer end
  if target.suffix == "stats" then return stats.get(device, request, target) end
  if target.suffix == "example" then return example.get(device, request, target) end
  return READERS[target.what](device, request, target)
end

local function body_of(request)
  local body = request.json
  if body == nil then validate.nothing_to_do() end
  if type(body) ~= "table" or json.is_array(body) and #body > 0 then
    error(errors.tm(400, "Found invalid JSON body in the request.", 1), 0)
  end
  return body
end

-- Whether a POST is a tmsh command, known or not, rather than a new object. A few kinds have a
-- property `command`.
local function is_command(target, body)
  if body.command == nil then return false end
  return commands.known(body.command) or not (target.node.props or {}).command
end

local function post(device, request, target)
  local body = body_of(request)
  if is_command(target, body) then
    local named = body
    if target.what == "resource" and body.name == nil then
      named = values.shallow(body)  -- the URI has the name
      named.name = target.node.flat and target.id or target.id:gsub("~", "/")
    end
    return commands.run(device, request, target, named)
  end
  if target.what == "organizing" or target.what == "show" then
    error(errors.tm(501, ("The method POST is not implemented for %s."):format(request.path), 1), 0)
  end
  local ctx = context_of(device, request)
  if device.twin then device.twin:write(target, body) end
  if target.what == "collection" then
    local path, object = device.store:create(target, body, ctx)
    if ctx.lost then error(errors.tm(404, ctx.lost, 3), 0) end
    local segment = path:match "[^/]+$"
    if target.node.given_name and segment == "~Common~" .. tostring(body.name) then
      segment = body.name
    end
    local made = {
      what = "resource",
      node = target.node,
      template = target.template,
      path = path,
      shown = target.shown .. "/" .. segment,
      collection = target.path,
    }
    return show(device, request, made, object, true)
  end
  -- A POST to a resource changes it, as tmsh's modify does.
  local _, object = device.store:modify(target, body, ctx)
  return show(device, request, target, object, true)
end

local function unsupported(request, target)
  error(errors.tm(405, ("The method %s is not supported for the %s %s."):format(request.method,
    target.what == "resource" and "resource" or "collection", request.path), 1), 0)
end

local function write(how)
  return function(device, request, target)
    if target.suffix or (target.what ~= "resource" and target.what ~= "singleton") then
      unsupported(request, target)
    end
    local body, options = body_of(request), request.query.options
    if device.twin then device.twin:write(target, body) end
    local store, ctx = device.store, context_of(device, request)
    local meant = how == "modify" and options and kinds.of(target.template).options[options]
    if meant then
      for name, value in pairs(meant) do body[name] = value end
    elseif how == "modify" and options and options ~= "" then
      local path, changed = list_options.modify(store, options, target, body, ctx)
      if path then return show(device, request, target, changed, true) end
    end
    local _, object = store[how](store, target, body, ctx)
    return show(device, request, target, object, true)
  end
end

local function delete(device, request, target)
  local store = device.store
  local ctx = context_of(device, request)
  if target.suffix then unsupported(request, target) end
  if target.what == "resource" then
    store:delete(target, ctx)
    return { status = 200 }
  end
  local options = request.query.options
  if target.what == "collection" and options and options ~= "" then
    local partition, folder = filter_of(request)
    store:atomically(function()
      for _, segment in
        ipairs(table.move(store:segments(target.path), 1, store:count(target.path), 1, {}))
      do
        local path = target.path .. "/" .. segment
        local object = store:get(path)
        if
          object and not object._factory and matches(object, options)
          and (not partition or is_in(object, partition, folder))
        then
          store:delete(path, ctx)
        end
      end
    end)
    return { status = 200 }
  end
  unsupported(request, target)
end

local METHODS <const> = {
  GET = get, HEAD = get, POST = post, PUT = write "replace", PATCH = write "modify",
  DELETE = delete,
}

-- Answers all requests below /mgmt/tm that have no other handler.
function M.handle(device, request)
  if #request.segments == 2 then
    local root =
      { node = { kind = "tm:tm" }, template = "", shown = "/mgmt/tm", what = "organizing" }
    if request.method ~= "GET" then unsupported(request, root) end
    return get_organizing(device, request, root)
  end
  local target = uri.resolve(request.segments)
  request.meant = target -- a twin wants to know it
  if not target or not discovery.present(device, target.template) then
    if device.twin then return device.twin:unknown(request) end
    local module = request.segments[3]
    if
      request.method == "POST" and not target and catalogue.find(module)
      and discovery.present(device, module)
    then
      error(errors.rest(request, 501, "Not implemented: " .. request.path), 0)
    end
    error(errors.not_public(request), 0)
  end
  local method = METHODS[request.method]
  if not method then unsupported(request, target) end
  if device.twin and target.what == "show" and method ~= get then
    return device.twin:not_simulated(request, "what the device does at " .. request.path)
  end
  names.version(device, request)
  return method(device, request, target)
end

function M.install(device)
  local fresh = device.state.objects == nil
  catalogue.relearn(device.state.learned)
  local template = fresh and device.options.template or nil
  device.store = Store.new(device, template and template.store)
  if device.twin then require("sim.twin.store").adopt(device.store, device.twin) end
  indexes.install(device.store)
  if template then
    factory.rename(device, template)
  elseif fresh and not device.twin then
    factory.build(device)
  end
  device.store:watch("/mgmt/tm/sys/provision/", function(path, object)
    device.state.provision[path:match "[^/]+$"] = object and object.level or "none"
  end)
  if device.on_plant then
    device:on_plant(function(_, seed)
      if seed.objects and seed.snapshot then
        snapshot.plant(device, seed)
      elseif seed.objects then
        factory.plant(device, seed.objects)
      end
      if seed.conf then device.refused = tmsh.plant_all(device, seed.conf) end
    end)
  end
  device:route("/mgmt/tm", M.handle)
end

return M
