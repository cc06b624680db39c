-- f5.table, f5.csv and f5.show: values as texts for people. `print` of the program uses `printed`.

local core = require "f5.core"
local json = require "f5.json"
local show = require "f5.table.show"
local terminal = require "f5.terminal"
local value = require "f5.table.value"

local OPTIONS <const> = { width = true, wide = true }

local function usage(...) core.usage_error(string.format(...)) end

-- The width of the terminal, if standard output is one; nil: nothing is cut. A stock Lua does not
-- know it.
local function terminal_width()
  local known, host = pcall(require, "f5.host")
  return known and host.is_terminal(1) and host.columns() or nil
end

-- Rows without metamethods of the whole.
local function rows_of(what, rows)
  if type(rows) ~= "table" then
    usage("%s: expected an array of tables, got a %s", what, type(rows))
  end
  local out = json.array {}
  for i = 1, rawlen(rows) do
    local row = rawget(rows, i)
    if type(row) ~= "table" then usage("%s: row %d is a %s, not a table", what, i, type(row)) end
    out[i] = row
  end
  if #out == 0 and next(rows) ~= nil then
    usage("%s: expected an array of tables, got a table with names; write { object }", what)
  end
  return out
end

local function names_of(what, columns)
  if columns == nil then return nil end
  if type(columns) ~= "table" then
    usage("%s: expected an array of names of columns, got a %s", what, type(columns))
  end
  local out = {}
  for i = 1, rawlen(columns) do
    out[i] = rawget(columns, i)
    if type(out[i]) ~= "string" then
      usage("%s: the name of column %d is a %s, not a string", what, i, type(out[i]))
    end
  end
  if #out == 0 then usage("%s: no columns are given", what) end
  return out
end

local function check(options)
  if options == nil then return {} end
  if type(options) ~= "table" then
    usage("f5.table: expected a table of options, got a %s", type(options))
  end
  for name in next, options do
    if not OPTIONS[name] then usage("f5.table: unknown option '%s'", tostring(name)) end
  end
  local width, wide = rawget(options, "width"), rawget(options, "wide")
  if width ~= nil and (math.type(width) ~= "integer" or width < 1) then
    usage("f5.table: 'width' must be an integer of at least 1")
  end
  if wide ~= nil and type(wide) ~= "boolean" then usage("f5.table: 'wide' must be a boolean") end
  return { width = width, wide = wide }
end

-- What the device answered, or a table that a playbook has made: no object of a module.
local function is_plain(item)
  return type(item) == "table" and (getmetatable(item) == nil or json.is_array(item))
end

local function are_objects(list)
  for _, item in ipairs(list) do
    if not is_plain(item) or value.is_array(item) then return false end
  end
  return true
end

local function list(items)
  local parts = {}
  for i, item in ipairs(items) do parts[i] = value.cell(nil, item) end
  return table.concat(parts, ", ")
end

local M = {}

--- See lualib/meta/f5.lua.
function M.table(rows, columns, options)
  local all, names, style = rows_of("f5.table", rows), names_of("f5.table", columns), check(options)
  local width = style.width or not style.wide and terminal_width() or nil
  return (show.table(all, { columns = names, width = width, wide = style.wide }))
end

--- See lualib/meta/f5.lua.
function M.csv(rows, columns)
  return show.csv(rows_of("f5.csv", rows), names_of("f5.csv", columns)) .. "\n"
end

--- See lualib/meta/f5.lua.
function M.show(...)
  local item = ...
  if type(item) == "string" then return item end
  if not is_plain(item) then return terminal.text(tostring(item)) end
  if next(item) == nil then return json.is_array(item) and "[]" or "{}" end
  if not value.is_array(item) then return (show.value(item, { hint = false })) end
  if not are_objects(item) then return list(item) end
  return (show.table(item, { width = terminal_width() }))
end

--- What `print` writes: plain tables are shown, all other values are as in any Lua. A table with
-- several lines begins on a line of its own.
function M.line(...)
  local values, out = table.pack(...), {}
  for i = 1, values.n do
    local item = values[i]
    local text = is_plain(item) and M.show(item) or tostring(item)
    local starts = i > 1 and is_plain(item) and text:find "\n"
    out[i] = (i == 1 and "" or starts and "\n" or "\t") .. text
  end
  return table.concat(out)
end

return M
