-- The configuration of a device, or a part of it: what a snapshot contains. Objects are kept as
-- JSON texts and decoded when they are needed, so that 10,000 of them take little memory, and two
-- equal ones are compared as texts.
--
--   local state = State.read("lab.json")
--   for _, collection in ipairs(state.collections) do
--     for _, key in ipairs(collection.keys) do print(key, state:body(collection, key)) end
--   end

local clean = require "f5.state.clean"
local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local receiver = require "f5.receiver"
local segment = require "f5.state.segment"

---@class f5.state
---@field label string what it is: a file, or a device and the time
---@field header table what was asked, and the device: see f5.state.file
---@field left_out table what it does not contain, and why: see f5.state.file
---@field collections f5.state.collection[] in the order of the paths
---@field by_path table<string, f5.state.collection>
local State = {}
State.__index = State

---@class f5.state.collection
---@field path string "/mgmt/tm/ltm/pool"
---@field kind string "ltm/pool"
---@field single boolean true: a singleton; its only key is ""
---@field keys string[] full names, in order
---@field texts table<string, string> full name -> JSON of the body

local ROOT <const> = "/mgmt/tm/"

--- The order of the names in a body.
State.STYLE = { sort = true, first = { "name", "partition", "subPath", "fullPath" } }

--- The kind of a path: names are left out. "/mgmt/tm/ltm/pool/~Common~web/members" ->
--- "ltm/pool/members".
function State.kind_of(path)
  local below = path:sub(1, #ROOT) == ROOT and path:sub(#ROOT + 1) or path:gsub("^/", "")
  local parts = {}
  for part in below:gmatch "[^/]+" do
    if part:sub(1, 1) ~= "~" then parts[#parts + 1] = part end
  end
  return table.concat(parts, "/")
end

--- An empty state.
function State.new(label)
  return setmetatable(
    { label = label or "", header = {}, left_out = {}, collections = {}, by_path = {} },
    State
  )
end

--- Returns the collection at a path, and makes it if it is not there.
function State:collection(path, single)
  local found = self.by_path[path]
  if not found then
    found =
      { path = path, kind = State.kind_of(path), single = single or false, keys = {}, texts = {} }
    self.by_path[path] = found
    self.collections[#self.collections + 1] = found
  end
  return found
end

--- Adds an object. A second one with the same name replaces the first.
-- @param collection f5.state.collection
-- @param key string: full name; "" for a singleton
-- @param text string: JSON of the body
function State.add(_, collection, key, text)
  if collection.texts[key] == nil then collection.keys[#collection.keys + 1] = key end
  collection.texts[key] = text
end

--- Sorts collections and names. To be called when all is there.
function State:settle()
  table.sort(self.collections, function(a, b) return a.path < b.path end)
  for _, collection in ipairs(self.collections) do table.sort(collection.keys) end
  return self
end

--- Returns the body of an object, decoded and without what is no configuration; nil if it does not
--- exist. A file may have been written by hand: secrets in it are left out here, too.
-- @return table|nil body, f5.state.notes notes
function State:body(collection, key)
  local text = collection.texts[key]
  if not text then return nil end
  local ok, body = pcall(json.decode, text)
  if not ok or type(body) ~= "table" then
    local message = ("%s: %s '%s' is not an object in JSON"):format(
      self.label, collection.path, key
    )
    error(core.error_new { kind = "transfer", message = message }, 0)
  end
  return clean.object(collection.kind, body)
end

--- A path with each segment encoded in the one way that `path_of` uses.
function State.canonical(path)
  return (path:gsub("[^/]+", function(text) return segment.encoded(segment.decoded(text)) end))
end

--- The URI of an object: names as segments.
function State.path_of(collection, key)
  if collection.single then return collection.path end
  return collection.path .. "/" .. segment.of(key)
end

--- Returns how many objects the state has.
function State:count()
  receiver.check("count", "a state", self, State)
  local count = 0
  for _, collection in ipairs(self.collections) do count = count + #collection.keys end
  return count
end

--- Why a path was not read; nil if it was, or if it does not exist.
-- @param path string: of a collection
function State:unread_at(path)
  for _, one in ipairs(self.left_out.unread or {}) do
    local at = one.path
    if type(at) == "string" and (path == at or path:sub(1, #at + 1) == at .. "/") then
      return tostring(one.reason)
    end
  end
  return nil
end

--- Whether a collection was asked for.
-- @return boolean|table: true: all of it; false: no; a set: the paths of these objects only
function State:asked(path)
  local paths = type(self.header.asked) == "table" and self.header.asked.paths
  if type(paths) ~= "table" or #paths == 0 then return true end
  local some
  for _, at in ipairs(paths) do
    if path == at or path:sub(1, #at + 1) == at .. "/" then return true end
    if type(at) == "string" and at:sub(1, #path + 1) == path .. "/" then
      some = some or {}
      some[at] = true
    end
  end
  return some or false
end

State.is_local = kinds.is_local

return State
