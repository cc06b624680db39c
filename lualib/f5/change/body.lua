-- Bodies of writes that were read from a device. An object that was loaded, changed and written
-- again contains what a device does not take back: links, times, what monitoring found.

local json = require "f5.json"

local M = {}

-- Facts about an object that are no properties of it.
local FACTS <const> = {
  kind = true, selfLink = true, generation = true, fullPath = true, isSubcollection = true,
  apiRawValues = true,
}

local NAMING <const> = { name = true, partition = true, subPath = true }

-- Read-only properties. A device ignores them, unless a body contains nothing else.
local READ_ONLY <const> = {
  creationTime = true, lastModifiedTime = true, lastModified = true, vsIndex = true,
  synCookieStatus = true, ephemeral = true, verificationStatus = true, ifIndex = true,
  expirationStatus = true,
}
local OF_FILES <const> = {
  checksum = true, createTime = true, createdBy = true, expirationDate = true,
  expirationString = true, fingerprint = true, isBundle = true, issuer = true, keySize = true,
  keyType = true, lastUpdateTime = true, mode = true, revision = true, serialNumber = true,
  size = true, subject = true, systemPath = true, updatedBy = true, version = true,
  certificateKeyCurveName = true, certificateKeySize = true,
}

-- Where monitoring answers in the same properties that set the operation.
local MONITORED <const> =
  { ["tm:ltm:node:nodestate"] = true, ["tm:ltm:pool:members:membersstate"] = true }
local OPERATION <const> = { session = true, state = true }

-- Their kinds have other rules: names can be changed, or there are none.
local OTHERS <const> =
  { asm = true, ["live-update"] = true, task = true, transaction = true, util = true }

--- Returns the kind of an object that was read; nil for other tables.
function M.kind_of(body)
  local kind = type(body) == "table" and rawget(body, "kind")
  if not kind then return nil end
  local module = type(kind) == "string" and kind:match "^tm:([^:]+):.*state$"
  return module and not OTHERS[module] and kind or nil
end

local function is_list_of_objects(value)
  return type(value) == "table" and M.kind_of(rawget(value, 1)) ~= nil
end

local function cleaned_list(list)
  local out = json.array {}
  for i = 1, #list do
    out[i] = M.kind_of(list[i]) and M.writable(list[i], { names = true }) or list[i]
  end
  return out
end

-- The items of "membersReference", which was read with its sub-collection; nil if it has none.
local function items_of(key, value)
  local name = type(key) == "string" and key:match "^(.+)Reference$"
  if not name or type(value) ~= "table" or rawget(value, "link") == nil then return nil end
  local items = rawget(value, "items")
  return name, type(items) == "table" and cleaned_list(items) or nil
end

-- Whether a device takes this property of an object that was read.
local function is_writable(kind, key, value, keep)
  if FACTS[key] or READ_ONLY[key] then return false end
  if NAMING[key] then return keep.names or false end
  if OF_FILES[key] and kind:find "^tm:sys:file:" then return false end
  if MONITORED[kind] and OPERATION[key] and not keep.operation then
    return type(value) == "string" and value:find "^user%-" ~= nil
  end
  return true
end

--- Returns a copy of an object that was read, with what a device takes back.
-- @param keep table: names (true: name, partition and subPath stay), operation (true: session and
--   state stay as they were read)
function M.writable(object, keep)
  local kind, out = M.kind_of(object), {}
  for key, value in next, object do
    local name, items = items_of(key, value)
    if name then
      if items and out[name] == nil then out[name] = items end
    elseif is_writable(kind, key, value, keep) then
      out[key] = is_list_of_objects(value) and cleaned_list(value) or value
    end
  end
  local name, full = rawget(object, "name"), rawget(object, "fullPath")
  if keep.names and name and type(full) == "string" and full:find "^/" and not out.partition then
    out.name, out.subPath = full, nil -- a folder in the root has no partition
  end
  return out
end

--- Returns the body of a write: the table itself, or a copy without what a device does not take.
-- @param names boolean: whether an object that was read keeps its name
function M.of_write(given, names)
  if type(given) ~= "table" then return given end
  if M.kind_of(given) then return M.writable(given, { names = names }) end
  local out
  for key, value in next, given do
    if type(value) == "table" and is_list_of_objects(value) then
      out = out or table.move(given, 1, #given, 1, {})
      out[key] = cleaned_list(value)
    end
  end
  if not out then return given end
  for key, value in next, given do
    if out[key] == nil then out[key] = value end
  end
  return out
end

return M
