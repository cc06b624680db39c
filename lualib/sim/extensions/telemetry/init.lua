-- TS (Telemetry Streaming): /mgmt/shared/telemetry. It takes declarations, checks them, keeps them
-- and shows them; it sends no data anywhere.
--
-- state.extensions.ts = { declaration = the one that was declared last, with its defaults }
local order = require "sim.extensions.order"
local schema = require "sim.extensions.telemetry.schema"
local tables = require "sim.tables"

local M = {}

local PREFIX <const> = "/shared/telemetry"
local DEPTH <const> = 30 -- of the order of members in a declaration

local MESSAGES <const> = {
  [404] = "Not Found", [405] = "Method Not Allowed", [415] = "Unsupported Media Type",
  [422] = "Unprocessable entity", [500] = "Internal Server Error", [501] = "Not Implemented",
}

local function refuse(status, problem)
  error({
    status = status, body = { code = status, message = MESSAGES[status], error = problem },
  }, 0)
end

local function version(device) return require("sim.extensions").version(device, "ts") end

local function state_of(device) return device.state.extensions.ts end

local function path_of(parts)
  return PREFIX .. (#parts > 0 and "/" .. table.concat(parts, "/") or "")
end

local function not_found(parts) refuse(404, "Bad URL: " .. path_of(parts)) end

-- -- info --

local function info(device)
  local installed, release = version(device)
  return {
    branch = "no-gitbranch", buildID = "no-githash", buildTimestamp = "no-buildtimestamp",
    fullVersion = installed .. "-" .. release, nodeVersion = "v8.11.1", release = release,
    schemaCurrent = installed, schemaMinimum = "0.9.0", version = installed,
  }
end

-- -- declare --

-- What is declared; at first the empty declaration.
local function declared(device)
  local state = state_of(device)
  if not state.declaration then
    local empty = { class = "Telemetry" }
    schema.check(device, empty, { version = version(device) })
    state.declaration = empty
  end
  return state.declaration
end

-- Checks a whole declaration, and whether its pointers mean something.
local function check(device, declaration, keys)
  local options = { version = version(device), order = keys }
  local problem = schema.check(device, declaration, options)
  if problem then refuse(422, problem) end
  options.expand = true
  problem = schema.check(device, tables.copy(declaration), options)
  if problem then refuse(422, problem) end
end

-- Declares one namespace beside what there is.
local function declare_namespace(device, name, body, keys)
  local problem = schema.check(device, tables.copy(body), { namespace = true, order = keys })
  if problem then refuse(422, problem) end
  local all = tables.copy(declared(device))
  local before = all[name]
  if type(before) == "table" and before.class ~= "Telemetry_Namespace" then
    refuse(500, ('Unable to override existing object with name "%s" and "class" different from '
      .. '"Telemetry_Namespace"'):format(name))
  end
  all[name] = body
  check(device, all, { keys = {}, [name] = keys })
  state_of(device).declaration = all
  return all[name]
end

local function read_body(request)
  local text = request.body
  if text == nil or text == "" then return {}, nil end
  local kind = tostring(request.headers["content-type"] or ""):lower()
  if kind ~= "application/json" then refuse(415, "Accepted Content-Type: application/json") end
  if request.json == nil then refuse(500, "the body is not JSON") end
  return request.json, order.read(text, DEPTH)
end

local function declare(device, request, parts)
  local name = parts[1] == "namespace" and parts[2] or nil
  if request.method == "GET" then
    local found = declared(device)
    if name then
      found = found[name]
      if type(found) ~= "table" or next(found) == nil then not_found(parts) end
    end
    return { message = "success", declaration = found }
  end
  local body, keys = read_body(request)
  body = type(body) == "table" and tables.copy(body) or body
  if name then
    return { message = "success", declaration = declare_namespace(device, name, body, keys) }
  end
  check(device, body, keys)
  state_of(device).declaration = body
  return { message = "success", declaration = body }
end

-- -- data --

-- The objects of a namespace, or of the declaration itself.
local function objects(device, name)
  local found = declared(device)
  if name then found = found[name] end
  return type(found) == "table" and found or {}
end

-- Data for a consumer that asks for it: the simulated TS collects none.
local function pull(device, _, parts)
  local name = parts[1] == "namespace" and parts[2] or nil
  local consumer = objects(device, name)[parts[#parts]]
  local is_there = type(consumer) == "table" and consumer.class == "Telemetry_Pull_Consumer"
    and consumer.enable ~= false
  if not is_there then not_found(parts) end
  refuse(501, "pull consumers are not simulated: the simulated TS collects no data")
end

local function has_debug(device)
  for _, object in pairs(declared(device)) do
    if type(object) == "table" and object.class == "Controls" then return object.debug == true end
  end
  return false
end

-- An event for a listener. Only `debug` of the controls opens this path.
local function event(device, _, parts)
  if not has_debug(device) then not_found(parts) end
  local name = parts[1] == "namespace" and parts[2] or nil
  local listener = objects(device, name)[parts[#parts]]
  if type(listener) ~= "table" or listener.class ~= "Telemetry_Listener" then not_found(parts) end
  refuse(501, "events are not simulated: the simulated TS sends no data")
end

-- -- routes --

-- Path -> methods; ":" stands for a name. Each may also stand below namespace/NAME.
local ROUTES <const> = {
  { { "info" }, { GET = info } },
  { { "declare" }, { GET = declare, POST = declare }, namespace = true },
  { { "pullconsumer", ":" }, { GET = pull }, namespace = true },
  { { "eventListener", ":" }, { POST = event }, namespace = true },
}

local function fits(path, parts, from)
  if #parts - from ~= #path then return false end
  for i, word in ipairs(path) do
    if word ~= ":" and word ~= parts[from + i] then return false end
  end
  return true
end

local function find_route(parts)
  for _, route in ipairs(ROUTES) do
    if fits(route[1], parts, 0) then return route[2] end
    if route.namespace and parts[1] == "namespace" and fits(route[1], parts, 2) then
      return route[2]
    end
  end
  return not_found(parts)
end

--- Answers a request.
function M.handle(device, request)
  local parts = table.move(request.segments, 4, #request.segments, 1, {})
  local methods = find_route(parts)
  local run = methods[request.method]
  if not run then
    local allowed = {}
    for name in pairs(methods) do allowed[#allowed + 1] = name end
    table.sort(allowed)
    refuse(405, "Allowed methods: " .. table.concat(allowed, ", "))
  end
  return { status = 200, body = run(device, request, parts) }
end

--- The declaration stays when restnoded restarts.
function M.restarted() end

function M.install(device)
  device.state.extensions.ts = device.state.extensions.ts or {}
end

return M
