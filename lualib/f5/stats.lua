-- Statistics and whatever else comes as nested entries, read as plain values.
--
-- The device answers { entries = { ["https://localhost/…/stats"] = { nestedStats = { entries = {
-- ["serverside.curConns"] = { value = 0 }, ["status.availabilityState"] = { description = "unknown"
-- } } } } } }; older ones leave the outer two levels out.

local core = require "f5.core"
local json = require "f5.json"

local M = {}

-- "…/version/2" before "…/version/10". A table has lost the order in which the device wrote; it
-- writes its entries sorted.
local function natural_key(text)
  return (text:gsub("%d+", function(digits) return ("%04d%s"):format(#digits, digits) end))
end

local function sorted_keys(entries)
  local keys, order = {}, {}
  for key in pairs(entries) do
    keys[#keys + 1] = key
    order[key] = natural_key(tostring(key))
  end
  table.sort(keys, function(a, b) return order[a] < order[b] end)
  return keys
end

local function is_nested(entry) return type(entry) == "table" and type(entry.nestedStats) == "table" end

local read_entries

local function read_entry(entry)
  if type(entry) ~= "table" then return entry end
  if entry.nestedStats then return read_entries(entry.nestedStats.entries or {}) end
  if entry.value ~= nil then return entry.value end
  if entry.description ~= nil then return entry.description end
  if entry.entries then return read_entries(entry.entries) end
  return entry
end

-- One table: name to value. An inner entry whose name is a link holds a table of its own under that
-- link.
function read_entries(entries)
  local values = {}
  for name, entry in pairs(entries) do values[name] = read_entry(entry) end
  return values
end

local function all_nested(entries)
  for _, entry in pairs(entries) do
    if not is_nested(entry) then return false end
  end
  return next(entries) ~= nil
end

local function check(body)
  if type(body) ~= "table" then
    core.usage_error(2, ("f5.flat takes an answer with entries, not a %s"):format(type(body)))
  end
end

--- Every entry of the body as a table of plain values, in the device's order.
function M.flat(body)
  check(body)
  local entries = body.entries or (body.nestedStats and body.nestedStats.entries) or {}
  local list = json.array {}
  if not all_nested(entries) then
    if next(entries) ~= nil then list[1] = read_entries(entries) end
    return list
  end
  for i, key in ipairs(sorted_keys(entries)) do list[i] = read_entry(entries[key]) end
  return list
end

-- Of a collection, or of one object? The kind does not always say ("membersstats" is a
-- collection's, "acollectionstats" may be an object's); but it names the component, and a path that
-- ends with that name is the collection.
local function is_collection(ref, body)
  local last = tostring(ref):match "([^/?]+)[^/]*$"
  if last:sub(1, 1) == "~" then return false end
  local component = type(body.kind) == "string" and body.kind:match ":([^:]+):[^:]+stats$"
  return component == last
end

--- GET <path>/stats: of a resource one table of values, of a collection an array of them.
function M.stats(ref, opts)
  local body = ref:at("stats"):load(opts)
  local list = M.flat(body)
  if #list > 1 or is_collection(ref, body) then return list end
  return list[1] or {}
end

return M
