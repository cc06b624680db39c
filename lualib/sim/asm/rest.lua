-- REST below /mgmt/tm/asm: what each method does with a collection, an entity, settings or an
-- organizing collection.
--
-- ASM differs from the rest of the configuration: ids are hashes, queries are OData, PATCH and
-- DELETE take a filter, there is no PUT, and errors come in the envelope of restjavad. Specs
-- (sim/asm/schema.lua) can have hooks, see sim/asm/hooks.lua.
local json = require "f5.json"
local entity = require "sim.asm.entity"
local errors = require "sim.http.errors"
local hooks = require "sim.asm.hooks"
local odata = require "sim.asm.odata"
local policies = require "sim.asm.policy"
local tasks = require "sim.asm.tasks"
local tree = require "sim.asm.tree"

local M = {}

local refuse <const> = entity.refuse
local PAGE <const> = 500
local ALL_METHODS <const> = "GET,POST,PATCH,DELETE"
local PARAMETERS <const> = {
  ver = true,
  ["$filter"] = true,
  ["$select"] = true,
  ["$expand"] = true,
  ["$orderby"] = true,
  ["$top"] = true,
  ["$skip"] = true,
  ["$apply"] = true,
  ["$inlinecount"] = true,
  ["$count"] = true,
}

local function allows(spec, method)
  return ("," .. (spec.methods or ALL_METHODS) .. ","):find("," .. method .. ",", 1, true) ~= nil
end

-- -- links --

local function version_of(device, request)
  return request.query.ver or device.version.version
end

local function link(device, request, path)
  return ("https://localhost%s?ver=%s"):format(path, version_of(device, request))
end

local function escape(text)
  return (
    text
      :gsub("[^%w%-._~$*/']", function(char) return ("%%%02X"):format(char:byte()) end)
      :gsub("/", "%%2F")
  )
end

-- The selfLink repeats the query of the request.
local function self_link(device, request, path)
  local parts = {}
  for _, name in ipairs(request.query_order or {}) do
    if name ~= "ver" then parts[#parts + 1] = name .. "=" .. escape(request.query[name]) end
  end
  parts[#parts + 1] = "ver=" .. version_of(device, request)
  return "https://localhost" .. path .. "?" .. table.concat(parts, "&")
end

-- A copy for a response: links are complete, internal properties are left out.
local function present(device, request, value)
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for name, member in pairs(value) do
    if name == "link" and type(member) == "string" and member:find("^/") then
      copy[name] = link(device, request, member)
    elseif type(name) ~= "string" or name:sub(1, 1) ~= "_" then
      copy[name] = present(device, request, member)
    end
  end
  return copy
end

-- -- bodies --

--- Whether another entity of the policy links to this one.
local function referenced(context)
  local bare = context:link()
  local function search(value)
    if type(value) ~= "table" then return false end
    for name, member in pairs(value) do
      if (name == "link" and member == bare) or search(member) then return true end
    end
    return false
  end
  local function below(record)
    if record.data and record ~= context.record and search(record.data) then return true end
    for _, child in pairs(record.items or record.children or {}) do
      if child ~= context.record and below(child) then return true end
    end
    return false
  end
  return context.policy ~= nil and below(context.policy.record)
end

--- The body of an entity: its data, its kind, and links to its children.
local function body_of(context, request)
  local device, spec = context.device, context.spec
  local body = present(device, request, context.record.data)
  body.kind = context:kind()
  body.selfLink = link(device, request, context:link())
  if spec.type ~= "organizer" then
    for _, child in ipairs(spec.children or {}) do
      if child.ref then
        body[child.ref] = {
          link = link(device, request, context:link() .. "/" .. child.path),
          isSubCollection = child.type ~= "singleton" or nil,
        }
      end
    end
  end
  if spec.referenced then body.isReferenced = referenced(context) end
  local render = hooks.of(spec).render
  if render then
    render(context, body, function(value) return present(device, request, value) end)
  end
  return body
end
M.body_of = body_of

local function organizer_body(context, request)
  local device = context.device
  local items = json.array {}
  for _, child in ipairs(context.spec.children) do
    local path = (context.path == "" and "/mgmt/tm/asm" or context:link())
      .. "/" .. child.path
    items[#items + 1] = { reference = { link = link(device, request, path) } }
  end
  local body = {
    kind = context:kind(), items = items,
    selfLink = self_link(device, request, context.path == "" and "/mgmt/tm/asm" or context:link()),
  }
  for index, child in ipairs(context.spec.children) do
    if child.ref then
      body[child.ref] = { link = items[index].reference.link, isSubCollection = true }
    end
  end
  return body
end

-- -- expansion --

local function plain_children(context, request)
  if context.spec.type == "organizer" then return organizer_body(context, request) end
  if context.spec.type ~= "collection" then return body_of(context, request) end
  local list = json.array {}
  for index, item in ipairs(context:items()) do list[index] = body_of(item, request) end
  return list
end

-- $expand with the path of a child replaces the link by the child (as recorded). With the name of a
-- reference it adds the target beside the link.
local function expand(context, request, body, names)
  for _, name in ipairs(names) do
    local child = context:child(name)
    local by_path = child ~= nil
    for _, spec in ipairs(child and {} or context.spec.children or {}) do
      if spec.ref == name then child = context:child(spec.path) end
    end
    if child and by_path then
      body[name] = plain_children(child, request)
      if child.spec.ref then body[child.spec.ref] = nil end
    elseif child then
      local inner = plain_children(child, request)
      if child.spec.type == "collection" then body[name].items = inner
      else for key, value in pairs(inner) do body[name][key] = value end end
    elseif type(body[name]) == "table" and body[name].link then
      local target = tree.follow(context.device, body[name].link)
      if target then
        for key, value in pairs(body_of(target, request)) do body[name][key] = value end
      end
    elseif entity.known(context.spec, name) == nil or not name:find("Reference$") then
      odata.fail("'%s' cannot be expanded", name)
    end
  end
end

-- -- reading --

local function check_query(request)
  for name in pairs(request.query) do
    if not PARAMETERS[name] then
      refuse(("The query parameter '%s' is not supported."):format(name))
    end
  end
end

-- Refuses properties that no entity of this kind can have.
local function check_properties(context, request, paths)
  local spec = context.spec
  local seen
  for _, path in pairs(paths) do
    local name = path[1]
    local ok = name == "id"
      or name == "kind" or name == "selfLink" or name == "lastUpdateMicros"
      or entity.known(spec, name) ~= nil
    for _, child in ipairs(spec.children or {}) do
      ok = ok or child.ref == name or child.path == name
    end
    if not ok and not seen then
      seen = {}
      for _, item in ipairs(context:items()) do
        for key in pairs(body_of(item, request)) do seen[key] = true end
      end
    end
    if not ok and not seen[name] then
      odata.fail("'%s' is not a property of %s", name, context:kind())
    end
  end
end

-- The entities of a request, as pairs { context =, body = }.
local function matching(context, request)
  local tree_of = request.query["$filter"] and odata.parse_filter(request.query["$filter"])
  local holds = tree_of and odata.predicate(tree_of)
  if tree_of then check_properties(context, request, odata.properties(tree_of)) end
  local found = {}
  for _, item in ipairs(context:items()) do
    local body = body_of(item, request)
    if not holds or holds(body) then found[#found + 1] = { context = item, body = body } end
  end
  return found
end

local function ordered(context, request, found)
  if not request.query["$orderby"] then return found end
  local keys = odata.parse_orderby(request.query["$orderby"])
  local expanded = {}
  for _, name in ipairs(odata.parse_expand(request.query["$expand"] or "")) do
    expanded[name], expanded[name:gsub("Reference$", "")] = true, true
  end
  local paths = {}
  for index, key in ipairs(keys) do
    if #key.path > 1 and expanded[key.path[1]] then
      odata.fail(
        "$orderby cannot be applied to '%s', a subfield of an expanded field",
        table.concat(key.path, "/")
      )
    end
    paths[index] = key.path
  end
  check_properties(context, request, paths)
  for _, key in ipairs(keys) do key.path = { "body", table.unpack(key.path) } end
  return odata.order(found, keys)
end

local function get_collection(context, request)
  local device, query = context.device, request.query
  local found = ordered(context, request, matching(context, request))
  local paths, aggregates = nil, nil
  if query["$select"] then paths, aggregates = odata.parse_select(query["$select"]) end
  if query["$apply"] then aggregates = odata.parse_apply(query["$apply"]) end
  local answer = {
    kind = context:kind(true),
    selfLink = self_link(device, request, context:link()),
    totalItems = #found,
    items = json.array {},
  }
  if aggregates and #aggregates > 0 then
    local bodies, properties = {}, {}
    for index, one in ipairs(found) do bodies[index] = one.body end
    for index, item in ipairs(aggregates) do properties[index] = item.path end
    check_properties(context, request, properties)
    answer.totalItems, answer.items[1] = 1, odata.aggregate(bodies, aggregates)
    return { status = 200, body = answer }
  end
  local skip = query["$skip"] and odata.parse_count(query["$skip"], "$skip") or 0
  local top = query["$top"] and odata.parse_count(query["$top"], "$top") or PAGE
  local names = query["$expand"] and odata.parse_expand(query["$expand"])
  for position = skip + 1, math.min(skip + top, #found) do
    local one = found[position]
    if names then expand(one.context, request, one.body, names) end
    answer.items[#answer.items + 1] = paths
        and odata.project(one.body, paths, { "kind", "selfLink" })
      or one.body
  end
  return { status = 200, body = answer }
end

local function get_element(context, request)
  local body = body_of(context, request)
  body.selfLink = self_link(context.device, request, context:link())
  local query = request.query
  if query["$expand"] then expand(context, request, body, odata.parse_expand(query["$expand"])) end
  if query["$select"] then
    body = odata.project(body, odata.parse_select(query["$select"]), { "kind", "selfLink" })
  end
  return { status = 200, body = body }
end

-- -- writing --

local function check_links(context, object)
  for name, value in pairs(object) do
    if type(value) == "table" and type(value.link) == "string" and name:find("Reference$") then
      if value.link:find("^/mgmt/tm/asm/") and not tree.follow(context.device, value.link) then
        refuse(("Could not find what '%s' refers to: %s"):format(name, value.link))
      end
    end
  end
end

local function create(context, request)
  local spec, body = context.spec, request.json or {}
  if not allows(spec, "POST") then
    refuse(("Method POST is not supported for %s."):format(context:link()), 405)
  end
  local make = spec.task and tasks.create or hooks.of(spec).create
  if make then
    local made = make(context, body, request)
    return { status = 201, body = body_of(made, request) }
  end
  local object = entity.create(spec, body)
  check_links(context, object)
  if hooks.of(spec).before_create then hooks.of(spec).before_create(context, object, body) end
  local made = context:insert(object)
  if not made then
    refuse(
      ("Could not add the %s '%s'. It already exists."):format(
        spec.kind,
        entity.natural_key(spec, object)
      )
    )
  end
  policies.touch(made, "add", object, request.user)
  if hooks.of(spec).after_change then hooks.of(spec).after_change(made, object) end
  return { status = 201, body = body_of(made, request) }
end

local function modify(context, request, body)
  local spec = context.spec
  local changes = entity.accept(spec, body)
  check_links(context, changes)
  local before_change = hooks.of(spec).before_change
  if before_change then before_change(context, changes, request.user) end
  if next(changes) == nil then return end
  entity.merge(spec, context.record.data, changes)
  if context.record.data.lastUpdateMicros then
    context.record.data.lastUpdateMicros = entity.micros(context.device:now())
  end
  policies.touch(context, "update", changes, request.user)
  if hooks.of(spec).after_change then hooks.of(spec).after_change(context, changes) end
end

local function delete(context, request)
  local spec = context.spec
  if hooks.of(spec).before_delete then hooks.of(spec).before_delete(context) end
  if spec.referenced and referenced(context) then
    refuse(
      ("Could not delete the %s '%s'. It is referenced."):format(
        spec.kind,
        entity.natural_key(spec, context.record.data)
      )
    )
  end
  local body = body_of(context, request)
  context:remove()
  if context.policy ~= context then policies.touch(context, "delete", nil, request.user) end
  if hooks.of(spec).after_delete then hooks.of(spec).after_delete(context) end
  return body
end

local function write_many(context, request)
  local spec, method = context.spec, request.method
  if not allows(spec, method) or not spec.many then
    refuse(("%s of many is not supported for %s."):format(method, context:link()), 405)
  end
  if method == "PATCH" and not request.query["$filter"] then
    refuse("To update a collection, name the entities with $filter.")
  end
  if method == "PATCH" and not request.json then refuse("A JSON body is needed.") end
  local items = json.array {}
  for index, one in ipairs(matching(context, request)) do
    if method == "DELETE" then
      items[index] = delete(one.context, request)
    else
      modify(one.context, request, request.json)
      items[index] = body_of(one.context, request)
    end
  end
  return {
    status = 200,
    body = {
      kind = context:kind(true),
      selfLink = self_link(context.device, request, context:link()),
      totalItems = #items,
      items = items,
    },
  }
end

-- -- the handler --

local function not_found(_, request, collection, id)
  if collection then
    return errors.rest(
      request,
      404,
      ("Could not find the %s with id '%s'."):format(collection.spec.kind, id)
    )
  end
  return errors.not_public(request)
end

local function example(context, request)
  local body = entity.example(context.spec)
  body.kind = context:kind()
  body.selfLink = link(context.device, request, context:link() .. "/example")
  return { status = 200, body = body }
end

local function answer(device, request)
  local method, segments = request.method, request.segments
  check_query(request)
  local wants_example = false
  if segments[#segments] == "example" then
    wants_example = true
    segments = table.move(segments, 1, #segments - 1, 1, {})
  end
  local context, collection, id = tree.resolve(device, segments, 4)
  if not context then return not_found(device, request, collection, id) end
  if wants_example then
    if method ~= "GET" or context.spec.type == "organizer" then
      return errors.not_public(request)
    end
    return example(context, request)
  end
  if method == "PUT" then
    refuse("Method PUT is not supported. Use PATCH to modify and POST to create.", 405)
  end
  if context.spec.type == "organizer" then
    if method ~= "GET" then
      refuse(("Method %s is not supported for %s."):format(method, request.path), 405)
    end
    return { status = 200, body = organizer_body(context, request) }
  end
  if not context.element then
    if method == "GET" or method == "HEAD" then return get_collection(context, request) end
    if method == "POST" then return create(context, request) end
    if method == "PATCH" or method == "DELETE" then return write_many(context, request) end
  else
    if method == "GET" or method == "HEAD" then return get_element(context, request) end
    local singleton = context.spec.type == "singleton"
    if method == "PATCH" and allows(context.spec, "PATCH") then
      if not request.json then refuse("A JSON body is needed.") end
      modify(context, request, request.json)
      return { status = 200, body = body_of(context, request) }
    end
    if method == "DELETE" and not singleton and allows(context.spec, "DELETE") then
      return { status = 200, body = delete(context, request) }
    end
  end
  refuse(("Method %s is not supported for %s."):format(method, request.path), 405)
end

--- Answers a request below /mgmt/tm/asm.
function M.handle(device, request)
  if not device:is_provisioned("asm") then return errors.not_public(request) end
  local ok, result = xpcall(answer, function(problem)
    if type(problem) == "table" then return problem end
    return debug.traceback(tostring(problem), 2)
  end, device, request)
  if ok then return result end
  if type(result) == "table" and result.refused then
    return errors.rest(request, result.code, result.refused)
  end
  if type(result) == "table" and result.odata then
    return errors.rest(request, 400, "Could not process the query: " .. result.odata .. ".")
  end
  error(result, 0)
end

return M
