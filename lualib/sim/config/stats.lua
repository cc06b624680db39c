-- Statistics: /stats of a resource, a sub-collection or a collection, and kinds of the type "show".
--
-- There is no traffic through a simulated device. All counters are 0, except what its owner says
-- (sim/status/traffic.lua). The rules of a kind are in the `stats` of sim/kinds. A kind whose
-- statistics were never recorded has only the counters that its owner set.
local catalogue = require "sim.config.catalogue"
local availability = require "sim.kinds.common.availability"
local errors = require "sim.http.errors"
local kinds = require "sim.kinds"
local names = require "sim.config.names"
local identity = require "sim.config.identity"
local pieces = require "sim.http.pieces"
local response = require "sim.kinds.common.response"
local traffic = require "sim.status.traffic"
local turns = require "sim.turns"
local uri = require "sim.config.uri"

local M = {}

local entry_names  -- kind of the statistics -> list of { name, "v" or "d" }

local function names_of(kind)
  if not entry_names then
    entry_names = {}
    for full_kind, fact in pairs(require "sim.catalogue.tables.stats") do
      entry_names[full_kind] = fact.entries
    end
  end
  return entry_names[kind] or entry_names[(kind:gsub("stats$", "collectionstats"))]
end

-- The entries of a kind whose statistics were never recorded: its counters.
local function only_set(own)
  local list = {}
  for name, value in pairs(own) do list[#list + 1] = { name, math.type(value) and "v" or "d" } end
  return list
end

-- Entries that most objects have; nothing changes an entry of an answer.
local ZERO <const>, NOTHING <const> = { value = 0 }, { description = "none" }
local USUAL <const> = {
  ["status.availabilityState"] = { description = "unknown" },
  ["status.enabledState"] = { description = "enabled" },
  ["status.statusReason"] = { description = availability.NOT_CHECKED },
}

-- The entries of one object; `more`: values of one of its lines.
local function entries_of(store, target, path, object, more)
  local own_stats = kinds.of(target.template).stats
  local own = own_stats.values and own_stats.values(store, path, object) or {}
  for name, value in pairs(traffic.counters(store.device, path)) do own[name] = value end
  for name, value in pairs(more or {}) do own[name] = value end
  local list = own_stats.entries or names_of(target.node.kind .. "stats") or only_set(own)
  local entries = {}
  for _, entry in ipairs(list) do
    local name, field = entry[1], entry[2]
    local value = own[name]
    if field == "v" then
      local is_zero = not math.type(value) or value == 0 and math.type(value) == "integer"
      entries[name] = is_zero and ZERO or { value = value }
    elseif value == nil and name ~= "tmName" then
      entries[name] = USUAL[name] or NOTHING
    else
      if value == nil then value = object.fullPath or object.name end
      entries[name] = { description = tostring(value or "none") }
    end
  end
  return entries
end

-- Adds the statistics of the object at a path: one line, or several if its kind has them. `shown`:
-- the path in the request.
local function add_lines(store, target, path, shown, object, version, entries)
  turns.pause()
  local lines = kinds.of(target.template).stats.lines
  for _, line in ipairs(lines and lines(object, store) or { {} }) do
    local suffix = line.suffix or ""
    local link = names.link(shown .. suffix .. "/stats")
    local own = entries_of(store, target, path .. suffix, object, line.values)
    local inner = kinds.of(target.template).stats.inner
    for name, entry in pairs(inner and inner(store, object, names.link(shown)) or {}) do
      own[name] = entry
    end
    if next(own) then
      entries[link] = { nestedStats = {
        kind = target.node.kind .. "stats", selfLink = link .. "?ver=" .. version, entries = own,
      } }
    end
  end
end

local function collect(store, target, version, segments)
  local entries = {}
  for _, segment in ipairs(segments) do
    local path = target.path .. "/" .. segment
    add_lines(store, target, path, path, store:get(path), version, entries)
  end
  return next(entries) and entries or nil
end

-- GET …/stats
function M.get(device, request, target)
  local store = device.store
  traffic.count(device)
  local version = names.version(device, request)
  local query = names.query(request, version)
  local body = { selfLink = names.link(target.shown .. "/stats", query) }
  if target.what == "collection" then
    if target.parent and not store:get(target.parent) then
      identity.not_found(uri.parse(target.parent))
    end
    -- the kind is that of the objects for a sub-collection, else that of the collection
    body.kind = target.node.kind .. (target.parent and "stats" or "collectionstats")
    local segments = store:segments(target.path)
    local whole = pieces.entries(device, request, body, #segments, function(i)
      return collect(store, target, version, { segments[i] }) or {}
    end)
    if whole then return whole end
    body.entries = collect(store, target, version, segments)
  elseif target.what == "resource" then
    local object = store:get(target.path)
    if target.public and not object then
      -- The statistics of a sub-component of all objects, as the guide shows them for
      -- pool/members/stats.
      local inner = catalogue.find(target.public.template)
      body.kind = inner.kind .. "stats"
      local entries = {}
      for _, segment in ipairs(store:segments(target.public.collection)) do
        local path = target.public.collection .. "/" .. segment
        add_lines(store, target, path, path, store:get(path), version, entries)
        local sub = {
          node = inner,
          template = target.public.template,
          path = path .. "/" .. target.public.sub,
        }
        for name, value in pairs(collect(store, sub, version, store:segments(sub.path)) or {}) do
          entries[name] = value
        end
      end
      body.entries = next(entries) and entries or nil
      return { status = 200, body = body }
    end
    if not object then identity.not_found(target) end
    body.kind = target.node.kind .. "stats"
    body.generation = object.generation
    body.entries = {}
    add_lines(store, target, target.path, target.shown, object, version, body.entries)
    if not next(body.entries) then body.entries = nil end
  elseif target.what == "show" then
    return M.show(device, request, target)
  else
    error(errors.not_public(request), 0)
  end
  return { status = 200, body = body }
end

-- The entries of a kind of the type "show", with the names of the catalogue. Those that the kind
-- does not know are 0.
local function recorded_entries(device, target)
  local kind = target.node.kind
  local values = kinds.of(target.template).stats.values
  local own = values and values(device.store) or {}
  for full_kind, fact in pairs(require "sim.catalogue.tables.stats") do
    if
      fact.path == target.template
      and (full_kind == kind .. "stats" or full_kind == kind .. "collectionstats")
    then
      local entries = {}
      for _, entry in ipairs(fact.entries) do
        local value = own[entry[1]]
        entries[entry[1]] = entry[2] == "v" and response.number(value or 0)
          or response.text(tostring(value or "none"))
      end
      local line = ("%s%s/%s"):format(response.ROOT, target.template, own.tmmId or "0")
      return { [line] = response.nest(entries) }
    end
  end
  return nil
end

-- The entries as `/stats` shows them: each link ends with it, as recorded for sys/performance.
local function with_stats(entries)
  local longer = {}
  for name, entry in pairs(entries) do
    local inner = entry.nestedStats and entry.nestedStats.entries
    if name:find "^https://" then
      name = name .. "/stats"
      if inner then
        local copy = {}
        for field, value in pairs(entry.nestedStats) do copy[field] = value end
        copy.entries = with_stats(inner)
        if copy.selfLink then copy.selfLink = copy.selfLink:gsub("%?", "/stats?", 1) end
        entry = { nestedStats = copy }
      end
    end
    longer[name] = entry
  end
  return longer
end

-- GET of a kind of the type "show".
function M.show(device, request, target)
  local version = names.version(device, request)
  local make = kinds.of(target.template).stats.body
  local entries, kind, body
  traffic.count(device)
  if make then
    entries, kind, body = make(device, target, version, request.query.options)
  else
    entries = recorded_entries(device, target)
  end
  local shown = target.shown
  if request.path:find "/stats/?$" and not shown:find "/stats$" then
    shown = shown .. "/stats"
    entries = entries and with_stats(entries)
  end
  body = body or {}
  body.entries = entries and next(entries) and entries or nil
  body.kind = kind or target.node.kind .. (target.node.ending or "stats")
  body.selfLink = names.link(shown, names.query(request, version))
  return { status = 200, body = body }
end

return M
