-- Checks the outline of a seed before any of it is used. Otherwise a mistyped name would be ignored
-- silently.
local json = require "f5.json"

local M = {}

-- Name of a part -> its JSON type.
local PARTS <const> = {
  objects = "object", users = "array", provision = "array", health = "object", traffic = "array",
  asm = "object", apm = "object", live_update = "object", conf = "array", snapshot = "object",
  left_out = "object",
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

-- Lists in the parts of a seed -> the JSON type of their items.
local LISTS <const> = {
  asm = { policies = "object", requests = "object", subscriptions = "object" },
  apm = { sessions = "object", tokens = "object" },
}
-- Lists in a policy of ASM, and the texts in all that APM has.
local POLICY <const> = { "suggestions", "vulnerabilities" }

local function check_list(name, list, wanted)
  check_shape(name, list, "array")
  for index, item in ipairs(list) do check_shape(("%s[%d]"):format(name, index), item, wanted) end
end

local function check_parts(seed)
  for part, lists in pairs(LISTS) do
    for name, wanted in pairs(seed[part] and lists or {}) do
      local list = seed[part][name]
      if list ~= nil then check_list(part .. "." .. name, list, wanted) end
    end
  end
  for index, policy in ipairs(seed.asm and seed.asm.policies or {}) do
    for _, name in ipairs(POLICY) do
      local list = policy[name]
      if list ~= nil then
        check_list(("asm.policies[%d].%s"):format(index, name), list, "object")
      end
    end
  end
  for name in pairs(seed.apm and LISTS.apm or {}) do
    for index, one in ipairs(seed.apm[name] or {}) do
      for field, value in pairs(one) do
        check_shape(("apm.%s[%d].%s"):format(name, index, tostring(field)), value, "string")
      end
    end
  end
  check_list("traffic", seed.traffic or json.array {}, "object")
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
  for index, entry in ipairs(seed.conf or {}) do
    check_shape(("conf[%d]"):format(index), entry, "object")
    for _, name in ipairs { "name", "text" } do
      if type(entry[name]) ~= "string" then refuse("conf[%d]: missing %s", index, name) end
    end
  end
  for index, user in ipairs(seed.users or {}) do
    check_shape(("users[%d]"):format(index), user, "object")
    for _, name in ipairs { "name", "password" } do
      if type(user[name]) ~= "string" then refuse("users[%d]: missing %s", index, name) end
    end
  end
  check_parts(seed)
end

-- The host name of the device that a snapshot is of; nil for other seeds.
function M.hostname(seed)
  local snapshot = type(seed) == "table" and seed.snapshot
  local device = type(snapshot) == "table" and snapshot.device
  local name = type(device) == "table" and device.hostname
  return type(name) == "string" and name:find "^[%w][%w%.%-]*$" and #name <= 255 and name or nil
end

-- Checks that the value for `path` has the right type: an array of bodies, or one body.
function M.check_bodies(path, what, value)
  check_shape(path, value, what == "collection" and "array" or "object")
end

return M
