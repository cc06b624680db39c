-- What a verb prints: rows, of one device or of many. Text and JSON lines are printed as they come,
-- the other formats at the end.
--
--   local out = rows.new(options, { text = function(row) … end, columns = { … } })
--   out:add(nil, { file = "a.ucs", … })          out:add("bigip1", { … })
--   out:finish()

local fleet = require "cli.support.fleet"
local groups = require "cli.support.verbs.groups"
local host = require "f5.host"
local json = require "f5.json"
local output = require "cli.support.output"
local terminal = require "f5.terminal"
local row_options = require "cli.support.rows.options"
local usage = require "cli.support.usage"
local views = require "cli.support.rows.view"
local writing = require "cli.support.rows.write"

local M = {}

local Rows <const> = {}
Rows.__index = Rows

local OF_LISTS <const> = { "select", "where", "sort", "top" }

--- Adds --output, and --grouped for text.
-- @param has_text boolean: rows can be printed as text
-- @param condition string|nil: an example for --where; the verb has a list
function M.add_options(parser, has_text, condition)
  local formats = table.move(writing.FORMATS, 1, #writing.FORMATS, 1, {})
  if has_text then table.insert(formats, 1, "text") end
  parser
    :option("-o --output", "one of " .. table.concat(formats, ", "))
    :argname("FORMAT")
    :choices(formats)
  if has_text then
    parser:flag("--grouped", "with --inventory: the same text of several devices only once")
  end
  if condition then
    row_options.add_select(parser, "columns")
    row_options.add_rows(parser, condition)
  end
end

-- The view of a list.
local function view_of(options, style, format, program)
  if not style.names then
    for _, name in ipairs(style.columns and OF_LISTS or {}) do
      if options[name] then usage(("--%s is for lists"):format(name), program) end
    end
    return nil
  end
  local names <const> = { table.unpack(style.names) }
  if options.inventory then names[#names + 1] = "device" end
  local view <const> = views.of_own(options, {
    format = format, names = names, usage = function(message) usage(message, program) end,
  })
  -- a row of many devices says nothing without its device
  if options.inventory and view.columns and not view.kept.device then
    table.insert(view.columns, 1, "device")
  end
  return view
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
--   come first in JSON), shown (function(row), the cells of a table), empty (text for no rows),
--   names (of a list: all its columns, for --select and the like), keep (how many of the columns a
--   narrow terminal always shows; default: 1), is_selected (the user has named the columns)
-- @param program string
function M.new(options, style, program)
  local format = options.output
  if not format then
    local for_people <const> = style.text and "text" or "table"
    format = (style.always_text or host.is_terminal(1)) and for_people or "jsonl"
  end
  if format == "text" and not style.text then format = "table" end
  return setmetatable({
    format = format, style = style, rows = json.array {}, is_fleet = options.inventory ~= nil,
    first = { "device", table.unpack(style.first or style.columns) },
    view = view_of(options, style, format, program),
    grouped = options.grouped and groups.new() or nil,
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
  if self.grouped then return self.grouped:add(device, text) end
  fleet.clear_line()
  if text ~= "" then output(prefixed(device, text)) end
end

--- Those of the rows that --where leaves.
function Rows:matching(rows) return self.view and self.view:matching(rows) or rows end

function Rows:write_line(row)
  fleet.clear_line()
  local shown <const> = self.view and self.view:selected_of(row) or row
  output(writing.json_line(shown, self.view and self.view.columns or self.first), "\n")
  output.flush()
end

--- Adds a row.
-- @param device string|nil: its name, in a fleet
function Rows:add(device, row)
  if self.format == "text" then return self:write_text(device, self.style.text(row)) end
  local shown = {}
  for key, value in pairs(row) do shown[key] = value end
  shown.device = device or shown.device
  if self.format == "jsonl" and not (self.view and self.view:needs_all()) then
    return self:write_line(shown)
  end
  self.rows[#self.rows + 1] = shown
end

-- The rows of each device together, in the order in which they came.
local function sort_by_device(rows)
  local place = {}
  for i, row in ipairs(rows) do place[row] = i end
  table.sort(rows, function(a, b)
    if a.device ~= b.device then return groups.before(a.device, b.device) end
    return place[a] < place[b]
  end)
end

--- Whether something is not yet printed.
function Rows:has_rows() return #self.rows > 0 or self.grouped ~= nil and #self.grouped > 0 end

local TABLES <const> = { table = true, wide = true }

-- The rows as they are written, their columns, and how many of these always stay (nil: all).
local function prepared(self, rows)
  local style <const>, selected <const> = self.style, self.view and self.view.columns
  local columns = selected or style.columns
  local is_named <const> = selected or style.is_selected
  if TABLES[self.format] then
    local cells = json.array {}
    for i, row in ipairs(rows) do cells[i] = style.shown and style.shown(row) or row end
    if columns and not is_named then columns = writing.used(columns, cells) end
    rows = cells
  elseif selected then
    local parts = json.array {}
    for i, row in ipairs(rows) do parts[i] = self.view:selected_of(row) end
    rows = parts
  end
  if columns and not selected and self.is_fleet then
    columns = { "device", table.unpack(columns) }
  end
  local keep <const> = not is_named and (style.keep or 1) + (self.is_fleet and 1 or 0) or nil
  return rows, columns, keep
end

--- Prints what is left.
-- @param order function(a, b)|nil: sorts the rows
function Rows:finish(order)
  fleet.clear_line()
  if self.grouped then return self.grouped:write() end
  local format <const>, style <const>, rows = self.format, self.style, self.rows
  if format == "text" then return end
  if order then table.sort(rows, order) elseif self.is_fleet then sort_by_device(rows) end
  if self.view then rows = self.view:arranged(rows) end
  if format == "jsonl" then
    for _, row in ipairs(rows) do self:write_line(row) end
    return
  end
  if TABLES[format] and #rows == 0 then
    local text <const> = self.view and self.view.where and "no row meets --where" or style.empty
    return output(text or "", text and "\n" or "")
  end
  local shown, columns, keep = prepared(self, rows)
  writing.write(shown, { output = format }, {
    columns = columns, kind = style.kind, first = self.view and self.view.columns or self.first,
    before = self.is_fleet and { "device" } or nil,
    drops = keep,
  })
end

return M
