-- Values of a difference as one line of text, and longer ones as lines.

local ensure = require "f5.ensure.compare"
local json = require "f5.json"
local lines = require "f5.state.lines"
local terminal = require "f5.terminal"

local M = {}

local MAX_SHOWN <const> = 300 -- characters of a value in one line
local FEW <const> = 4 -- properties of an element that are shown in its line

local NAMING <const> = { name = true, partition = true, subPath = true, fullPath = true }
local STYLE <const> = { sort = true, first = { "name", "partition", "subPath", "fullPath" } }

local function cut(text)
  if #text <= MAX_SHOWN then return text end
  local last = MAX_SHOWN
  while last > 1 and (text:byte(last + 1) or 0) & 0xC0 == 0x80 do last = last - 1 end
  return ("%s… (%d bytes)"):format(text:sub(1, last), #text)
end

local function is_plain(list)
  for _, item in ipairs(list) do
    if type(item) == "table" then return false end
  end
  return true
end

--- A value as one line, safe for a terminal: "(none)" for nothing.
function M.line(value)
  if value == nil then return "(none)" end
  if value == json.null then return "null" end
  if value == "" then return '""' end
  if type(value) == "string" then return cut(terminal.line(value)) end
  if type(value) ~= "table" then return tostring(value) end
  if not next(value) then return "(empty)" end
  if ensure.is_list(value) and is_plain(value) then
    local parts = {}
    for i, item in ipairs(value) do parts[i] = tostring(item) end
    return cut(terminal.line(table.concat(parts, ", ")))
  end
  local ok, text = pcall(json.encode, value, STYLE)
  return cut(terminal.line(ok and text or "(a value that JSON cannot express)"))
end

--- The few properties of an element of a list: "context: all"; "" if there are many or none.
function M.summary(element)
  if type(element) ~= "table" then return "" end
  local parts = {}
  for key, value in next, element do
    if not NAMING[key] then
      if type(value) == "table" then return "" end
      parts[#parts + 1] = ("%s: %s"):format(terminal.line(tostring(key)), M.line(value))
    end
  end
  if #parts > FEW then return "" end
  table.sort(parts)
  return table.concat(parts, ", ")
end

--- The items that only one of two lists has.
function M.set_difference(old, new)
  local function beyond(list, other)
    local known, out = {}, {}
    for _, item in ipairs(other or {}) do known[tostring(item)] = true end
    for _, item in ipairs(list or {}) do
      if not known[tostring(item)] then out[#out + 1] = item end
    end
    return out
  end
  return beyond(old, new), beyond(new, old)
end

--- Whether a change is shown line by line.
function M.has_lines(change)
  if change.text then return true end
  local old, new = change.old, change.new
  if type(old or "") ~= "string" or type(new or "") ~= "string" then return false end
  return (old or ""):find "\n" ~= nil or (new or ""):find "\n" ~= nil
end

--- The changed lines of a text, in hunks: see f5.state.lines.
function M.hunks(change)
  return lines.hunks(
    lines.edits(lines.split(change.old or ""), lines.split(change.new or ""))
  )
end

return M
