-- Writes what a subcommand has read, in the format of --output.

local flat_entries = require "f5.table.entries"
local host = require "f5.host"
local json = require "f5.json"
local output = require "cli.support.output"
local show = require "f5.table.show"
local shown_json = require "cli.support.shown_json"
local terminal = require "f5.terminal"

local M = {}

M.FORMATS = { "table", "wide", "json", "jsonl", "csv", "yaml", "lua" }

--- Properties that come first in JSON and YAML.
M.FIRST = { "kind", "name", "partition", "subPath", "fullPath", "generation", "selfLink" }

--- The format of these options.
function M.format_of(options)
  return options.output or (host.is_terminal(1) and "table" or "jsonl")
end

--- One row as a line of JSON.
-- @param first array|nil: properties that come first
function M.json_line(row, first)
  return shown_json(show.masked(row), { sort = true, first = first or M.FIRST })
end
local json_line <const> = M.json_line

-- The rows of a result in a table: the items of a collection, and nested entries as plain values.
-- Anything else is one row.
local function rows_of(value)
  if json.is_array(value) then return value end
  if type(value) == "table" and json.is_array(value.items) then return value.items end
  return type(value) == "table" and flat_entries(value) or { value }
end

local function is_objects(value)
  return json.is_array(value) or type(value) == "table" and json.is_array(value.items)
end

local function as_table(value, format, view)
  local colour = host.is_terminal(1) and not os.getenv "NO_COLOR"
  local wide = format == "wide"
  local style = {
    width = not wide and host.is_terminal(1) and host.columns() or nil,
    paint = show.painter(colour), wide = wide, all = wide,
    columns = view and view.columns, drops = view and view.drops, kind = view and view.kind,
    before = view and view.before,
    hint = host.is_terminal(1) and "-o wide shows more columns",
  }
  if view and view.hint ~= nil then style.hint = view.hint end
  if type(value) ~= "table" then return show.value(value, style) end
  local rows = rows_of(value)
  if is_objects(value) then
    if style.columns then
      local text, is_part, left_out = show.table(rows, style)
      local below = show.footer(nil, is_part, left_out, style.hint, style.paint)
      return below and text .. "\n" .. below or text
    end
    return show.value(rows, style)
  end
  return show.rows(rows, style)
end

local writers = {}

function writers.table(value, view) return as_table(value, "table", view) end
function writers.wide(value, view) return as_table(value, "wide", view) end

local function first_of(view) return view and view.first or M.FIRST end

function writers.json(value, view)
  return shown_json(show.masked(value), { sort = true, first = first_of(view), indent = 2 })
end

function writers.jsonl(value, view)
  local lines = {}
  for i, row in ipairs(json.is_array(value) and value or { value }) do
    lines[i] = json_line(row, first_of(view))
  end
  return table.concat(lines, "\n")
end

function writers.csv(value, view)
  return show.csv(rows_of(value), view and view.columns, {
    one_line = host.is_terminal(1), first = view and view.before,
  })
end

function writers.yaml(value, view) return show.yaml(value, { first = first_of(view) }) end

function writers.lua(value) return "return " .. show.lua(value) end

-- Formats of rows show the items of a collection alone.
local ITEMS <const> = { table = true, wide = true, csv = true }

--- Writes a result. nil is nothing.
-- @param view table|nil: see cli.support.rows.view; also first (properties that come first), before
--   (columns that come before those of the kind), drops (the number of columns that always stay)
function M.write(value, options, view)
  if value == nil then return end
  local format <const> = M.format_of(options)
  local text = writers[format](value, view)
  if ITEMS[format] and type(value) == "table" and value.nextLink then
    terminal.err "f5lua: this is one page of several: f5lua list reads all\n"
  end
  if text ~= "" then output(text, "\n") end
end

local function is_nothing(item)
  return item == nil or item == "" or type(item) == "table" and next(item) == nil
end

--- The columns that have something in them; the first one always stays.
function M.used(columns, rows)
  local out = {}
  for i, name in ipairs(columns) do
    local has = i == 1
    for _, row in ipairs(rows) do has = has or not is_nothing(row[name]) end
    if has then out[#out + 1] = name end
  end
  return out
end

--- Writes rows of f5lua itself as a table.
-- @param columns array of names
-- @param keep integer|nil: how many of them always stay
function M.table(rows, columns, keep)
  local text <const> = as_table(json.array(rows), "table", {
    columns = columns, drops = keep or 1, hint = false,
  })
  output(text, "\n")
end

--- Writes object by object, with one page of a collection in memory.
function M.stream(options, view, ...)
  local format <const> = M.format_of(options)
  local first, style = true, { one_line = host.is_terminal(1) }
  for object in ... do
    style.headless = not first
    local text = format == "jsonl" and json_line(object)
      or format == "csv" and show.csv({ object }, view.columns, style)
      or show.yaml(json.array { object }, { first = M.FIRST })
    output(text, "\n")
    first = false
  end
  if first and format == "csv" then output(show.csv({}, view.columns), "\n") end
  if first and format == "yaml" then output "[]\n" end
end

return M
