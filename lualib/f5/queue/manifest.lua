-- The manifest of a run: what is to be done on which devices. It is JSON text; the signature of a
-- run is about this text, and it names the archive by its digest.
--
--   { format, kind, archive, playbook, arguments, options, undo_of, devices = { { name, address,
--     tags, wave, groups, vars, connect, undo or plan } } }
--
-- Nothing secret enters the database: `connect` has references (password_env, password_command),
-- which each worker resolves.

local core = require "f5.core"
local json = require "f5.json"
local shape = require "f5.queue.shape"

local M = {}

M.FORMAT = 1

--- Of f5.connect, in seconds, if an inventory gives none.
M.TIMEOUT = 60

-- What the signed text begins with, so that it is never taken for anything else.
local PURPOSE <const> = "f5lua queue run\n"

local function fail(format, ...) core.usage_error(format:format(...)) end

--- The address of a device, which no two jobs use at the same time.
function M.address(connect)
  local host <const> = connect.host:lower()
  return (host:find(":", 1, true) and not host:find "^%[" and "[%s]:%d" or "%s:%d"):format(
    host, connect.port or 443
  )
end

-- -- what must not be in it --

-- Options of f5.connect that are secrets themselves.
local SECRET <const> = { "password", "token" }
-- Files of the worker.
local FILES <const> = { "ca", "cert", "key" }

local function check_connect(name, connect)
  for _, option in ipairs(SECRET) do
    if connect[option] then
      fail(
        "device '%s' has a %s in the inventory, and nothing secret enters the database; use "
        .. "password_env or password_command, which each worker resolves", name, option
      )
    end
  end
  if connect.proxy and connect.proxy:find "@" then
    fail("device '%s': the proxy has a password in it, and nothing secret enters the database",
      name)
  end
  for _, option in ipairs(FILES) do
    local path = connect[option]
    if path and path:sub(1, 1) ~= "/" then
      fail("device '%s': %s = '%s' is not an absolute path; workers have other directories", name,
        option, path)
    end
  end
end

-- The path of a value in vars that seems to be a secret; nil: there is none.
local function secret_in(vars, path, seen)
  if seen[vars] then return nil end
  seen[vars] = true
  for key, value in pairs(vars) do
    local here = path .. "." .. tostring(key)
    if type(value) == "table" then
      local found = secret_in(value, here, seen)
      if found then return found end
    elseif type(value) == "string" and type(key) == "string" and core.is_secret_name(key) then
      return here
    end
  end
end

local function check_secrets(devices, arguments)
  for _, device in ipairs(devices) do
    local found = secret_in(device.vars, "vars", {})
    if found then
      fail(
        "device '%s': %s seems to be a secret, and everybody who may see the queue can read it; "
        .. "read it on the worker, or give --force", device.name, found
      )
    end
  end
  for i, word in ipairs(arguments) do
    -- "--password", "x": the name of the secret is in the word before it
    local option <const> = i > 1 and arguments[i - 1]:match "^%-.*"
    local before <const> = option and option .. " " or ""
    local both <const> = before .. word
    if core.mask_command(word) ~= word or core.mask_command(both) ~= both then
      fail(
        "argument %d of the playbook seems to hold a secret, and everybody who may see the queue "
        .. "can read it; read it on the worker, or give --force", i
      )
    end
  end
end

-- Names go into tables of people, and all texts into a database in UTF-8.
local function check_texts(devices, arguments)
  for _, device in ipairs(devices) do
    if device.name:find "%c" or not utf8.len(device.name) then
      fail("the name '%s' of a device has a control character, or is not UTF-8", device.name)
    end
  end
  for i, word in ipairs(arguments) do
    if not utf8.len(word) then
      fail("argument %d of the playbook is not UTF-8; the database has only such texts", i)
    end
  end
end

-- -- waves --

-- Wave 0: the canaries. Then one wave for each batch.
local function wave_of(position, canaries, batch)
  if position <= canaries then return 0 end
  return 1 + (position - canaries - 1) // batch
end

local function sorted_keys(set)
  local list = json.array {}
  for key in pairs(set) do list[#list + 1] = key end
  table.sort(list)
  return list
end

local function union(tags, more)
  local set = {}
  for _, list in ipairs { tags, more } do
    for _, tag in ipairs(list) do set[tag] = true end
  end
  return sorted_keys(set)
end

local function plain_object(value) return next(value) == nil and json.decode "{}" or value end

local function entry_of(device, position, given)
  local connect = {}
  for key, value in pairs(device.connect) do connect[key] = value end
  check_connect(device.name, connect)
  local entry = {
    name = device.name, address = M.address(connect), tags = union(device.tags, given.tags),
    wave = wave_of(position, given.canary, given.batch), groups = sorted_keys(device.groups),
    vars = plain_object(device.vars), connect = connect, pair = device.pair,
  }
  local ok, why = pcall(json.encode, entry.vars)
  if not ok then
    fail("the vars of device '%s' cannot be stored: %s", device.name, tostring(why))
  end
  return entry
end

--- Makes a manifest.
-- @param devices list of devices of an inventory
-- @param given table: kind, archive (its SHA-256), playbook (name), arguments, tags (for all
--   devices), canary, batch, max_failures (a number, or nil), per_device, on, force (accept what
--   seems to be a secret)
-- @return table; M.text makes the text of it
function M.make(devices, given)
  check_texts(devices, given.arguments)
  if not given.force then check_secrets(devices, given.arguments) end
  local count <const> = #devices
  local options <const> = {
    canary = given.canary, batch = given.batch, max_failures = given.max_failures,
    per_device = given.per_device, on = given.on,
  }
  local waves <const> = {
    canary = math.min(given.canary or 0, count), batch = given.batch or math.max(count, 1),
    tags = given.tags or {},
  }
  local list, owner = json.array {}, {}
  for position, device in ipairs(devices) do
    local entry = entry_of(device, position, waves)
    if owner[entry.address] then
      fail(
        "the devices '%s' and '%s' have the same address %s; one run works on a device once",
        owner[entry.address], entry.name, entry.address
      )
    end
    owner[entry.address], list[position] = entry.name, entry
  end
  return {
    format = M.FORMAT, kind = given.kind, archive = given.archive, playbook = given.playbook,
    arguments = json.array(table.move(given.arguments, 1, #given.arguments, 1, {})),
    options = plain_object(options), devices = list,
  }
end

--- Makes the manifest of a run that follows another: an undo, or an apply.
-- @param kind "undo"|"apply"
-- @param content table: the manifest of the other run
-- @param wanted array of { position (of a device in it), sha256 (of its change record, or plan) }
-- @param given table: run (its number), canary, batch, max_failures, check, force, save
function M.after(kind, content, wanted, given)
  local options <const> = {
    canary = given.canary, batch = given.batch, max_failures = given.max_failures,
    check = given.check, force = given.force, save = given.save,
    apply_of = kind == "apply" and given.run or nil,
  }
  local canaries <const> = math.min(given.canary or 0, #wanted)
  local list = json.array {}
  for i, one in ipairs(wanted) do
    local entry = content.devices[one.position]
    entry.wave = wave_of(i, canaries, given.batch or math.max(#wanted, 1))
    entry.undo, entry.plan = nil, nil
    entry[kind == "undo" and "undo" or "plan"] = { position = one.position, sha256 = one.sha256 }
    list[i] = entry
  end
  return {
    format = M.FORMAT, kind = kind, undo_of = kind == "undo" and given.run or nil,
    archive = content.archive, playbook = content.playbook,
    arguments = json.array(content.arguments), options = plain_object(options), devices = list,
  }
end

--- Reads the text of a manifest.
-- @return table; nil and what is wrong with it ("its manifest …")
function M.read(text)
  local ok, content = pcall(json.decode, text)
  if not ok or type(content) ~= "table" or json.is_array(content) then
    return nil, "its manifest is not JSON, or no object"
  end
  if content.format ~= M.FORMAT then
    return nil, ("its manifest has format %s, this f5lua reads %d"):format(
      tostring(content.format), M.FORMAT
    )
  end
  local fault <const> = shape.fault(content)
  if fault then return nil, "its manifest is damaged: " .. fault end
  return content
end

--- The text of a manifest, as it is stored.
function M.text(manifest)
  return json.encode(manifest, { sort = true, first = { "format", "kind", "playbook" } })
end

--- What a signature is about.
function M.signed_text(text) return PURPOSE .. text end

return M
