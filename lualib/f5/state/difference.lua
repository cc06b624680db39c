-- Compares two states: see f5.state.state. The result is an f5.state.report, which f5.state.show
-- prints.
--
-- What one side does not contain is not compared: paths that were not asked for or could not be
-- read, secrets, other partitions. It is reported as such, never as equal or deleted.

local compare = require "f5.state.compare"
local glob = require "f5.fleet.glob"
local State = require "f5.state.state"

local M = {}

-- -- what to ignore -------------------------------------------------------------------------------

-- A pattern without "/" is the name of a property; one with "/" names objects, and behind ":"
-- their properties: "description", "sys/db/*", "ltm/virtual/*:vlans".
local function parse_pattern(pattern)
  if not pattern:find "/" then return { property = glob(pattern) } end
  local object, property = pattern:match "^(.*):([%a*?][%w.*?%-_]*)$"
  object = (object or pattern):gsub("^/*mgmt/", "/"):gsub("^/*tm/", "/"):gsub("^/+", "")
  return { object = glob(object), property = property and glob(property) or nil }
end

local Ignored = {}
Ignored.__index = Ignored

local function ignored(patterns)
  local self = setmetatable({ whole = {}, properties = {} }, Ignored)
  for _, pattern in ipairs(patterns or {}) do
    local parsed = parse_pattern(pattern)
    local list = parsed.property and self.properties or self.whole
    list[#list + 1] = parsed
  end
  return self
end

-- "ltm/pool/Common/web"
local function title_of(kind, name)
  return name:sub(1, 1) == "/" and kind .. name or name == "" and kind or kind .. "/" .. name
end

function Ignored:object(kind, name)
  if #self.whole == 0 then return false end
  local title = title_of(kind, name)
  for _, one in ipairs(self.whole) do
    if title:find(one.object) then return true end
  end
  return false
end

-- The function `ignore` of f5.state.compare for an object; nil if nothing is ignored.
function Ignored:of(kind, name)
  if #self.properties == 0 then return nil end
  local title = title_of(kind, name)
  local list = {}
  for _, one in ipairs(self.properties) do
    if not one.object or title:find(one.object) then list[#list + 1] = one end
  end
  if #list == 0 then return nil end
  return function(property, inner)
    for _, one in ipairs(list) do
      if property:find(one.property) or tostring(inner):find(one.property) then return true end
    end
    return false
  end
end

-- -- comparing ------------------------------------------------------------------------------------

local Run = {}
Run.__index = Run

function Run:skip(path, side, reason, kind)
  local list = self.report.not_compared
  if reason:find "^could not" or reason:find "^changed" then self.report.incomplete = true end
  list[#list + 1] = { path = path, side = side, reason = reason, kind = kind }
end

-- Whether both sides know a collection. What is not known is noted.
function Run:is_known(path, kind)
  for _, side in ipairs { "A", "B" } do
    local state = side == "A" and self.a or self.b
    local asked = state:asked(path)
    if not asked then
      self.not_asked[side] = true
      return false
    elseif asked ~= true then
      self.only_objects[path] = self.only_objects[path] or {}
      table.insert(self.only_objects[path], asked)
      self.not_asked[side] = true
    end
    local reason = state:unread_at(path)
    if reason then
      self:skip(path, side, "could not be read: " .. reason, kind)
      return false
    end
  end
  return true
end

-- The properties that one of the sides left out of an object: property -> reason.
function Run:left_of(path, notes_a, notes_b)
  local left
  local function add(list, reason)
    for _, property in ipairs(list or {}) do
      left = left or {}
      left[property] = reason
    end
  end
  for _, state in ipairs { self.a, self.b } do
    local secrets = state.left_out.secrets
    add(type(secrets) == "table" and secrets[path] or nil, "secret")
  end
  add(notes_a.secrets, "secret")
  add(notes_b.secrets, "secret")
  return left
end

local function partition_of(key) return key:match "^/([^/]+)/" end

-- Whether an object of a collection belongs to a partition.
local function is_of(partition, collection, key)
  if collection.single then return false end
  if partition_of(key) == partition then return true end
  if collection.kind == "auth/partition" then return key == partition end
  return collection.kind == "sys/folder" and key == "/" .. partition
end

function Run:is_wanted(collection, key)
  for _, asked in ipairs(self.only_objects[collection.path] or {}) do
    if not asked[State.path_of(collection, key)] then return false end
  end
  for _, partition in ipairs(self.partitions) do
    if not is_of(partition, collection, key) then return false end
  end
  return true
end

function Run:only(collection, key, what, state)
  if self.ignored:object(collection.kind, key) then return end
  if self.builtin and self.builtin(collection.path, key) then return end
  local body, notes = state:body(collection, key)
  local list = self.report.differences
  list[#list + 1] = {
    what = what, path = State.path_of(collection, key), kind = collection.kind, name = key,
    object = body, left = #notes.secrets > 0 and notes.secrets or nil,
  }
end

-- Compares an object that both sides have.
function Run:both(from, to, key, key_b)
  local report = self.report
  if self.ignored:object(from.kind, key) then return end
  local path = State.path_of(from, key)
  local text_a, text_b = from.texts[key], to.texts[key_b]
  local secrets_a, secrets_b = self.a.left_out.secrets, self.b.left_out.secrets
  local has_secrets = secrets_a and secrets_a[path] or secrets_b and secrets_b[path]
  if text_a == text_b and not has_secrets then
    report.equal = report.equal + 1
    return
  end
  if self.builtin and self.builtin(from.path, key) then
    return self:skip(path, "both", "built in, and not mentioned by the file", from.kind)
  end
  local a, notes_a = self.a:body(from, key)
  local b, notes_b = self.b:body(to, key_b)
  local changes, hidden = compare.objects(from.kind, a, b, {
    ignore = self.ignored:of(from.kind, key), left = self:left_of(path, notes_a, notes_b),
  })
  for _, one in ipairs(hidden) do
    report.not_compared[#report.not_compared + 1] = {
      path = path, kind = from.kind, property = one.property, reason = one.reason, side = "both",
    }
  end
  if #changes == 0 then
    report.equal = report.equal + 1
  else
    report.differences[#report.differences + 1] =
      { what = "changed", path = path, kind = from.kind, name = key, changes = changes }
  end
end

-- The name in another collection that is the same in another spelling: "/Common/x" and "x".
local function other_key(collection, key)
  if collection.texts[key] then return key end
  local short = key:match "^/Common/([^/]+)$"
  if short then return collection.texts[short] and short or nil end
  local full = "/Common/" .. key
  return key:sub(1, 1) ~= "/" and collection.texts[full] and full or nil
end

function Run:collections(from, to)
  local matched = {}
  for _, key in ipairs(from.keys) do
    if self:is_wanted(from, key) then
      local key_b = other_key(to, key)
      if key_b then
        matched[key_b] = true
        self:both(from, to, key, key_b)
      else
        self:only(from, key, "removed", self.a)
      end
    end
  end
  for _, key in ipairs(to.keys) do
    if not matched[key] and self:is_wanted(to, key) then self:only(to, key, "added", self.b) end
  end
end

-- Whether a path is below one of those that were asked for. A line of a text is, in any case.
function Run:is_in(path)
  if not self.paths or not path:find "^/mgmt/" then return true end
  for _, at in ipairs(self.paths) do
    if path == at or path:sub(1, #at + 1) == at .. "/" then return true end
  end
  return false
end

-- A single object that was asked for: "/mgmt/tm/ltm/pool/~Common~web"
function Run:single_object(path)
  for _, state in ipairs { self.a, self.b } do
    for _, collection in ipairs(state.collections) do
      if path:sub(1, #collection.path + 1) == collection.path .. "/" then
        for _, key in ipairs(collection.keys) do
          if State.path_of(collection, key) == path then return collection.path, key end
        end
      end
    end
  end
  return nil
end

local NONE <const> = { keys = {}, texts = {} }

function Run:all()
  local paths, seen = {}, {}
  for _, state in ipairs { self.a, self.b } do
    for _, collection in ipairs(state.collections) do
      local path = collection.path
      if not seen[path] and self:is_in(path) then
        seen[path] = true
        paths[#paths + 1] = path
      end
    end
  end
  table.sort(paths)
  for _, path in ipairs(paths) do
    local from, to = self.a.by_path[path], self.b.by_path[path]
    local kind = (from or to).kind
    if self:is_known(path, kind) and not (self.has_kind and not self.has_kind(kind)) then
      local single = (from or to).single
      self:collections(
        from or { path = path, kind = kind, single = single, keys = NONE.keys, texts = NONE.texts },
        to or { path = path, kind = kind, single = single, keys = NONE.keys, texts = NONE.texts }
      )
    end
  end
end

-- What a side was asked for, as one text; nil: what is asked for now.
function Run:asked_text(side)
  local names, wanted = {}, {}
  for _, path in ipairs(self.given or {}) do wanted[path] = true end
  local all = true
  for i, path in ipairs((side == "A" and self.a or self.b).header.asked.paths) do
    names[i] = path:gsub("^/mgmt/tm/", "")
    all = all and wanted[path] or false
  end
  return not all and table.concat(names, ", ") or nil
end

-- What one side was not asked for: one line for all of it.
function Run:rest()
  local a = self.not_asked.A and self:asked_text "A"
  local b = self.not_asked.B and self:asked_text "B"
  if a then self:skip(nil, a == b and "both" or "A", "only this was read: " .. a, "the rest") end
  if b and a ~= b then self:skip(nil, "B", "only this was read: " .. b, "the rest") end
end

-- What both sides left out as a whole, and what one could not read and the other does not have.
function Run:left_out()
  local noted = {}
  for _, one in ipairs(self.report.not_compared) do
    if one.path and not one.property then noted[one.path] = true end
  end
  for _, side in ipairs { "A", "B" } do
    local left_out = (side == "A" and self.a or self.b).left_out
    for _, one in ipairs(left_out.unread or {}) do
      if type(one.path) == "string" and self:is_in(one.path) and not noted[one.path] then
        noted[one.path] = true
        self:skip(one.path, side, "could not be read: " .. tostring(one.reason))
      end
    end
    for _, path in ipairs(left_out.unsteady or {}) do
      if self:is_in(path) then self:skip(path, side, "changed while it was read") end
    end
    for _, one in ipairs(left_out.excluded or {}) do
      local counts = one.configuration and type(one.path) == "string" and self:is_in(one.path)
      if counts and not noted[one.path] then
        noted[one.path] = true
        self:skip(one.path, "both", tostring(one.reason))
      end
    end
  end
end

-- Notes what was asked for and is nowhere: a misspelt path must not look equal.
function Run:nowhere(partition)
  for _, path in ipairs(self.paths or {}) do
    local found = false
    for _, state in ipairs { self.a, self.b } do
      for _, collection in ipairs(state.collections) do
        found = found or collection.path == path
          or collection.path:sub(1, #path + 1) == path .. "/"
      end
      found = found or state:unread_at(path) ~= nil
    end
    if not found then
      self:skip(path, "both", "neither A nor B has it")
      self.report.incomplete = true
    end
  end
  if partition and self.report.equal == 0 and #self.report.differences == 0 then
    self:skip(nil, "both", "neither A nor B has an object of this partition", partition)
    self.report.incomplete = true
  end
end

-- The partitions that limit both sides: the one that is asked for now, and what each side was asked
-- for before.
function Run:limit(partition)
  local seen = {}
  local function add(name)
    if name and not seen[name] then
      seen[name] = true
      self.partitions[#self.partitions + 1] = name
    end
  end
  local function limit_of(state)
    local asked = state.header.asked
    local limit = type(asked) == "table" and asked.partition
    return type(limit) == "string" and limit ~= partition and limit or nil
  end
  add(partition)
  local function note(side, limit)
    add(limit)
    if not limit then return end
    self:skip(nil, side, ("only partition %s was read"):format(limit), "other partitions")
  end
  local a, b = limit_of(self.a), limit_of(self.b)
  note(a == b and "both" or "A", a)
  if a ~= b then note("B", b) end
  if #self.partitions > 1 then self.report.incomplete = true end -- nothing can be compared
end

--- Compares two states.
-- @param a f5.state
-- @param b f5.state
-- @param options table|nil: paths (array of "/mgmt/tm/…"), partition, ignore (array of patterns),
--   has_kind (function(kind) -> whether it is compared), builtin (function(path of the collection,
--   name) -> whether the object is in one of the states only because a new device has it)
-- @return f5.state.report
function M.states(a, b, options)
  options = options or {}
  local report = {
    a = { label = a.label }, b = { label = b.label }, differences = {}, not_compared = {},
    equal = 0,
  }
  local run = setmetatable({
    a = a, b = b, report = report, ignored = ignored(options.ignore), paths = options.paths,
    given = options.paths,
    not_asked = {}, only_objects = {}, partitions = {},
    has_kind = options.has_kind, builtin = options.builtin,
  }, Run)
  for i, path in ipairs(options.paths or {}) do
    local collection, key = run:single_object(path)
    if collection then
      run.paths = table.move(run.paths, 1, #run.paths, 1, {})
      run.paths[i] = collection
      local inner = run.is_wanted
      function run.is_wanted(self, of, name)
        if of.path == collection and name ~= key then return false end
        return inner(self, of, name)
      end
    end
  end
  run:limit(options.partition)
  run:all()
  run:rest()
  run:left_out()
  run:nowhere(options.partition)
  table.sort(report.differences, function(x, y)
    if x.kind ~= y.kind then return x.kind < y.kind end
    if x.name ~= y.name then return x.name < y.name end
    return x.path < y.path
  end)
  return report
end

return M
