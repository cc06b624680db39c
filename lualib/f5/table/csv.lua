-- Rows as CSV (RFC 4180). No value is lost: a text keeps its lines, a nested value is JSON.
--
--   csv({ { name = "a", members = { "x", "y" } } }, { "name", "members" })
--   --> name,members
--       a,"[""x"",""y""]"

local columns_of = require "f5.table.columns"
local json = require "f5.json"
local terminal = require "f5.terminal"

local function quoted(text) return '"' .. text:gsub('"', '""') .. '"' end

-- A missing value is an empty cell, an empty text is "".
local function cell(item, shown)
  if item == nil then return "" end
  if type(item) ~= "string" then
    return cell(terminal.json(json.encode(item, { sort = true })), shown)
  end
  local text = shown(item)
  return (text == "" or text:find '[",\r\n]' or text:find "^%s" or text:find "%s$")
      and quoted(text)
    or text
end

local function line(cells)
  -- many programs skip an empty line
  return #cells == 1 and cells[1] == "" and '""' or table.concat(cells, ",")
end

---@param rows table[] objects
---@param columns string[] names
---@param options? table headless: without the head line; one_line: line breaks are shown as \n, for
---terminals, on which a text must not look like a message of its own
---@return string text without a final line break
return function(rows, columns, options)
  local lines = {}
  options = options or {}
  local shown = options.one_line and terminal.line or terminal.text
  if not options.headless then
    local head = {}
    for i, name in ipairs(columns) do head[i] = cell(name, terminal.line) end
    lines[1] = line(head)
  end
  local kind = columns_of.kind_of_rows(rows)
  for _, row in ipairs(rows) do
    local cells = {}
    for i, name in ipairs(columns) do cells[i] = cell(columns_of.value(row, name, kind), shown) end
    lines[#lines + 1] = line(cells)
  end
  return table.concat(lines, "\n")
end
