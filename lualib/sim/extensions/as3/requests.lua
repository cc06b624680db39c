-- What a request to AS3 asks for: the parts of the path, the parameters of the query, the wrapper
-- around the declaration. What is wrong is refused with AS3's own words.
local json = require "f5.json"
local order = require "sim.extensions.order"
local stored = require "sim.extensions.as3.stored"

local M = {}

local function refuse(status, format, ...)
  local message = select("#", ...) > 0 and format:format(...) or format
  error({ status = status, body = { code = status, message = message } }, 0)
end
M.refuse = refuse

-- -- path --

-- How many segments follow /mgmt/shared/appsvcs, for each resource.
local LENGTHS <const> = { info = 1, settings = 1, task = 2, declare = 2 }
local APPLICATIONS <const> = {
  POST = { [3] = true }, GET = { [3] = true, [4] = true }, DELETE = { [4] = true },
  PUT = { [4] = true },
}

--- The parts of the path: resource, and what follows. Refuses paths that AS3 does not have.
function M.path(request)
  local parts = table.move(request.segments, 4, #request.segments, 1, {})
  local longest = LENGTHS[parts[1]]
  local of_app = parts[1] == "declare" and parts[3] == "applications"
    and (APPLICATIONS[request.method] or {})[#parts]
  if not longest or #parts > longest and not of_app then
    refuse(400, "Bad Request: Invalid path")
  end
  return parts
end

-- The tenants of a path: "T1,T2".
local function names_of(text)
  local list, seen = {}, {}
  if text == nil or text == "*" then return list end
  for name in text:gmatch "[^,%s]+" do
    if not seen[name] then list[#list + 1] = name end
    seen[name] = true
  end
  return list
end

-- -- query --

local LEVELS <const> = {
  emergency = true, alert = true, critical = true, error = true, warning = true, notice = true,
  info = true, debug = true,
}
local METHODS <const> = { GET = "Get", POST = "Post", PATCH = "Patch", DELETE = "Delete" }

local function truth(name, value)
  value = value:lower()
  if value ~= "true" and value ~= "false" then
    refuse(400, '%s must be "true" or "false"', name)
  end
  return value == "true"
end

local function optional_truth(name, value)
  if value == "" then return false end
  return truth(name, value)
end

local PARAMETERS <const> = {
  show = function(asked, value)
    value = value:lower()
    if value ~= "" and value ~= "base" and value ~= "full" and value ~= "expanded" then
      refuse(400, 'show must be "base", "full", or "expanded"')
    end
    asked.show = value ~= "" and value or "base"
  end,
  age = function(asked, value)
    if asked.method ~= "GET" then
      refuse(400, 'query param "age" is not allowed for method %s', METHODS[asked.method])
    end
    if value == "list" then
      asked.age = value
    elseif value:find "^%d%d?$" then
      asked.age = math.tointeger(tonumber(value))
      if asked.age > 15 then
        refuse(400, 'invalid age value "%s" - must be between 0-15 or "list"', value)
      end
    else
      refuse(400, 'invalid age value "%s" - must be a number between 0-15 or "list"', value)
    end
  end,
  filterClass = function(asked, value)
    if asked.method == "DELETE" then
      refuse(400, 'query param "filterClass" is not allowed for method Delete')
    end
    asked.filter_class = value
  end,
  showHash = function(asked, value)
    if asked.method == "DELETE" then
      refuse(400, 'query param "showHash" is not allowed for method Delete')
    end
    asked.show_hash = optional_truth("showHash", value)
  end,
  async = function(asked, value)
    if asked.method == "GET" then
      refuse(400, 'query param "async" is not allowed for method=GET or action=retrieve.')
    end
    asked.async = optional_truth("async", value)
  end,
  unsafe = function(asked, value) asked.unchecked = optional_truth("unchecked", value) end,
  unchecked = function(asked, value) asked.unchecked = optional_truth("unchecked", value) end,
  ["controls.logLevel"] = function(asked, value)
    if not LEVELS[value:lower()] then
      refuse(
        400,
        'logLevel must be "emergency", "alert", "critical", "error", "warning", "notice", "info", '
          .. 'or "debug"'
      )
    end
    asked.controls.logLevel = value:lower()
  end,
  ["controls.userAgent"] = function(asked, value) asked.controls.userAgent = value end,
}
for _, name in ipairs { "trace", "traceResponse", "dryRun" } do
  PARAMETERS["controls." .. name] = function(asked, value)
    asked.controls[name] = truth(name, value)
  end
end

--- Reads the query.
-- @param has_controls whether this version takes `controls.…`
function M.query(request, has_controls)
  local asked = { method = request.method, show = "base", controls = {} }
  for _, name in ipairs(request.query_order) do
    local read = PARAMETERS[name]
    if not read or not has_controls and name:find "^controls%." then
      refuse(400, 'unrecognized URL query parameter "%s"', name)
    end
    read(asked, request.query[name])
  end
  return asked
end

-- -- body --

local ACTIONS <const> = { "deploy", "dry-run", "patch", "redeploy", "retrieve", "remove" }
local IS_ACTION <const> = {}
for _, name in ipairs(ACTIONS) do IS_ACTION[name] = true end

local function invalid(format, ...) refuse(422, "Invalid request: " .. format:format(...)) end

local function is_object(value)
  return type(value) == "table" and not json.is_array(value) and #value == 0
end

local function check_number(wrapper, name, least, most)
  local value = wrapper[name]
  if value == nil then return end
  if type(value) ~= "number" then invalid("/%s: should be number", name) end
  if value < least then invalid("/%s: should be >= %d", name, least) end
  if value > most then invalid("/%s: should be <= %d", name, most) end
end

local function check_kind(wrapper, name, kind)
  if wrapper[name] ~= nil and type(wrapper[name]) ~= kind then
    invalid("/%s: should be %s", name, kind)
  end
end

-- A wrapper, and what is in it.
local function check_wrapper(wrapper)
  if not is_object(wrapper) then invalid("/: should be object") end
  if wrapper.class ~= "AS3" then invalid('/class: should be equal to constant "AS3"') end
  if wrapper.action ~= nil and not IS_ACTION[wrapper.action] then
    invalid(
      '/action: should be equal to one of the allowed values ["%s"]', table.concat(ACTIONS, '","')
    )
  end
  check_number(wrapper, "redeployAge", 0, 15)
  check_number(wrapper, "historyLimit", 2, 15)
  check_number(wrapper, "resourceTimeout", 1, 900)
  check_number(wrapper, "targetTimeout", 1, 900)
  check_number(wrapper, "targetPort", 0, 65535)
  check_kind(wrapper, "persist", "boolean")
  check_kind(wrapper, "trace", "boolean")
  check_kind(wrapper, "syncToGroup", "string")
  check_kind(wrapper, "targetHost", "string")
  if wrapper.logLevel ~= nil and not LEVELS[wrapper.logLevel] then
    invalid("/logLevel: should be equal to one of the allowed values")
  end
  if wrapper.declaration ~= nil and wrapper.patchBody ~= nil then
    invalid("/: declaration is NOT valid")
  end
  local declaration = wrapper.declaration
  if declaration ~= nil then
    if not is_object(declaration) then invalid("/declaration: should be object") end
    if declaration.class == nil then
      invalid("/declaration: should have required property 'class'")
    end
    if declaration.class ~= "ADC" then
      invalid('/declaration/class: should be equal to constant "ADC"')
    end
  end
  if wrapper.patchBody ~= nil then
    if type(wrapper.patchBody) ~= "table" or #wrapper.patchBody == 0 then
      invalid("/patchBody: should NOT have fewer than 1 items")
    end
  end
end

-- A bare declaration gets its wrapper.
local function wrap(body, keys)
  if is_object(body) and (body.class == nil or body.class == "ADC") and not body.declaration then
    return { class = "AS3", action = "deploy", declaration = body }, { declaration = keys or {} }
  end
  return body, keys or {}
end

local function check_action(task, in_path)
  local action = task.action
  if task.retrieveAge and action ~= "retrieve" then
    refuse(400, 'retrieveAge value is not allowed for action "%s". use only with "retrieve"',
      action)
  end
  if action ~= "redeploy" and (task.redeployAge or 0) > 0 then
    refuse(400, 'redeployAge is valid only with action "redeploy"')
  end
  if action ~= "redeploy" and (task.redeployUpdateMode or "original") ~= "original" then
    refuse(400, 'redeployUpdateMode is valid only with action "redeploy"')
  end
  if action == "patch" and not task.patchBody then
    refuse(400, "for action 'patch', a patchBody must be included - refer to AS3 docs for details")
  end
  if action ~= "patch" and task.patchBody then
    refuse(400, "patchBody is valid only with action 'patch'")
  end
  if task.declaration and action ~= "deploy" and action ~= "dry-run" then
    refuse(400, 'for action "%s", a declaration is not allowed.', action)
  end
  if not task.declaration and (action == "deploy" or action == "dry-run") then
    refuse(400, 'for action "%s", a declaration is required.', action)
  end
  if action == "redeploy" and #in_path > 0 then
    refuse(400, 'action "redeploy" is not allowed for URI /shared/appsvcs/declare/%s',
      table.concat(in_path, ","))
  end
end

-- A request for another device than this one is not simulated.
local function check_target(task)
  local host = task.targetHost
  if host and host ~= "" and host ~= "localhost" and host ~= "127.0.0.1" and host ~= "::1" then
    refuse(422, "targetHost: another target than localhost is not simulated")
  end
  if task.syncToGroup and task.syncToGroup ~= "" then
    refuse(422, "syncToGroup: the synchronization by AS3 is not simulated")
  end
end

-- The options that a declaration has in `controls`, with those of the query before them.
local function read_controls(task, asked)
  local declaration = task.declaration or {}
  local own = is_object(declaration.controls) and declaration.controls or {}
  local function control(name)
    local given = asked.controls[name]
    if given ~= nil then return given end
    return own[name]
  end
  task.dry_run = task.action == "dry-run" or control "dryRun" == true
  task.warnings = {}
  for name, tenant in pairs(declaration) do
    local controls = stored.is_tenant(tenant) and tenant.controls
    if is_object(controls) and controls.traceResponse == true then
      task.traced = task.traced or {}
      task.traced[name] = true
    end
    if is_object(controls) and controls.dryRun == true and asked.controls.dryRun ~= false then
      task.dry_run = true
      task.warnings[name] = json.array {
        { tenant = name, message = "dryRun true found in Tenant controls" },
      }
    end
  end
  task.debug = (control "logLevel" or task.logLevel) == "debug"
  task.traces = control "traceResponse" == true
  task.wants_changes = task.debug
  task.history_limit, task.show = task.historyLimit, asked.show
  if task.action == "dry-run" then task.action = "deploy" end
end

local function read_body(request)
  if request.json ~= nil then return request.json, order.read(request.body, 4) end
  if request.body == nil or request.body == "" then
    refuse(408, "Request exceeded iControl LX timeout")
  end
  refuse(400, "cannot parse JSON POST payload")
end

--- The tasks of a request to `declare`: a list, and whether the body was an array of requests.
-- @param in_path names of tenants in the path
function M.tasks(request, asked, in_path)
  local method = request.method
  local list, is_list = {}, false
  if method == "GET" then
    list[1] = { class = "AS3", action = "retrieve" }
  elseif method == "DELETE" then
    list[1] = { class = "AS3", action = "remove" }
  else
    local body, keys = read_body(request)
    local is_wrapper = is_object(body) and body.class == "AS3"
    if method == "PATCH" and not is_wrapper then
      list[1] = { class = "AS3", action = "patch", patchBody = body }
    elseif #body > 0 then
      is_list = #body > 1
      for i, one in ipairs(body) do
        local task, known = wrap(one, keys[i])
        list[i] = is_object(task) and setmetatable({ keys = known }, { __index = task }) or task
      end
    else
      local task, known = wrap(body, keys)
      if not is_object(task) or json.is_array(body) then invalid("/: should be object") end
      list[1] = setmetatable({ keys = known }, { __index = task })
    end
  end
  for _, task in ipairs(list) do
    local wrapper = getmetatable(task) and getmetatable(task).__index or task
    check_wrapper(wrapper)
    task.action = task.action or "deploy"
    check_action(task, in_path)
    check_target(task)
    if method ~= "PATCH" or task.declaration then read_controls(task, asked) end
    local known = task.keys and task.keys.declaration
    task.order = known and known.keys or nil
    task.show, task.history_limit = asked.show, task.historyLimit
  end
  return list, is_list
end

--- The names of the tenants in a path.
M.names = names_of

return M
