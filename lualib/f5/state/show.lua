-- Prints a difference as text, JSON or HTML. `f5lua diff` prints its result with this module; what
-- a check or a plan found has the same form.
--
--   show.write(report, "text", function(...) output(...) end, { colour = true })

local json = require "f5.json"
local terminal = require "f5.terminal"

local M = {}

---@class f5.state.report
---What differs between two states.
---@field a? f5.state.side the first state
---@field b? f5.state.side the second state
---@field differences f5.state.difference[] sorted by kind and name
---@field not_compared f5.state.not_compared[] what could not be compared
---@field equal? integer number of objects that are equal
---@field incomplete? boolean something could not be read, or changed while it was read
---
---@class f5.state.side
---@field label string what it is: a file, or a device and the time
---
---@class f5.state.difference
---@field what "added"|"removed"|"changed" only in the second state, only in the first, or different
---@field path string "/mgmt/tm/ltm/pool/~Common~web"
---@field kind string "ltm/pool"
---@field name string full name; "" for a singleton
---@field changes? f5.state.change[] of "changed"
---@field object? table the object that only one state has
---@field notes? string[] further words behind the name: "playbook.lua:12"
---
---@class f5.state.not_compared
---@field reason string "secret", "could not be read: …"
---@field side? string "A", "B" or "both": which state does not contain it
---@field kind? string
---@field path? string of an object or a collection
---@field property? string nil: the whole object or collection

local FORMATS <const> = { text = "f5.state.show_text", html = "f5.state.show_html" }
local FIRST <const> = { "what", "kind", "name", "path", "property", "old", "new", "label" }

-- A value for JSON: bytes that are not UTF-8 become \xHH.
local function in_utf8(value)
  if type(value) == "string" then return utf8.len(value) and value or terminal.text(value) end
  if type(value) ~= "table" then return value end
  local out = setmetatable({}, getmetatable(value))
  for key, item in next, value do out[in_utf8(key)] = in_utf8(item) end
  return out
end

local function encode(value)
  local ok, text = pcall(json.encode, value, { sort = true, first = FIRST })
  if not ok then text = json.encode(in_utf8(value), { sort = true, first = FIRST }) end
  return terminal.json(text)
end

local function plain_change(change)
  local keys = change.keys and json.array(table.move(change.keys, 1, #change.keys, 1, {}))
  return {
    property = change.property, keys = keys,
    old = change.old, new = change.new, what = change.what, set = change.set, after = change.after,
  }
end

local function plain(entry)
  local changes
  if entry.changes then
    changes = json.array {}
    for i, change in ipairs(entry.changes) do changes[i] = plain_change(change) end
  end
  return {
    what = entry.what, path = entry.path, kind = entry.kind, name = entry.name,
    changes = changes, object = entry.object,
    notes = entry.notes and json.array(table.move(entry.notes, 1, #entry.notes, 1, {})) or nil,
  }
end

local function put_list(out, name, list, convert)
  out(',\n"', name, '":[')
  for i, one in ipairs(list) do out(i > 1 and "," or "", "\n", encode(convert(one))) end
  out(#list > 0 and "\n]" or "]")
end

local function write_json(report, out)
  out('{"format":1')
  for _, side in ipairs { "a", "b" } do
    if report[side] then out(',\n"', side, '":', encode { label = report[side].label }) end
  end
  if report.equal then out(',\n"equal":', tostring(report.equal)) end
  put_list(out, "differences", report.differences, plain)
  put_list(out, "not_compared", report.not_compared or {}, function(one) return one end)
  out "\n}\n"
end

--- Prints a report.
-- @param report f5.state.report
-- @param format "text"|"json"|"html"
-- @param out function(text, …): gets the text in pieces
-- @param options table|nil: colour (boolean; text), title (HTML), verbs ({ added = "created",
--   removed = "deleted", changed = "changed" } instead of "only in A" and so on)
function M.write(report, format, out, options)
  if format == "json" then return write_json(report, out) end
  require(FORMATS[format]).report(report, out, options)
end

--- Returns a report as one text. Takes the same arguments as `write`, without `out`.
function M.text(report, format, options)
  local parts = {}
  M.write(report, format or "text", function(...)
    for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) end
  end, options)
  return table.concat(parts)
end

return M
