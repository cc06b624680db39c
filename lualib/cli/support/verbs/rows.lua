-- What a verb prints: rows, of one device or of many. Text and JSON lines are printed as they come,
-- the other formats at the end.
--
--   local out = rows.new(options, { text = function(row) … end, columns = { … } })
--   out:add(nil, { file = "a.ucs", … })          out:add("bigip1", { … })
--   out:finish()

local fleet = require "cli.support.fleet"
local host = require "f5.host"
local json = require "f5.json"
local output = require "cli.support.output"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"
local writing = require "cli.support.rows.write"

local M = {}

local Rows <const> = {}
Rows.__index = Rows

--- Adds --output, and --grouped for text.
-- @param has_text boolean: rows can be printed as text
function M.add_options(parser, has_text)
  local formats = table.move(writing.FORMATS, 1, #writing.FORMATS, 1, {})
  if has_text then table.insert(formats, 1, "text") end
  parser
    :option("-o --output", "one of " .. table.concat(formats, ", "))
    :argname("FORMAT")
    :choices(formats)
  if has_text then
    parser:flag("--grouped", "with --inventory: the same text of several devices only once")
  end
end

--- Ends with wrong usage if options contradict each other.
function M.check(options, program)
  if not options.grouped then return end
  if not options.inventory then usage("--grouped needs --inventory", program) end
  if options.output and options.output ~= "text" then
    usage("--grouped needs --output text", program)
  end
  options.output = "text"
end

--- @param options table: output, grouped, inventory
-- @param style table: text (function(row), the text for people), always_text (also where there is
--   no terminal), columns (names, in order; nil: those of the kind), kind, first (properties that
--   come first in JSON), shown (function(row), the cells of a table), empty (text for no rows)
function M.new(options, style)
  local format = options.output
  if not format then
    local for_people <const> = style.text and "text" or "table"
    format = (style.always_text or host.is_terminal(1)) and for_people or "jsonl"
  end
  if format == "text" and not style.text then format = "table" end
  return setmetatable({
    format = format, style = style, rows = json.array {}, is_fleet = options.inventory ~= nil,
    first = { "device", table.unpack(style.first or style.columns) },
    grouped = options.grouped and {} or nil,
  }, Rows)
end

-- The text of one device, each line with its name.
local function prefixed(device, text)
  local name <const> = terminal.line(device) .. ": "
  return name .. text:gsub("\n$", ""):gsub("\n", function() return "\n" .. name end) .. "\n"
end

function Rows:write_text(device, text)
  text = terminal.text(text)
  if text ~= "" and text:sub(-1) ~= "\n" and device then text = text .. "\n" end
  if not device then return output(text) end
  if self.grouped then
    local group = self.grouped[text]
    if not group then
      group = { text = text, names = {} }
      self.grouped[text] = group
      table.insert(self.grouped, group)
    end
    return table.insert(group.names, device)
  end
  fleet.clear_line()
  if text ~= "" then output(prefixed(device, text)) end
end

--- Adds a row.
-- @param device string|nil: its name, in a fleet
function Rows:add(device, row)
  if self.format == "text" then return self:write_text(device, self.style.text(row)) end
  local shown = {}
  for key, value in pairs(row) do shown[key] = value end
  shown.device = device or shown.device
  if self.format == "jsonl" then
    fleet.clear_line()
    output(writing.json_line(shown, self.first), "\n")
    return output.flush()
  end
  self.rows[#self.rows + 1] = shown
end

-- bigip2 comes before bigip10.
local function by_number(a, b)
  local function key(name)
    return (name:gsub("%d+", function(digits) return ("0"):rep(20 - #digits) .. digits end))
  end
  local one, other = key(a), key(b)
  if one ~= other then return one < other end
  return a < b
end

-- The rows of each device together, in the order in which they came.
local function sort_by_device(rows)
  local place = {}
  for i, row in ipairs(rows) do place[row] = i end
  table.sort(rows, function(a, b)
    if a.device ~= b.device then return by_number(a.device, b.device) end
    return place[a] < place[b]
  end)
end

local NAMED <const> = 20 -- devices of a group

local function names_of(names)
  local text = terminal.line(table.concat(names, ", ", 1, math.min(#names, NAMED)))
  return #names > NAMED and ("%s … and %d more"):format(text, #names - NAMED) or text
end

-- The largest group first.
local function write_groups(groups)
  for _, group in ipairs(groups) do table.sort(group.names, by_number) end
  table.sort(groups, function(a, b)
    if #a.names ~= #b.names then return #a.names > #b.names end
    return by_number(a.names[1], b.names[1])
  end)
  for i, group in ipairs(groups) do
    local names <const> = names_of(group.names)
    local count <const> = #group.names == 1 and "1 device" or #group.names .. " devices"
    output(i > 1 and "\n" or "", ("%s: %s\n"):format(count, names), group.text)
  end
end

--- Whether something is not yet printed.
function Rows:has_rows() return #self.rows > 0 or self.grouped ~= nil and #self.grouped > 0 end

local TABLES <const> = { table = true, wide = true }

--- Prints what is left.
-- @param order function(a, b)|nil: sorts the rows
function Rows:finish(order)
  fleet.clear_line()
  if self.grouped then return write_groups(self.grouped) end
  local format <const>, style <const>, rows = self.format, self.style, self.rows
  if format == "text" or format == "jsonl" then return end
  if order then table.sort(rows, order) elseif self.is_fleet then sort_by_device(rows) end
  if TABLES[format] then
    if #rows == 0 then return output(style.empty or "", style.empty and "\n" or "") end
    if style.shown then
      local cells = json.array {}
      for i, row in ipairs(rows) do cells[i] = style.shown(row) end
      rows = cells
    end
  end
  local columns = style.columns
  if columns and self.is_fleet then columns = { "device", table.unpack(columns) } end
  writing.write(rows, { output = format }, {
    columns = columns, kind = style.kind, first = self.first,
    before = self.is_fleet and { "device" } or nil,
  })
end

return M
