--- The shape of a manifest. Whoever may submit runs may store any text as one.

local json = require "f5.json"

local M = {}

--- Of the option `parallel` of f5.connect.
M.MOST_PARALLEL = 1000

local function is_object(value) return type(value) == "table" and not json.is_array(value) end

-- The first field of a table that is there with another type; nil: none. What is not named may be
-- anything.
local function wrong_field(value, types)
  for name, wanted in pairs(types) do
    local field <const> = value[name]
    local fits <const> = field == nil or type(field) == wanted or math.type(field) == wanted
    if not fits then return name end
  end
  return nil
end

local function strings_fault(list, what)
  if not json.is_array(list) then return what .. " are no list" end
  for _, word in ipairs(list) do
    if type(word) ~= "string" then return what .. " are not texts" end
  end
  return nil
end

local OPTIONS <const> = {
  canary = "integer", batch = "integer", max_failures = "number", per_device = "integer",
  apply_of = "integer", check = "boolean", force = "boolean", save = "boolean", on = "string",
}

local function options_fault(options)
  if not is_object(options) then return "its options are no object" end
  local name <const> = wrong_field(options, OPTIONS)
  if name then return ("its option %s has a wrong type"):format(name) end
  local per_device <const> = options.per_device or 1
  if per_device < 1 or per_device > M.MOST_PARALLEL then
    return ("its option per_device is %d, not from 1 to %d"):format(per_device, M.MOST_PARALLEL)
  end
  if options.on and options.on ~= "active" then return "its option on is not 'active'" end
  return nil
end

local CONNECT <const> = {
  host = "string", port = "number", timeout = "number", password_env = "string",
  password_command = "string",
}

-- The part of a record or of a plan that an entry names.
local PART <const> = { position = "integer", entry = "string", sha256 = "string" }

local function part_fault(part, what)
  if part == nil then return nil end
  if not is_object(part) or wrong_field(part, PART) or not part.sha256
    or not (part.position or part.entry)
  then
    return ("its %s is damaged"):format(what)
  end
  return nil
end

local function connect_fault(connect)
  if not is_object(connect) then return "its connect is no object" end
  if not connect.host then return "it has no host" end
  local name <const> = wrong_field(connect, CONNECT)
  if name then return ("its %s has a wrong type"):format(name) end
  for option, value in pairs(connect) do
    if value == json.null then return ("its %s is null"):format(option) end
  end
  local timeout <const> = connect.timeout or 1
  return timeout <= 0 and "its timeout is not positive" or nil
end

local function device_fault(entry, kind)
  if not is_object(entry) then return "it is no object" end
  if type(entry.name) ~= "string" then return "it has no name" end
  if type(entry.address) ~= "string" then return "it has no address" end
  if math.type(entry.wave) ~= "integer" then return "it has no wave" end
  if entry.vars ~= nil and not is_object(entry.vars) then return "its vars are no object" end
  if entry.pair ~= nil and type(entry.pair) ~= "string" then return "its pair is no text" end
  if kind == "undo" and not entry.undo then return "it names no change record" end
  return strings_fault(entry.groups, "its groups") or strings_fault(entry.tags, "its tags")
    or part_fault(entry.undo, "change record") or part_fault(entry.plan, "plan")
    or connect_fault(entry.connect)
end

--- What is wrong with a manifest; nil: it has the shape that f5.queue.manifest makes.
-- @param content any: decoded JSON
function M.fault(content)
  for _, name in ipairs { "kind", "archive", "playbook" } do
    if type(content[name]) ~= "string" then return ("it has no %s"):format(name) end
  end
  local fault <const> = strings_fault(content.arguments, "its arguments")
    or options_fault(content.options)
  if fault then return fault end
  if not json.is_array(content.devices) or #content.devices == 0 then return "it has no devices" end
  for position, entry in ipairs(content.devices) do
    local why <const> = device_fault(entry, content.kind)
    if why then return ("device %d: %s"):format(position, why) end
  end
  return nil
end

return M
