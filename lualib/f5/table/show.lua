--- Values for people and programs: aligned lists, tables, CSV, Lua.
--
-- The console and the one-line calls (`f5lua list …`) use it. Nothing here calls a device.

local csv = require "f5.table.csv"
local entries = require "f5.table.entries"
local json = require "f5.json"
local value = require "f5.table.value"
local terminal = require "f5.terminal"
local to_table = require "f5.table.text"
local tokens = require "f5.table.tokens"
local yaml = require "f5.table.yaml"

local Show = { painter = value.painter }

--- Objects as a table: see f5.table.text.
function Show.table(rows, opts) return to_table(tokens.hidden(rows), opts) end

--- Returns a copy with masked secrets.
function Show.masked(item) return value.masked(tokens.hidden(item)) end

local MAX_DEPTH <const> = 8

--- What is written below a table: how many items it has, and what of them it does not show.
-- @param count integer|nil
-- @param is_part boolean: properties are left out
-- @param left_out array of strings: columns that have no room
-- @param hint string|false|nil: how to see what is left out
-- @param paint function: see Show.painter
-- @return text; nil if there is nothing to say
function Show.footer(count, is_part, left_out, hint, paint)
  local items = count and ("%d item%s"):format(count, count == 1 and "" or "s")
  local missing = #left_out > 0 and "no room for " .. table.concat(left_out, ", ") or nil
  local first = items or missing
  if first and is_part and hint then first = first .. "; " .. hint end
  if not first then return nil end
  -- each line by itself: not every terminal keeps a style over a line break
  return paint("dim", first) .. (items and missing and "\n" .. paint("dim", missing) or "")
end

--- Whether this is one entry of flat statistics: only scalars, some with dots in their names.
local function is_stats(object)
  local dotted = false
  for key, item in pairs(object) do
    if type(key) ~= "string" or type(item) == "table" then return false end
    dotted = dotted or key:find("%.%l") ~= nil
  end
  return dotted
end

local function scalar(key, item, paint)
  if value.is_secret(key) and item ~= json.null then return paint("dim", value.MASK) end
  if item == json.null then return paint("null", "null") end
  if type(item) == "string" then return paint("string", value.printable(item)) end
  if type(item) == "number" then return paint("number", value.number(item)) end
  return paint("number", tostring(item))
end

local Lister = {}
Lister.__index = Lister

function Lister:add(...) self.lines[#self.lines + 1] = table.concat { ... } end

function Lister:array(key, items, indent, head, depth)
  local parts = {}
  for i, item in ipairs(items) do
    if type(item) == "table" then break end
    parts[i] = scalar(key, item, self.paint)
  end
  if #parts == #items then return self:add(head, table.concat(parts, ", ")) end
  for i, item in ipairs(items) do
    local label = indent .. self.paint("key", ("%s[%d]"):format(value.label(key), i))
    if type(item) == "table" then
      self:add(label)
      self:object(item, indent .. "  ", depth + 1)
    else
      self:add(label, "  ", scalar(key, item, self.paint))
    end
  end
end

-- A text with lines, such as that of an iRule.
function Lister:lines_of(text, indent)
  for line in (text:gsub("\r\n", "\n"):gsub("\n$", "") .. "\n"):gmatch "(.-)\n" do
    self:add(line == "" and "" or indent, self.paint("string", terminal.text(line)))
  end
end

function Lister:object(object, indent, depth)
  local shown, widest = {}, 0
  for _, key in ipairs(value.keys(object)) do
    if self.all or not value.is_noise(key) then
      shown[#shown + 1] = key
      widest = math.max(widest, math.min(value.width(value.label(key)), 36))
    end
  end
  for _, key in ipairs(shown) do
    local item, name = object[key], value.label(key)
    local head = indent
      .. self.paint("key", name) .. (" "):rep(math.max(0, widest - value.width(name))) .. "  "
    if type(item) == "string" and item:find "\n" and not value.is_secret(key) then
      self:add(indent, self.paint("key", name))
      self:lines_of(item, indent .. "  ")
    elseif type(item) ~= "table" or value.is_secret(key) then
      local text = self.stats
          and type(item) == "number" and self.paint("number", value.stat(name, item))
        or scalar(key, item, self.paint)
      self:add(head, text)
    elseif next(item) == nil then
      self:add(head, json.is_array(item) and "[]" or "{}")
    elseif depth >= MAX_DEPTH then
      self:add(head, "…")
    elseif value.is_array(item) then
      self:array(key, item, indent, head, depth)
    else
      self:add(indent, self.paint("key", name))
      self:object(item, indent .. "  ", depth + 1)
    end
  end
end

--- Returns an object as aligned `name value` lines.
-- @param opts table|nil: paint, all (also kind, generation, selfLink and references)
function Show.object(object, opts)
  opts = opts or {}
  local lister = setmetatable(
    {
      lines = {}, paint = opts.paint or value.painter(false), all = opts.all,
      stats = is_stats(object),
    },
    Lister
  )
  lister:object(object, "", 0)
  return table.concat(lister.lines, "\n")
end

-- A string that Lua reads back as the same bytes. %q leaves controls above U+007F as they are.
local function quoted(text)
  local out = ("%q"):format(text):gsub("\\\n", "\\n")
  if not out:find "[\127-\255]" then return out end
  return (out:gsub("[\127-\255][\128-\191]*", function(c)
    if terminal.line(c) == c then return c end
    return utf8.len(c) == 1 and ("\\u{%x}"):format(utf8.codepoint(c))
      or c:gsub(".", function(byte) return ("\\x%02x"):format(byte:byte()) end)
  end))
end

local function all_objects(items)
  for _, item in ipairs(items) do
    if type(item) ~= "table" or value.is_array(item) then return false end
  end
  return true
end

--- Returns any value as the console prints it.
-- @param opts table|nil: width, paint, wide (more columns), kind (of the rows), hint (text about
--   the properties that a table left out, or false)
-- @param depth integer|nil: of the array that it is in
-- @return text without a final newline
function Show.value(item, opts, depth)
  item, opts = tokens.hidden(item), opts or {}
  local paint = opts.paint or value.painter(false)
  if item == json.null then return paint("null", "null") end
  if type(item) == "string" then return paint("string", quoted(item)) end
  if type(item) == "number" then return paint("number", value.number(item)) end
  if type(item) ~= "table" or (getmetatable(item) or {}).__tostring then
    return (terminal.text(tostring(item)))
  end
  if next(item) == nil then return json.is_array(item) and paint("dim", "(nothing)") or "{}" end
  if not value.is_array(item) then return Show.object(item, opts) end
  if all_objects(item) then
    local text, is_part, left_out = to_table(item, {
      width = opts.width, paint = paint, wide = opts.wide, kind = opts.kind, before = opts.before,
    })
    local hint = opts.hint == nil and ".json _ shows all properties" or opts.hint
    return text .. "\n" .. Show.footer(#item, is_part, left_out, hint, paint)
  end
  local lines = {}
  depth = (depth or 0) + 1
  if depth > MAX_DEPTH then return "…" end
  for i, each in ipairs(item) do lines[i] = Show.value(each, opts, depth) end
  return table.concat(lines, "\n")
end

-- Whether all rows have the same names of properties, as those of statistics have, and those of
-- sys/hardware have not.
local function are_alike(rows)
  local seen, count = {}, 0
  for _, row in ipairs(rows) do
    if type(row) ~= "table" then return false end
    for name in pairs(row) do seen[name] = (seen[name] or 0) + 1 end
  end
  local shared = 0
  for _, times in pairs(seen) do
    count = count + 1
    if times > 1 then shared = shared + 1 end
  end
  return shared * 2 >= count
end

--- Rows as a table, or one below the other if they have little in common.
function Show.rows(rows, opts)
  if #rows == 1 then return Show.value(rows[1], opts) end
  if are_alike(rows) then return Show.value(rows, opts) end
  local texts = {}
  for i, row in ipairs(rows) do texts[i] = Show.value(row, opts) end
  return table.concat(texts, "\n\n")
end

--- A result as people read it: a text of several lines as lines, nested entries (sys/version) as
--- plain values. Otherwise as Show.value.
function Show.result(item, opts)
  if type(item) == "string" and item:find "\n." then
    return terminal.text((item:gsub("\n$", "")))
  end
  local rows = type(item) == "table" and not value.is_array(item) and getmetatable(item) == nil
    and entries(item)
  if rows and #rows > 0 then return Show.rows(rows, opts) end
  return Show.value(item, opts)
end

local function lua_key(key)
  if type(key) ~= "string" then return "[" .. tostring(key) .. "]" end
  local plain = key:find "^[%a_][%w_]*$" and load("local " .. key) -- a reserved word does not load
  return plain and key or "[" .. quoted(key) .. "]"
end

local function lua_number(number)
  if math.type(number) == "integer" then return tostring(number) end
  if number == math.floor(number) and math.abs(number) < 1e15 then
    return ("%.1f"):format(number)
  end
  return ("%.17g"):format(number)
end

--- Returns a value as a Lua constructor that reads back equal (`f5.null` and `f5.array` as in a
-- playbook). Secrets are masked.
function Show.lua(item, indent)
  if not indent then item, indent = tokens.hidden(item), "" end
  if item == json.null then return "f5.null" end
  if type(item) == "string" then return quoted(item) end
  if type(item) == "number" then return lua_number(item) end
  if type(item) ~= "table" then return tostring(item) end
  if next(item) == nil then return json.is_array(item) and "f5.array {}" or "{}" end
  local inner, parts = indent .. "  ", {}
  if value.is_array(item) then
    for i, each in ipairs(item) do parts[i] = inner .. Show.lua(each, inner) end
  else
    for _, key in ipairs(value.keys(item)) do
      local text = value.is_secret(key) and type(item[key]) == "string" and quoted(value.MASK)
        or Show.lua(item[key], inner)
      parts[#parts + 1] = inner .. lua_key(key) .. " = " .. text
    end
  end
  return "{\n" .. table.concat(parts, ",\n") .. ",\n" .. indent .. "}"
end

-- A reference that holds nothing but a link. With --expand it holds the items.
local function is_link(item)
  return type(item) == "table" and item.items == nil and (item.link ~= nil or next(item) == nil)
end

local function is_bookkeeping(key, item)
  return value.is_noise(key) and (type(item) ~= "table" or is_link(item))
end

-- The keys, with these names first.
local function in_front(keys, first)
  if not first then return keys end
  local out, seen = {}, {}
  for _, name in ipairs(first) do
    seen[name], out[#out + 1] = true, name
  end
  for _, key in ipairs(keys) do
    if not seen[key] then out[#out + 1] = key end
  end
  return out
end

--- Returns rows as CSV (RFC 4180) with a head line. Nested values are JSON. Secrets are masked.
-- @param columns names; default: all properties of all rows, names first; without bookkeeping;
--   those of options.first before all others
-- @param options table|nil: as of f5.table.csv
function Show.csv(rows, columns, options)
  local objects, all = {}, {}
  for i, row in ipairs(Show.masked(rows)) do
    local is_object = type(row) == "table" and not value.is_array(row)
    objects[i] = is_object and row or { value = row }
    for key, item in pairs(columns and {} or objects[i]) do
      if not is_bookkeeping(key, item) then all[key] = true end
    end
  end
  return csv(objects, columns or in_front(value.keys(all), options and options.first), options)
end

--- Returns a value as YAML. Secrets are masked.
-- @param style table|nil: first (keys that come first)
function Show.yaml(item, style) return yaml(Show.masked(item), style) end

return Show
