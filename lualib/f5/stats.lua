-- Reads statistics and other nested entries as plain values.
--
-- The device answers { entries = { ["https://localhost/…/stats"] = { nestedStats = { entries = {
-- ["serverside.curConns"] = { value = 0 }, ["status.availabilityState"] = { description = "unknown"
-- } } } } } }. Older devices leave out the outer two levels.

local core = require "f5.core"
local json = require "f5.json"
local segment = require "f5.state.segment"

local M = {}

-- Sorts "…/version/2" before "…/version/10". A device writes its entries sorted, but a Lua table
-- loses the order.
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

local function is_nested(entry)
  return type(entry) == "table" and type(entry.nestedStats) == "table"
end

local read_entries

local function read_entry(entry)
  if type(entry) ~= "table" then return entry end
  if entry.nestedStats then return read_entries(entry.nestedStats.entries or {}) end
  if entry.value ~= nil then return entry.value end
  if entry.description ~= nil then return entry.description end
  if entry.entries then return read_entries(entry.entries) end
  return entry
end

-- One table: name = value. If the name of an inner entry is a link, it holds a table of its own.
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
    core.usage_error(("f5.flat: expected an answer with entries, got a %s"):format(type(body)))
  end
end

-- The name in the link of an entry: "https://localhost/mgmt/tm/ltm/pool/~Common~web/stats" is
-- "/Common/web". Links to the statistics of an object contain its name twice.
local function name_in(link)
  local path = link:find "^https?://" and link:gsub("[?#].*$", ""):gsub("/stats$", "")
  local last = path and path:match "[^/]+$"
  if not last then return nil end
  return segment.name(last)
end

-- The entries of the body, and the name of each as far as there is one.
local function list_entries(body)
  local entries = body.entries or (body.nestedStats and body.nestedStats.entries) or {}
  local list, names = json.array {}, {}
  if not all_nested(entries) then
    if next(entries) ~= nil then list[1] = read_entries(entries) end
    return list, names
  end
  for i, key in ipairs(sorted_keys(entries)) do
    list[i], names[i] = read_entry(entries[key]), name_in(tostring(key))
  end
  return list, names
end

--- Returns every entry of the body as a table of plain values, in the device's order.
function M.flat(body)
  check(body)
  return (list_entries(body))
end

--- The same with the property `name` in each entry that has none. It comes from the entry's link.
function M.named(body)
  check(body)
  local list, names = list_entries(body)
  for i, name in pairs(names) do
    local is_number = not name:find "%D" -- the position of the entry, not a name
    if type(list[i]) == "table" and list[i].name == nil and not is_number then
      list[i].name = name
    end
  end
  return list
end

-- Whether the statistics are those of a collection. The kind does not always show this:
-- "membersstats" is that of a collection, "acollectionstats" may be that of an object. But it
-- contains the component, and a path that ends with the component is the collection.
local function is_collection(ref, body)
  local last = tostring(ref):match "([^/?]+)[^/]*$"
  if last:sub(1, 1) == "~" then return false end
  local component = type(body.kind) == "string" and body.kind:match ":([^:]+):[^:]+stats$"
  return component == last
end

-- Raises if the answer of a device holds no statistics. Those of an empty collection have only a
-- kind.
local function check_statistics(ref, body)
  local is_table = type(body) == "table" and not json.is_array(body)
  if is_table and (type(body.entries) == "table" or type(body.nestedStats) == "table") then
    return
  end
  if is_table and type(body.kind) == "string" and body.kind:find "[sS]tats$" then return end
  error(core.error_new {
    kind = "protocol", method = "GET", path = tostring(ref) .. "/stats",
    message = "the answer holds no statistics",
  }, 0)
end

--- GET <path>/stats. Returns one table of values for an object, an array of them for a collection;
-- those have a `name`.
function M.stats(ref, opts)
  local body = ref:at("stats"):load(opts)
  check_statistics(ref, body)
  local list = M.flat(body)
  if #list > 1 or is_collection(ref, body) then return M.named(body) end
  return list[1] or {}
end

return M
