-- What a seed may hold, looked at before any of it is planted: a word that is mistyped would
-- otherwise leave the device without it, silently.
local json = require "f5.json"

local M = {}

-- Name of a part -> what it has to be.
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

-- What a JSON value is. An empty table that Lua wrote can be either.
local function shape(value)
  if type(value) ~= "table" then return value == json.null and "null" or type(value) end
  if json.is_array(value) or #value > 0 then return "array" end
  return next(value) == nil and "nothing" or "object"
end

local function article(what)
  return (what:find "^[aeiou]" and "an " or "a ") .. what
end

local function want(name, value, wanted)
  local found = shape(value)
  if found ~= wanted and found ~= "nothing" and not (found == "array" and #value == 0) then
    refuse(
      "%s has to be %s, not %s", name, article(wanted),
      found == "nothing" and found or article(found)
    )
  end
end

-- Raises what is wrong with a seed's outline; what its parts say is looked at where they are
-- planted.
function M.check(seed)
  want("it", seed, "object")
  local names = {}
  for name in pairs(PARTS) do names[#names + 1] = name end
  table.sort(names)
  for name, value in pairs(seed) do
    if not PARTS[name] then
      refuse("there is no '%s' in one; there are %s", tostring(name), table.concat(names, " "))
    end
    want(name, value, PARTS[name])
  end
  for index, user in ipairs(seed.users or {}) do
    want(("users[%d]"):format(index), user, "object")
    for _, name in ipairs { "name", "password" } do
      if type(user[name]) ~= "string" then refuse("users[%d] has no %s", index, name) end
    end
  end
end

-- An object below `path` has to be what the path takes: an array of bodies, or one body.
function M.check_bodies(path, what, value)
  want(path, value, what == "collection" and "array" or "object")
end

return M
