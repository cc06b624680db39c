-- What the answers and the writes of a twin depend on. A twin reads more than that: a list of all
-- monitors to find one of them, all nodes to find the one with an address. If somebody makes one
-- more monitor, nothing here is different. So it is noted, by what looks, what it looks at:
--
--   object   path -> true, or "expand": with what is inside of it
--   list     path of a collection -> the same: all its objects
--   exists   path -> true: whether there is an object
--   about    path of a collection -> { [word] = true }: its objects that mention a word, such as a
--            name or an address; "about_inside": with what is inside of its objects; "about_names":
--            only their names count
--   view     key -> { path =, list = true, select =, partition =, folder =, expand = }: a GET that
--            asks for a part
--   raw      target -> { status =, body = text }: what is passed on
--   file     target .. " " .. range -> what `digest_of` makes
--
-- A request notes into self.touched; that counts if the request is completed. What the filters
-- before its handler look at (who is asking), and a login, is not noted: then self.touched is nil.
local json = require "f5.json"
local digest = require "sim.digest"
local names = require "sim.config.names"
local render = require("sim.lazy") "sim.config.render"
local uri = require "sim.config.uri"
local Store = require "sim.config.store"

local M = {}

local methods = {}
M.methods = methods

local SETS <const> = { about = true, about_inside = true, about_names = true }

local function add(record, kind, key, detail)
  local set = record[kind]
  if not set then
    set = {}
    record[kind] = set
  end
  if not SETS[kind] then
    set[key] = detail or set[key] or true
    return
  end
  local words = set[key]
  if not words then
    words = {}
    set[key] = words
  end
  words[detail] = true
end

--- Notes that the request depends on something.
function methods:touch(kind, key, detail)
  if self.touched then add(self.touched, kind, key, detail) end
end

--- Notes what a completed request has touched.
function methods:keep_touched(record)
  for kind, set in pairs(record) do
    for key, detail in pairs(set) do
      if SETS[kind] then
        for word in pairs(detail) do add(self.depends, kind, key, word) end
      else
        add(self.depends, kind, key, detail ~= true and detail or nil)
      end
    end
  end
end

-- The list of a query, sorted; nil without one.
local function selected(request)
  local wanted = render.wanted(request)
  if wanted then table.sort(wanted) end
  return wanted
end

--- Notes what a GET of the configuration asks for, and nothing of what is done to answer it.
function methods:touch_get(request, target)
  if not self.touched then return end
  local expand = request.query.expandSubcollections == "true" and "expand" or nil
  local is_list = target.what == "collection"
  local filter = request.query["$filter"]
  local partition, folder
  local value = is_list and filter and filter:match "^%s*partition%s+eq%s+(.-)%s*$"
  if value then
    value = value:match "^'(.*)'$" or value:match '^"(.*)"$' or value
    partition, folder = names.partition(value)
  end
  local select = selected(request)
  if select or partition then
    local key = table.concat({
      target.path, expand or "", table.concat(select or {}, ","), partition or "", folder or "",
    }, " ")
    self:touch("view", key, {
      path = target.path, list = is_list, select = select, partition = partition, folder = folder,
      expand = expand,
    })
  else
    self:touch(is_list and "list" or "object", target.path, expand)
  end
  self.touched = nil
end

--- Notes a part of a file that the device has. `range`: what was asked for.
function methods:touch_file(target, range, answer)
  if not self.touched then return end
  local body = answer.status == 200 and answer.body
  self:touch("file", target .. " " .. range, {
    path = target, range = range,
    digest = body and digest.sha256(body):gsub(".", function(byte)
      return ("%02x"):format(byte:byte())
    end) or nil,
    total = math.tointeger(tonumber((answer.range or ""):match "/(%d+)$")),
  })
end

-- -- the device as it was read --

-- The object that the device has at a path; nil if there is none.
local function pristine(self, path)
  local before = self:state().before[path]
  if before ~= nil then return before or nil end
  return self.device.store.items[path]
end

-- Whether the device has an object at a path. Of some only the name is known.
local function is_there(self, path)
  if self:state().before[path] == nil then
    local collection, segment = path:match "^(.*)/([^/]+)$"
    local known = self:state().names[collection]
    if known and known[segment] then return true end
  end
  return pristine(self, path) ~= nil
end

-- Whether the object with this path, or one that it is in, exists in the twin alone.
local function is_own(self, path)
  local before = self:state().before
  while path do
    if before[path] == false then return true end
    path = path:match "^(.*)/[^/]+/[^/]+$"
  end
  return false
end

-- The segments of the objects that the device has in a collection.
local function segments_of(self, collection, removed)
  local list, known = {}, {}
  for _, segment in ipairs(Store.segments(self.device.store, collection)) do
    if pristine(self, collection .. "/" .. segment) then
      list[#list + 1], known[segment] = segment, true
    end
  end
  for _, segment in ipairs(removed[collection] or {}) do
    if not known[segment] then list[#list + 1] = segment end
  end
  return list
end

-- The segments that the twin has removed: { [collection] = array }.
local function removed_of(self)
  local removed, items = {}, self.device.store.items
  for path, before in pairs(self:state().before) do
    if before and not items[path] then
      local collection, segment = path:match "^(.*)/([^/]+)$"
      removed[collection] = removed[collection] or {}
      table.insert(removed[collection], segment)
    end
  end
  return removed
end

-- An object as the device gave it; with `expand` with what is inside of it.
local function body_of(self, path, expand, removed)
  local object, target = pristine(self, path), uri.parse(path)
  if not object or not target then return nil end
  local version = self.device.version.version
  local body = render.object(self.device.store, target, object, { version = version })
  for reference, sub in pairs(expand and target.node.subs or {}) do
    local collection = path .. "/" .. sub
    local segments = segments_of(self, collection, removed)
    if type(body[reference]) == "table" and #segments > 0 then
      local items = json.array {}
      for i, segment in ipairs(segments) do
        items[i] = body_of(self, collection .. "/" .. segment, true, removed)
      end
      body[reference].items = items
    end
  end
  return body
end

-- -- the report --

-- So many objects of a collection are in one entry.
local PART <const> = 250

-- Adds the entries of a collection: { head =, texts = function }. What is not known completely was
-- not looked at.
local function add_list(self, list, entry, expand, removed)
  local state, path = self:state(), entry.path
  entry.collection, entry.expand = true, expand and true or nil
  entry.path = names.encoded(path)
  if not state.whole[path] then return end
  if state.absent[path] then
    list[#list + 1] = { head = entry, text = "null" }
    return
  end
  local segments = segments_of(self, path, removed)
  for from = 1, math.max(#segments, 1), PART do
    local head = {}
    for name, value in pairs(entry) do head[name] = value end
    head.continued = from + PART <= #segments or nil
    list[#list + 1] = { head = head, make = function()
      local texts = {}
      for i = from, math.min(from + PART - 1, #segments) do
        local body = body_of(self, path .. "/" .. segments[i], expand, removed)
        texts[#texts + 1] = json.encode(body)
      end
      return ('{"items":[%s]}'):format(table.concat(texts, ","))
    end }
  end
end

local function add_object(self, list, entry, expand, removed)
  local path = entry.path
  local absent = self:state().absent[path]
  if type(absent) == "table" and absent.status ~= 404 then return end -- the user may not read it
  entry.path, entry.expand = names.encoded(path), expand and true or nil
  list[#list + 1] = { head = entry, make = function()
    local body = body_of(self, path, expand, removed)
    return body and json.encode(body) or "null"
  end }
end

local function words_of(set)
  local words = json.array {}
  for word in pairs(set) do words[#words + 1] = word end
  table.sort(words)
  return words
end

-- The names of the objects of a collection of which only these may be known.
local function add_names(self, list, collection, set, removed)
  local known, items = self:state().names[collection], {}
  local segments = {}
  if known then
    for segment in pairs(known) do segments[#segments + 1] = segment end
  elseif self:state().whole[collection] then
    segments = segments_of(self, collection, removed)
  else
    return
  end
  for i, segment in ipairs(segments) do items[i] = { fullPath = (segment:gsub("~", "/")) } end
  list[#list + 1] = {
    head = {
      path = names.encoded(collection), collection = true, about = words_of(set),
      select = json.array { "fullPath" },
    },
    text = json.encode { items = json.array(items) },
  }
end

local function add_files(self, list)
  for _, part in pairs(self.depends.file or {}) do
    list[#list + 1] = {
      head = {
        path = part.path, range = part.range, digest = part.digest, total = part.total,
      },
      text = "null",
    }
  end
end

local function add_raw(self, list)
  for target, answer in pairs(self.depends.raw or {}) do
    local path = target:match "^[^?]*"
    list[#list + 1] = {
      head = { path = target, volatile = path:sub(-6) == "/stats" or nil },
      text = answer.status == 200 and answer.body or "null",
    }
  end
end

local function add_about(self, list, kind, removed)
  for path, set in pairs(self.depends[kind] or {}) do
    local target = uri.parse(path)
    local expand = kind == "about_inside"
    if target and target.what == "singleton" then
      add_object(self, list, { path = path, about = words_of(set) }, expand, removed)
    elseif not is_own(self, path) then
      add_list(self, list, { path = path, about = words_of(set) }, expand, removed)
    end
  end
end

local function add_plain(self, list, removed)
  local depends = self.depends
  local lists = depends.list or {}
  for path, expand in pairs(lists) do
    if not is_own(self, path) then
      add_list(self, list, { path = path }, expand == "expand", removed)
    end
  end
  for path, expand in pairs(depends.object or {}) do
    local collection = path:match "^(.*)/[^/]+$"
    local in_list = lists[collection] and (expand == true or lists[collection] == "expand")
    local owner = path:match "^(.*)/[^/]+/[^/]+$"
    if not in_list and not is_own(self, owner) then
      add_object(self, list, { path = path }, expand == "expand", removed)
    end
  end
  for path in pairs(depends.exists or {}) do
    if not is_own(self, path) and not (depends.object or {})[path] then
      list[#list + 1] = {
        head = { path = names.encoded(path), exists = is_there(self, path) }, text = "null",
      }
    end
  end
end

local function add_views(self, list, removed)
  for _, view in pairs(self.depends.view or {}) do
    local entry = {
      path = view.path, select = view.select and json.array(view.select),
      partition = view.partition, folder = view.folder,
    }
    local expand = view.expand == "expand"
    if view.list then
      add_list(self, list, entry, expand, removed)
    else
      add_object(self, list, entry, expand, removed)
    end
  end
end

--- What the answers and writes depend on: array of { head = fields, text = JSON of the body, or
--- make = function that returns it }.
function methods:dependencies()
  local list, removed = {}, removed_of(self)
  add_plain(self, list, removed)
  add_views(self, list, removed)
  add_about(self, list, "about", removed)
  add_about(self, list, "about_inside", removed)
  for collection, set in pairs(self.depends.about_names or {}) do
    add_names(self, list, collection, set, removed)
  end
  add_raw(self, list)
  add_files(self, list)
  for n, entry in ipairs(list) do entry.n = n end
  table.sort(list, function(a, b)
    if a.head.path ~= b.head.path then return a.head.path < b.head.path end
    return a.n < b.n
  end)
  return list
end

return M
