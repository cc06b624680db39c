-- Profiles: how to reach a device, under a name. $XDG_CONFIG_HOME/f5lua/profiles/NAME.json, which
-- only its owner may read and write. No password is in it: password_env names a variable,
-- password_command a command that prints it.

local core = require "f5.core"
local files = require "f5.trust.files"
local json = require "f5.json"

local M = {}

-- The options of a profile, and their types.
local OPTIONS <const> = {
  host = "string", port = "number", username = "string", provider = "string", ca = "string",
  pin = "string", verify = "boolean", password_env = "string", password_command = "string",
}
local TRUST <const> = { "ca", "pin", "verify" }

-- The profile of `-p NAME`; nil: F5LUA_PROFILE.
local chosen

local stored <const> = files.of("profiles", "the profile", "profiles")
local fail <const> = files.fail

--- Raises unless this can be the name of a profile.
function M.check_name(name)
  if not name:find "^[%w_][%w_.-]*$" or #name > 64 then
    fail("'%s' cannot be the name of a profile: use letters, digits, '.', '_' and '-', at most 64",
      name)
  end
end

local function file_of(name)
  M.check_name(name)
  return name .. ".json"
end

local function path_of(name) return stored:path(file_of(name)) end

local function check(name, profile)
  if type(profile) ~= "table" or type(profile.host) ~= "string" then
    fail("the profile '%s' is damaged: %s", name, path_of(name))
  end
  for key, value in pairs(profile) do
    if type(value) ~= OPTIONS[key] then
      fail("the profile '%s' is damaged: '%s' in %s", name, tostring(key), path_of(name))
    end
  end
  return profile
end

local MAX_NAMED <const> = 8

-- What a message says about the profiles that there are.
local function known_names()
  local names <const> = M.list()
  if #names == 0 then return "there are none, 'f5lua profile add NAME --host HOST' adds one" end
  if #names > MAX_NAMED then return "'f5lua profile list' lists them" end
  return (#names == 1 and "there is " or "there are ") .. table.concat(names, ", ")
end
M.known_names = known_names

--- The profile with this name. Raises with the reason if there is none, or if it does not count.
function M.get(name)
  local text, why = core.read_private(path_of(name))
  if why then fail("the profile '%s' cannot be used: %s", name, why) end
  if not text then
    local near = core.nearest(name, M.list())
    fail("there is no profile '%s'%s; %s", name,
      near and (" (did you mean '%s'?)"):format(near) or "", known_names())
  end
  local ok, profile = pcall(json.decode, text)
  return check(name, ok and profile)
end

--- The name of the profile that a word of the command line names, "profile:lab" instead of a host;
--- nil if it is none.
function M.of_word(word) return type(word) == "string" and word:match "^profile:(.*)$" or nil end

--- Whether there is a profile with this name.
function M.exists(name)
  local text, why = core.read_private(path_of(name))
  return text ~= nil or why ~= nil
end

--- The names of all profiles, sorted.
function M.list()
  local found = {}
  for _, file in ipairs(stored:list()) do
    found[#found + 1] = file:match "^([%w_][%w_.-]*)%.json$"
  end
  return found
end

--- Stores a profile.
function M.put(name, profile)
  check(name, profile)
  local style <const> = { sort = true, first = { "host", "port", "username" }, indent = 2 }
  stored:put(file_of(name), json.encode(profile, style) .. "\n")
end

--- Removes a profile.
-- @return whether there was one
function M.remove(name) return stored:remove(file_of(name)) end

--- From now on f5.connect without a host uses this profile.
function M.choose(name)
  if not core.replayed_password then M.get(name) end
  chosen = name
end

--- The profile that f5.connect uses if it gets no host; nil if there is none.
function M.default()
  local variable <const> = os.getenv "F5LUA_PROFILE"
  return chosen or (variable ~= "" and variable or nil)
end

-- The password of the profile; nil: f5.connect looks in F5_PASSWORD, or asks.
local function password_of(name, profile)
  if profile.password_env then
    local value = os.getenv(profile.password_env)
    if not value or value == "" then
      fail("no password: the variable %s, which the profile '%s' names, is not set",
        profile.password_env, name)
    end
    return value
  end
  return profile.password_command and core.secret_from_command(profile.password_command) or nil
end

local function has_trust(given)
  for _, key in ipairs(TRUST) do
    if given[key] ~= nil then return true end
  end
  return false
end

--- Lays a profile over the options of a device of an inventory: how to reach the device, its user
--- and how its password is found. What is below belongs to another user, or to other devices.
function M.lay_over(options, name)
  if core.replayed_password then -- the recording knows the device by this name
    options.host = name
    return
  end
  local profile <const> = M.get(name)
  if profile.username or profile.password_env or profile.password_command then
    for _, key in ipairs { "password", "password_env", "password_command", "token" } do
      options[key] = nil
    end
  end
  if has_trust(profile) then
    for _, key in ipairs(TRUST) do options[key] = nil end
  end
  for key, value in pairs(profile) do options[key] = value end
end

--- The options of f5.connect with those of their profile. What the caller gives comes first; the
--- password of a profile is only for its user.
-- @param given table|string|nil: options of f5.connect, with `profile`, or none and no host
function M.resolve(given)
  if type(given) == "string" then return given end
  if given ~= nil and type(given) ~= "table" then return given end
  local name = given and given.profile
  if name ~= nil and type(name) ~= "string" then
    core.usage_error("option 'profile' must be a string, not a " .. type(name))
  end
  if name and given.host then
    core.usage_error("the device is given twice: as host and as profile '" .. name .. "'")
  end
  if not name and not (given and given.host) then name = M.default() end
  if not name then return given end
  local profile <const> = M.get(name)
  local options = {}
  for key, value in pairs(given or {}) do options[key] = value end
  options.profile = nil
  options.label = options.label or name
  local own_trust <const> = has_trust(options)
  local own_user <const> = options.username ~= nil and options.username ~= profile.username
  local names <const> = core.is_simulated and { "host", "port" }
    or { "host", "port", "username", "provider" }
  for _, key in ipairs(names) do
    if options[key] == nil then options[key] = profile[key] end
  end
  for _, key in ipairs(own_trust and {} or TRUST) do options[key] = profile[key] end
  local needs = not (options.password or options.token or own_user or core.is_simulated)
  if needs then options.password = password_of(name, profile) end
  return options
end

return M
