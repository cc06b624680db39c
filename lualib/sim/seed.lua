-- Checks the outline of a seed before any of it is used. Otherwise a mistyped name would be ignored
-- silently.
local json = require "f5.json"

local M = {}

-- Name of a part -> its JSON type.
local PARTS <const> = {
  objects = "object",
  users = "array",
  provision = "array",
  health = "object",
  traffic = "array",
  asm = "object",
  apm = "object",
  live_update = "object",
}

local function refuse(format, ...)
  error("seed: " .. format:format(...), 0)
end

-- The JSON type of a value. An empty table of Lua can be an object or an array.
local function shape(value)
  if type(value) ~= "table" then return value == json.null and "null" or type(value) end
  if json.is_array(value) or #value > 0 then return "array" end
  return next(value) == nil and "empty" or "object"
end

local function article(what)
  return (what:find "^[aeiou]" and "an " or "a ") .. what
end

local function check_shape(name, value, wanted)
  local found = shape(value)
  if found ~= wanted and found ~= "empty" and not (found == "array" and #value == 0) then
    refuse("%s: expected %s, got %s", name, article(wanted), article(found))
  end
end

-- Raises an error if the outline of a seed is wrong. The contents of its parts are checked where
-- they are used.
function M.check(seed)
  check_shape("the whole", seed, "object")
  local names = {}
  for name in pairs(PARTS) do names[#names + 1] = name end
  table.sort(names)
  for name, value in pairs(seed) do
    if not PARTS[name] then
      refuse("unknown part '%s'; valid parts: %s", tostring(name), table.concat(names, ", "))
    end
    check_shape(name, value, PARTS[name])
  end
  for index, user in ipairs(seed.users or {}) do
    check_shape(("users[%d]"):format(index), user, "object")
    for _, name in ipairs { "name", "password" } do
      if type(user[name]) ~= "string" then refuse("users[%d]: missing %s", index, name) end
    end
  end
end

-- Parts of a saved state -> the types of what is in them. A part that is missing is made new.
local STATE <const> = {
  clock = { offset = "number", last_event = "number", events = "table" },
  objects = { generation = "number", items = "table" },
  tokens = { generation = "number", items = "table" },
  transactions = { last = "number", items = "table" },
  tasks = { last = "number", items = "table", plans = "table" },
  provision = {}, disk = {}, uploads = {}, accounts = {}, providers = {}, saved = {}, pushed = {},
  restart = {}, jobs = {}, packages = {}, asm = {}, apm = {}, live_update = {}, api_status = {},
  monitoring = {}, services = {}, traffic = {},
}
local PLAIN <const> = {
  operations = "number", booted = "number", failover = "string", sync = "string",
  root_password = "string",
}
-- What every object of a state has, if it has it.
local IDENTITY <const> = {
  name = "string", fullPath = "string", partition = "string", subPath = "string",
  generation = "number",
}

local function check_object(path, object)
  if type(path) ~= "string" or not path:find "^/mgmt/tm/" then
    refuse("objects: '%s' is not a path below /mgmt/tm", tostring(path))
  end
  if type(object) ~= "table" then refuse("%s: expected an object", path) end
  for name, wanted in pairs(IDENTITY) do
    if object[name] ~= nil and type(object[name]) ~= wanted then
      refuse("%s: %s must be a %s", path, name, wanted)
    end
  end
end

-- Raises an error if a saved state cannot be one. What it holds is used without further checks.
function M.check_state(state)
  for part, fields in pairs(STATE) do
    local value = state[part]
    if value ~= nil and type(value) ~= "table" then refuse("%s: expected an object", part) end
    for field, wanted in pairs(value and fields or {}) do
      if type(value[field]) ~= wanted then refuse("%s: %s must be a %s", part, field, wanted) end
    end
  end
  for part, wanted in pairs(PLAIN) do
    if state[part] ~= nil and type(state[part]) ~= wanted then
      refuse("%s must be a %s", part, wanted)
    end
  end
  for path, object in pairs(state.objects and state.objects.items or {}) do
    check_object(path, object)
  end
  for module, level in pairs(state.provision or {}) do
    if type(level) ~= "string" then refuse("provision: %s must be a string", tostring(module)) end
  end
end

-- Checks that the value for `path` has the right type: an array of bodies, or one body.
function M.check_bodies(path, what, value)
  check_shape(path, value, what == "collection" and "array" or "object")
end

return M
