-- The requests of f5.state.read: pages of a collection, smaller ones after a timeout, and
-- sub-collections that a page does not show.

local clean = require "f5.state.clean"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local State = require "f5.state.state"

local M = {}

M.PAGE = 50 -- objects a request
local MAX_LEVELS <const> = 6 -- of sub-collections
local PROBES <const> = 3 -- owners whose empty sub-collections are looked at in any case …
local EVERY <const> = 25 -- … and then one of so many

local function get(self, path, query)
  return self.bip:at(path):load(query)
end

-- The path of a link, without host and query.
local function path_of_link(link)
  return State.canonical((link:gsub("^https?://[^/]*", ""):gsub("[?#].*$", "")))
end

-- Kinds whose objects are partitions and folders themselves: a filter would leave them out.
local UNFILTERED <const> = { ["/mgmt/tm/auth/partition"] = true, ["/mgmt/tm/sys/folder"] = true }

local function filter_of(self, path)
  if not self.partition or UNFILTERED[path] then return nil end
  return { partition = self.partition }
end

-- What a page may ask for: sub-collections, and the partition.
local function query_of(self, path, from, size, expand)
  return { skip = from, top = size, expand = expand or nil, filter = filter_of(self, path) }
end

local function whole(value)
  return math.type(value) == "integer" and value or math.type(value) == "float"
    and math.tointeger(value) or nil
end

-- Whether a request was too much for the device.
local function is_too_much(err)
  if type(err) ~= "table" then return false end
  return err.kind == "timeout" or err.status == 500 or err.kind == "protocol"
end

-- -- sub-collections ------------------------------------------------------------------------------

-- All elements of a sub-collection, cleaned. Raises errors of the device.
local function read_sub(self, kind, path, place, notes, level)
  local out, from = json.array {}, 0
  while true do
    local body = get(self, path, { skip = from, top = self.page })
    local items = type(body) == "table" and body.items or nil
    if type(items) ~= "table" or #items == 0 then break end
    local before = #notes.subs
    for _, item in ipairs(clean.items(kind, items, place, notes, true)) do out[#out + 1] = item end
    M.fill(self, path, notes, before + 1, level + 1, true)
    from = from + #items
    local total = whole(body.totalItems)
    if total and from >= total or not total and body.nextLink == nil then break end
  end
  return out
end

-- Whether an empty sub-collection in an answer must be read by itself to be sure.
local function must_look(self, kind, plain)
  if plain or self.lies[kind] then return true end
  if self.expands[kind] then return false end
  local count = (self.probes[kind] or 0) + 1
  self.probes[kind] = count
  if count <= PROBES or count % EVERY == 0 then return true end
  self.trusted[kind] = true
  return false
end

--- Reads the sub-collections that an answer did not contain, from number `first` on.
-- @param plain boolean: the answer contained none
-- @return path, error of the one that cannot be read
function M.fill(self, owner, notes, first, level, plain)
  for i = first, #notes.subs do
    local sub = notes.subs[i]
    if sub.done then goto next end
    sub.done = true
    sub.holder[sub.key] = json.array {}
    if level <= MAX_LEVELS and must_look(self, sub.kind, plain) then
      local path = path_of_link(sub.link)
      if path:sub(1, #owner + 1) ~= owner .. "/" or path:find("/..", 1, true) then
        error({ kind = "protocol", message = ("an invalid link: %s"):format(sub.link) }, 0)
      end
      local items = read_sub(self, sub.kind, path, sub.place, notes, level)
      sub.holder[sub.key] = items
      if #items > 0 and not plain and not self.expands[sub.kind] then self.lies[sub.kind] = true end
    end
    ::next::
  end
end

-- -- objects --------------------------------------------------------------------------------------

-- An object as the sink gets it: { body, notes }.
local function entry_of(self, kind, raw, path, plain)
  local link = raw.selfLink
  local body, notes = clean.object(kind, raw, true)
  for inner in pairs(notes.expanded) do self.expands[inner] = true end
  if #notes.subs > 0 then
    local own = type(link) == "string" and path_of_link(link)
    M.fill(self, own and own:sub(1, #path) == path and own or path, notes, 1, 1, plain)
  end
  return { body = body, notes = notes }
end

-- Whether an object is not there any more: what is in it was not found.
local function is_gone(self, err, path, full)
  if type(err) ~= "table" or err.kind ~= "not_found" or not full then return false end
  local ok, answer = pcall(get, self, State.path_of({ path = path }, tostring(full)))
  return not ok and type(answer) == "table" and answer.kind == "not_found"
end

-- Turns the items of a page into entries.
local function page_of(self, path, items, plain)
  local page = { entries = {}, failures = {}, ephemeral = 0, passed = 0 }
  local kind = State.kind_of(path)
  for _, raw in ipairs(items) do
    page.passed = page.passed + 1
    local full = type(raw) == "table" and raw.fullPath
    if type(raw) ~= "table" then
      page.failures[#page.failures + 1] = { err = "an item that is no object" }
    elseif not self:is_wanted(path, raw) then
      goto next -- of another partition
    elseif kinds.is_own(kind, raw) then
      page.ephemeral = page.ephemeral + 1
    else
      local ok, entry = pcall(entry_of, self, kind, raw, path, plain)
      if ok then
        page.entries[#page.entries + 1] = entry
      elseif is_gone(self, entry, path, full) then
        page.gone = true
      else
        page.failures[#page.failures + 1] = {
          err = self:accept(entry),
          path = full and State.path_of({ path = path }, tostring(full)) or nil,
        }
      end
    end
    ::next::
  end
  return page
end

local function append(page, other)
  table.move(other.entries, 1, #other.entries, #page.entries + 1, page.entries)
  table.move(other.failures, 1, #other.failures, #page.failures + 1, page.failures)
  page.ephemeral, page.passed = page.ephemeral + other.ephemeral, page.passed + other.passed
  page.more, page.gone = other.more, page.gone or other.gone
end

-- One request for a part of a collection; a part of one object falls back to an answer without
-- sub-collections.
local function part(self, path, from, size)
  local ok, body = pcall(get, self, path, query_of(self, path, from, size, true))
  local plain = false
  if not ok and size == 1 and is_too_much(body) then
    ok, body = pcall(get, self, path, query_of(self, path, from, size, false))
    plain = true
  end
  if not ok then error(body, 0) end
  self.timeouts = 0
  local items = type(body) == "table" and body.items or nil
  local page = page_of(self, path, type(items) == "table" and items or {}, plain)
  page.more = type(body) == "table" and body.nextLink ~= nil and page.passed > 0
  return page
end

--- Reads the objects from number `from` on, in smaller parts where the device needs too long.
-- @return page: entries, failures, ephemeral, passed (number of objects); or { err = } if nothing
--   could be read
function M.range(self, path, from, size)
  local page = { entries = {}, failures = {}, ephemeral = 0, passed = 0 }
  local last = from + size
  while from < last do
    local this = math.min(self.limits[path] or size, last - from)
    local ok, found = pcall(part, self, path, from, this)
    if ok then
      append(page, found)
      from = from + this
    elseif is_too_much(found) and this > 1 then
      self.limits[path] = math.max(this // 2, 1)
    else
      page.failures[#page.failures + 1] = { err = self:accept(found) }
      page.passed = page.passed + this
      from = from + this
    end
  end
  return page
end

-- -- the first request for a path -----------------------------------------------------------------

local function is_organizing(items)
  local first = items[1]
  return type(first) == "table" and type(first.reference) == "table" and first.fullPath == nil
    and first.name == nil
end

local function remaining(self, path, body, items)
  local seen, all = #items, table.move(items, 1, #items, 1, {})
  while body.nextLink and seen > 0 do
    body = get(self, path, { skip = #all, top = 1000 })
    local more = type(body.items) == "table" and body.items or {}
    seen = #more
    table.move(more, 1, seen, #all + 1, all)
  end
  return all
end

local function classify(self, path, body, plain)
  if type(body) ~= "table" then
    error({ kind = "protocol", message = "the answer is no object" }, 0)
  end
  if body.entries ~= nil then return { what = "statistics" } end
  local kind = type(body.kind) == "string" and body.kind or ""
  local items = body.items
  if items == nil and not kind:find "collectionstate$" then
    if kind:find "stats$" then return { what = "statistics" } end
    local of = kinds.of_body(body)
    local entry = entry_of(self, State.kind_of(path), body, path, plain)
    return { what = "object", entry = entry, kind = of, failures = {} }
  end
  if items == nil then items = {} end
  if type(items) ~= "table" or #items == 0 and next(items) ~= nil then
    error({ kind = "protocol", message = "its 'items' are no list" }, 0)
  end
  if is_organizing(items) then
    return { what = "organizing", items = remaining(self, path, body, items), failures = {} }
  end
  local page = page_of(self, path, items, plain)
  page.what, page.size, page.total = "collection", #items, whole(body.totalItems)
  page.more = page.size > 0 and not page.total and body.nextLink ~= nil
  if page.size == 0 then page.total = 0 end
  return page
end

--- Reads a path of which nothing is known yet.
-- @return what it is: { what = "organizing", items }, { what = "collection", entries, failures,
--   size, total }, { what = "object", entry, kind }, { what = "statistics" }, or { err = }
function M.first(self, path)
  local ok, body = pcall(get, self, path, query_of(self, path, 0, self.page, true))
  local plain = false
  if not ok and is_too_much(body) then
    self.limits[path] = 1
    plain = true
    ok, body = pcall(get, self, path, query_of(self, path, 0, 1, false))
  elseif not ok and self.partition and body.kind == "invalid" then
    -- the kind knows no partitions
    ok, body = pcall(get, self, path, { skip = 0, top = self.page, expand = true })
  elseif not ok and body.kind == "invalid" then
    ok, body = pcall(get, self, path)
    plain = true
  end
  local result
  if ok then
    self.timeouts = 0
    ok, result = pcall(classify, self, path, body, plain)
    if not ok then body = result end
  end
  if ok then return result end
  return { err = self:accept(body) }
end

--- The full names of all objects of a collection; nil and the error.
function M.names(self, path)
  local ok, list = pcall(function()
    return self.bip:at(path):list { filter = filter_of(self, path) }
  end)
  if not ok then return nil, self:accept(list) end
  local names = {}
  local kind = State.kind_of(path)
  for _, raw in ipairs(list) do
    if self:is_wanted(path, raw) and not kinds.is_own(kind, raw) then
      names[#names + 1] = clean.name_of((clean.object(kind, raw)))
    end
  end
  return names
end

--- One object by its full name; nil and the error.
function M.object(self, path, name)
  local ok, raw = pcall(function() return self.bip:at(path, name):load { expand = true } end)
  if not ok then return nil, self:accept(raw) end
  local done, entry = pcall(entry_of, self, State.kind_of(path), raw, path, false)
  if not done then return nil, self:accept(entry) end
  return entry
end

return M
