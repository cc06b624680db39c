--- Inventories: devices, their groups, and how to reach them.
--
-- An inventory is a Lua file that returns a table, a JSON file, or an executable that prints JSON
-- when it is called with `--list` (Ansible's convention for dynamic inventories). A Lua file, and a
-- JSON file with the same structure, contains
--
--   return {
--     defaults = { username = "automation", password_env = "BIGIP_PASSWORD" },
--     groups = {
--       eu = { tags = { "eu" }, vars = { ntp = "10.0.0.1" }, children = { "fra" } },
--       fra = { username = "fra-automation" },
--     },
--     devices = {
--       "bigip1.example.net",
--       { host = "bigip2.example.net", port = 8443, groups = { "fra" }, vars = { rack = 4 } },
--       { profile = "lab" }, -- of `f5lua profile add`
--     },
--   }
--
-- Ansible's form is `{ group = { hosts, vars, children }, _meta = { hostvars } }`, with Ansible's
-- names for the connection (ansible_host, ansible_port, ansible_user, ansible_password). A device
-- overrides its group, a group its parents, and these the defaults.

local core = require "f5.core"
local receiver = require "f5.receiver"
local json = require "f5.json"
local glob = require "f5.fleet.glob"
local locate = require "f5.fleet.locate"
local whole = require "f5.whole"

local Inventory = {}
Inventory.__index = Inventory

-- Options of f5.connect, and options of inventories only.
local CONNECT <const> = {
  host = "string",
  port = "integer",
  username = "string",
  password = "string",
  provider = "string",
  login_reference = "string",
  auth = "string",
  token = "string",
  verify = "boolean",
  ca = "string",
  cert = "string",
  key = "string",
  pin = "string",
  proxy = "string",
  timeout = "number",
  connect_timeout = "number",
  retries = "integer",
  token_lifetime = "number",
  ver = "string",
  label = "string",
  wait = "number",
}
local OWN <const> = {
  password_command = "string", password_env = "string", pair = "string", profile = "string",
}
local ANSIBLE <const> = {
  ansible_host = "host",
  ansible_port = "port",
  ansible_user = "username",
  ansible_password = "password",
  ansible_httpapi_port = "port",
  ansible_httpapi_validate_certs = "verify",
}

local function fail(source, what, ...)
  error(
    setmetatable(
      { kind = "usage", message = source .. ": " .. what:format(...) },
      { __tostring = function(e) return e.message end }
    ),
    0
  )
end

local function check_options(at, options, extra)
  for key, value in pairs(options) do
    local want = CONNECT[key] or OWN[key]
    if want then
      local is = math.type(value) == "integer" and want ~= "number" and "integer" or type(value)
      if is ~= want then
        at("'%s' must be %s %s, not %s", key, want:find "^[aeio]" and "an" or "a", want, is)
      end
    elseif not extra[key] then
      local names = {}
      for name in pairs(extra) do names[#names + 1] = name end
      table.sort(names)
      at(
        "unknown option '%s'; known here are the options of f5.connect, password_env, "
          .. "password_command, profile, pair, %s; put your own values into vars",
        key,
        table.concat(names, ", ")
      )
    end
  end
end

local function is_list(value)
  return type(value) == "table" and (rawlen(value) > 0 or next(value) == nil)
end

-- Tags say which workers of a queue can reach a device.
local function check_tags(at, tags)
  if tags == nil then return end
  if type(tags) ~= "table" or not is_list(tags) then
    at('\'tags\' must be a list, such as { "eu" }, not a %s', type(tags))
  end
  for _, tag in ipairs(tags) do
    if type(tag) ~= "string" or not tag:find "^[%w][%w_.:-]*$" then
      at("the tag '%s' is not a word of letters, digits, '_', '.', ':' and '-'", tostring(tag))
    end
  end
end

local function refuse_profile(at, options)
  if options.profile == nil then return end
  at("a profile is one device: name '%s' in the entry of the device", options.profile)
end

--- The groups above each group, itself included. Refuses cycles.
local function lineage(groups, at)
  local parents = {}
  for name, group in pairs(groups) do
    for _, child in ipairs(group.children or {}) do
      if not groups[child] then
        at(child)("group '%s' names the child '%s', which is not a group", name, child)
      end
      parents[child] = parents[child] or {}
      table.insert(parents[child], name)
    end
  end
  local done, path = {}, {}
  local function walk(name)
    if done[name] then return done[name] end
    if path[name] then at(name)("group '%s' is its own descendant", name) end
    path[name] = true
    local list, seen = {}, { [name] = true }
    table.sort(parents[name] or {})
    for _, parent in ipairs(parents[name] or {}) do
      for _, above in ipairs(walk(parent)) do
        if not seen[above] then seen[above] = true; list[#list + 1] = above end
      end
    end
    list[#list + 1] = name -- farthest first, so that nearer ones are laid over them
    path[name], done[name] = nil, list
    return list
  end
  for name in pairs(groups) do walk(name) end
  return done
end

-- A copy for one device: what it changes in its values does not change those of others.
local function own(value, copies)
  if type(value) ~= "table" or getmetatable(value) and not json.is_array(value) then
    return value
  end
  copies = copies or {}
  if copies[value] then return copies[value] end
  local copy = json.is_array(value) and json.array {} or {}
  copies[value] = copy
  for key, item in pairs(value) do copy[key] = own(item, copies) end
  return copy
end

-- A profile is one device, and says all that is needed to reach it.
local function lay_profile(onto, given, name, at)
  if given.host then
    at("device '%s' is given twice: as host and as profile '%s'", name, given.profile)
  end
  local profiles <const> = require "f5.trust.profiles"
  local ok, problem = pcall(profiles.lay_over, onto, given.profile)
  if not ok then at("device '%s': %s", name, tostring(problem)) end
  -- the password of the profile is for its user only
  if given.username and given.username ~= onto.username then
    onto.password_env, onto.password_command = nil, nil
  end
end

local function overlay(onto, from, skip)
  for key, value in pairs(from or {}) do
    if not skip[key] then onto[key] = own(value) end
  end
end

-- The tags of a device are its own, and those of its groups and of the defaults.
local function add_tags(onto, tags)
  local known = {}
  for _, tag in ipairs(onto) do known[tag] = true end
  for _, tag in ipairs(tags or {}) do
    if not known[tag] then onto[#onto + 1] = tag end
    known[tag] = true
  end
  table.sort(onto)
end

local DEFAULT_KEYS <const> = { vars = true, tags = true }
local GROUP_KEYS <const> = { vars = true, children = true, tags = true }
local DEVICE_KEYS <const> = {
  vars = true, groups = true, name = true, profile = true, tags = true,
}

--- Converts Ansible's form to ours.
local function from_ansible(data, at)
  local out = { groups = {}, devices = {} }
  local member, order = {}, {}
  local hostvars = data._meta and data._meta.hostvars or {}
  local function options(vars, where)
    local entry = { vars = {} }
    for key, value in pairs(vars or {}) do
      local known = ANSIBLE[key] or ((CONNECT[key] or OWN[key]) and key ~= "profile" and key)
      if known then entry[known] = value else entry.vars[key] = value end
    end
    if type(entry.port) == "string" then
      entry.port = math.tointeger(tonumber(entry.port))
        or where("'port' must be an integer, not '%s'", entry.port)
    end
    return entry
  end
  local names = {}
  for name in pairs(data) do if name ~= "_meta" then names[#names + 1] = name end end
  table.sort(names)
  for _, name in ipairs(names) do
    local group = data[name]
    if type(group) ~= "table" then
      at(name)("group '%s': expected a table, got a %s", tostring(name), type(group))
    end
    if is_list(group) then group = { hosts = group } end -- the short form of the convention
    local entry = options(group.vars, at(name))
    entry.children = group.children
    out.groups[name] = entry
    for _, host in ipairs(group.hosts or {}) do
      if not member[host] then member[host] = {}; order[#order + 1] = host end
      table.insert(member[host], name)
    end
  end
  for _, host in ipairs(order) do
    local entry = options(hostvars[host], at(host))
    entry.name, entry.groups = host, member[host]
    entry.host = entry.host or host
    out.devices[#out.devices + 1] = entry
  end
  return out
end

-- A value that is missing is a mistake: nil in a list would be an empty list, which erases what the
-- device has. vars("name", default) is for what may be missing.
local function refuse_missing(vars, path, source)
  local function missing(self, key)
    if type(key) ~= "string" then return nil end
    local names = {}
    for name in pairs(self) do names[#names + 1] = tostring(name) end
    table.sort(names)
    local known = #names > 0 and table.concat(names, ", ") or "none"
    core.usage_error(
      (
        "%s: there is no %s.%s (known: %s); "
        .. "%s(%q, DEFAULT) is for values that can be missing"
      ):format(source, path, key, known, path, key)
    )
  end
  local function optional(self, key, default)
    local value = rawget(self, key)
    if value == nil then return default end
    return value
  end
  setmetatable(vars, { __index = missing, __call = optional })
  for key, value in pairs(vars) do
    if type(value) == "table" and not is_list(value) and not getmetatable(value) then
      refuse_missing(value, ("%s.%s"):format(path, tostring(key)), source)
    end
  end
end

-- A misspelt device.var is no nil, either. Most devices have no pair.
local function refuse_fields(device, source)
  setmetatable(device, {
    __index = function(_, key)
      if type(key) ~= "string" or key == "pair" then return nil end
      core.usage_error(
        (
          "%s: device '%s' has no field '%s' (known: name, vars, groups, tags, connect, pair); "
          .. "values of your own are in device.vars"
        ):format(source, device.name, key)
      )
    end,
  })
end

--- Builds an inventory from a table. Raises a message with file and line.
-- @param data table in one of the two forms
-- @param source string|nil: file name for messages
-- @param text string|nil: the text of the file, to find lines in
-- @return inventory
function Inventory.from_table(data, source, text)
  source = source or "inventory"
  local function at(name, nth)
    return function(...)
      return fail(source .. (text and name and locate(text, name, nth) or ""), ...)
    end
  end
  if type(data) ~= "table" then at()("expected a table, got a %s", type(data)) end
  if not data.devices and not data.defaults and not is_list(data) then
    data = from_ansible(data, at)
  end
  if is_list(data) then data = { devices = data } end
  for key in pairs(data) do
    if key ~= "devices" and key ~= "groups" and key ~= "defaults" then
      at(key)(
        "unknown part '%s'; an inventory has devices, groups and defaults",
        tostring(key)
      )
    end
  end
  local groups, defaults = data.groups or {}, data.defaults or {}
  check_options(at "defaults", defaults, DEFAULT_KEYS)
  check_tags(at "defaults", defaults.tags)
  refuse_profile(at "defaults", defaults)
  for name, group in pairs(groups) do
    check_options(at(name), group, GROUP_KEYS)
    check_tags(at(name), group.tags)
    refuse_profile(at(name), group)
  end
  local above = lineage(groups, at)
  local self = setmetatable({ source = source, devices = {}, groups = {} }, Inventory)
  for name in pairs(groups) do self.groups[name] = true end
  local seen = {}
  for i, given in ipairs(data.devices or {}) do
    if type(given) == "string" then given = { host = given } end
    if type(given) ~= "table" then
      at()("device %d: expected a host name or a table, got a %s", i, type(given))
    end
    local name = given.name or given.label or given.host or given.profile
    if type(name) ~= "string" or name == "" then at()("device %d has no host", i) end
    check_options(at(name), given, DEVICE_KEYS)
    check_tags(at(name), given.tags)
    if seen[name] then
      at(name, 2)(
        "device '%s' is listed twice (first as device %d); give one of them another name",
        name,
        seen[name]
      )
    end
    seen[name] = i
    local device = { name = name, connect = {}, vars = {}, groups = {}, tags = {} }
    add_tags(device.tags, defaults.tags)
    overlay(device.connect, defaults, GROUP_KEYS)
    overlay(device.vars, defaults.vars, {})
    local memberships = table.move(given.groups or {}, 1, #(given.groups or {}), 1, {})
    table.sort(memberships)
    for _, group in ipairs(memberships) do
      if not groups[group] then
        at(group)(
          "device '%s' is in the group '%s', which is not defined under groups",
          name,
          tostring(group)
        )
      end
      for _, each in ipairs(above[group]) do
        device.groups[each] = true
        overlay(device.connect, groups[each], GROUP_KEYS)
        overlay(device.vars, groups[each].vars, {})
        add_tags(device.tags, groups[each].tags)
      end
    end
    if given.profile then lay_profile(device.connect, given, name, at(name)) end
    overlay(device.connect, given, DEVICE_KEYS)
    overlay(device.vars, given.vars, {})
    add_tags(device.tags, given.tags)
    device.connect.host = device.connect.host or name
    device.connect.label = device.connect.label or name
    device.pair, device.connect.pair = device.connect.pair, nil
    refuse_missing(device.vars, "device.vars", ("%s: device '%s'"):format(source, name))
    refuse_fields(device, source)
    self.devices[#self.devices + 1] = device
  end
  return self
end

-- An inventory that is packed into a program is one of its assets.
local function packed(path)
  local ok, bundle = pcall(require, "f5.bundle") -- not there in a stock lua
  return ok and bundle.packed() and bundle.asset((path:gsub("^%./", ""))) or nil
end

local function read(path)
  local inside = packed(path)
  if inside then return inside end
  local file, why = io.open(path, "rb")
  if not file then fail(path, "cannot read the inventory: %s", (why:gsub("^.-: ", ""))) end
  local text, problem = whole(file)
  file:close()
  if not text then fail(path, "cannot read the inventory: %s", problem) end
  return text
end

local function quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

-- A path without a slash is a file here too, and not a command of PATH or an option of test.
local function operand(path) return quote(path:find("/", 1, true) and path or "./" .. path) end

local function executable(path)
  local file = operand(path)
  return os.execute("test -f " .. file .. " && test -x " .. file)
end

--- Reads an inventory. Raises a message with file and line.
-- @param path string: FILE.lua, a JSON file, or an executable that prints JSON for --list
-- @return inventory
function Inventory.read(path)
  if type(path) == "table" then
    return getmetatable(path) == Inventory and path or Inventory.from_table(path)
  end
  core.check_path(path, "f5.inventory")
  local text, data
  if path:find "%.lua$" then
    text = read(path)
    local chunk, why = load(text, "@" .. path, "t")
    if not chunk then fail(why, "the inventory is not valid Lua") end
    local ok, value = pcall(chunk)
    if not ok then fail(tostring(value), "the inventory failed") end
    data = value
  else
    if not packed(path) and executable(path) then
      local pipe = assert(io.popen(operand(path) .. " --list", "r"))
      local too_long
      text, too_long = whole(pipe)
      local ok, how, status = pipe:close()
      if too_long then fail(path, "cannot read what the inventory program prints: %s", too_long) end
      if not ok then
        fail(
          path, "the inventory program ended with %s %d", how == "signal" and "signal" or "status",
          status
        )
      end
    else
      text = read(path)
    end
    local ok, value = pcall(json.decode, text)
    if not ok then fail(path, "%s", tostring(value)) end
    data = value
  end
  return Inventory.from_table(data, path, text)
end

-- Returns a predicate on names for a word of a limit. "=NAME" means exactly this name. A word with
-- wildcards is refused if it is a name itself and also matches other names.
local function matcher(names, word, refuse)
  local exactly = word:match "^=(.+)$"
  if exactly then return function(name) return name == exactly end end
  local pattern = glob(word)
  if names[word] and word:find "[*?]" then
    for name in pairs(names) do
      if name ~= word and name:find(pattern) then
        refuse(
          "'%s' is a name and also a pattern that matches '%s'; write '=%s' for the name alone, "
            .. "'%s*' for all that match",
          word, name, word, word
        )
      end
    end
  end
  return function(name) return name:find(pattern) ~= nil end
end

--- Returns the devices that a limit selects, in the order of the inventory. Raises if a term
-- matches nothing, also one with `!`: a typing mistake must select neither no device nor too many.
-- @param limit string|nil: terms with commas between; `NAME` (with * and ?), `=NAME` (exactly this
--   name), `group:NAME`, and `!` before any of them to exclude
-- @return inventory
function Inventory:limit(limit)
  if not limit then return self end
  if type(limit) ~= "string" then
    core.usage_error(("limit: expected a text, got a %s"):format(type(limit)))
  end
  -- --limit "$UNSET" must not select all devices.
  if not limit:find "[^%s,]" then
    fail(self.source, "the limit is empty; leave it out to select all devices")
  end
  local take, leave, device_names = {}, {}, {}
  for _, device in ipairs(self.devices) do device_names[device.name] = true end
  for term in limit:gmatch "[^,]+" do
    term = term:match "^%s*(.-)%s*$"
    local negative, rest = term:match "^(!?)(.*)$"
    local group = rest:match "^group:(.+)$"
    local names = group and self.groups or device_names
    local named = matcher(names, group or rest, function(...)
      local why = string.format(...)
      fail(self.source, "the limit '%s' can be read in two ways: %s", term, why)
    end)
    local known = false -- what is left out, too: mistyped, it would not be left out
    for name in pairs(names) do known = known or named(name) end
    if not known then
      fail(
        self.source,
        group and "the limit '%s' matches no group of this inventory"
          or "the limit '%s' matches no device of this inventory",
        term
      )
    end
    table.insert(negative == "!" and leave or take, group and function(device)
      for name in pairs(device.groups) do if named(name) then return true end end
      return false
    end or function(device) return named(device.name) end)
  end
  local function any(list, device)
    for _, matches in ipairs(list) do if matches(device) then return true end end
    return false
  end
  local out = setmetatable({ source = self.source, groups = self.groups, devices = {} }, Inventory)
  for _, device in ipairs(self.devices) do
    if (#take == 0 or any(take, device)) and not any(leave, device) then
      out.devices[#out.devices + 1] = device
    end
  end
  return out
end

--- Devices that were read before, as an inventory.
-- @param devices array of { name, groups (set) }
-- @param source string: what it is called in messages
function Inventory.of(devices, source)
  local groups = {}
  for _, device in ipairs(devices) do
    for name in pairs(device.groups) do groups[name] = true end
  end
  return setmetatable({ source = source, devices = devices, groups = groups }, Inventory)
end

Inventory.__len = function(self) return #self.devices end

-- f5.inventory "sites.lua"
receiver.guard(Inventory, "an inventory", { from_table = true, of = true, read = true })

return setmetatable(Inventory, { __call = function(_, path) return Inventory.read(path) end })
