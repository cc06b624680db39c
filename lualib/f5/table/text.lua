--- Tables fitted to the terminal.

local columns_of = require "f5.table.columns"
local fit = require "f5.table.fit"
local value = require "f5.table.value"

local cell, width_of <const> = value.cell, value.width
local MAX_WIDTH <const> = 40
local FEW <const> = 3 -- columns that a table has, even if they are the same in all rows

-- -- the columns of an unknown kind --

-- Objects, and arrays of objects, would only be {…} in a cell.
local function is_nested(item)
  if type(item) ~= "table" then return false end
  if not value.is_array(item) then return next(item) ~= nil end
  return type(item[1]) == "table"
end

local function note(infos, order, key, item)
  local text = cell(key, item)
  local info = infos[key]
  if not info then
    info = { count = 0, width = width_of(value.label(key)), first = text, at = #order + 1 }
    infos[key], order[#order + 1] = info, key
  end
  info.count = info.count + 1
  info.width = math.min(math.max(info.width, width_of(text)), MAX_WIDTH)
  info.differs = info.differs or text ~= info.first
  info.nested = info.nested or is_nested(item)
end

local PATH <const> = { name = true, fullPath = true, partition = true, subPath = true }

local function collect(rows)
  local infos, order = {}, {}
  for _, object in ipairs(rows) do
    for _, key in ipairs(value.keys(object)) do
      if not value.is_noise(key) then note(infos, order, key, object[key]) end
    end
  end
  for _, info in pairs(infos) do info.differs = info.differs or info.count < #rows end
  return infos, order
end

-- What people look for first.
local function rank(key, info)
  return value.column_rank(key) or math.min(50 + value.rank(key), info.differs and 90 or 99)
end

-- What is the same in all rows is left out, unless people look for it or there is little else.
local function choose(rows)
  local infos, order = collect(rows)
  local keys, nested = {}, {}
  for _, key in ipairs(order) do
    local info = infos[key]
    local is_path = (infos.name or infos.fullPath) and PATH[key]
    if is_path then
      info.at = nil
    elseif info.nested then
      nested[#nested + 1] = key
    else
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(a, b)
    local one, other = infos[a], infos[b]
    local rank_a, rank_b = rank(a, one), rank(b, other)
    if rank_a ~= rank_b then return rank_a < rank_b end
    if one.count ~= other.count then return one.count > other.count end
    return one.at < other.at
  end)
  local chosen = {}
  for _, key in ipairs(keys) do
    local is_dull = not infos[key].differs and not value.column_rank(key)
    if #rows > 1 and #chosen >= FEW and is_dull then break end
    chosen[#chosen + 1] = key
  end
  if #chosen == 0 then chosen = nested end
  return chosen, infos, #keys + #nested
end

-- -- the layout --

-- The head of the first column; nil if no row has a name. With $select there may only be a path.
local function head_of(rows)
  local is_path = false
  for _, object in ipairs(rows) do
    if rawget(object, "name") ~= nil then return "name" end
    is_path = is_path or rawget(object, "fullPath") ~= nil
  end
  return is_path and "fullPath" or nil
end

-- Whether any row has something in the column. Devices write "none" for nothing.
local function is_used(rows, name, kind)
  for _, object in ipairs(rows) do
    local item = columns_of.value(object, name, kind)
    if item ~= nil and item ~= "" and item ~= "none" then return true end
  end
  return false
end

-- "/Common/http" -> "http", also in "/Common/http and /Common/icmp", but not in "/Common/a/b".
local function without_common(text)
  return (text:gsub("%f[^%s\0,]/Common/([^/%s,]+)%f[%s\0,]", "%1"))
end

local function item_of(object, name, kind)
  local item = columns_of.value(object, name, kind)
  if type(item) == "string" then return without_common(item) end
  if type(item) ~= "table" then return item end
  local out = {}
  for i, each in ipairs(item) do
    out[i] = type(each) == "string" and without_common(each) or each
  end
  return #out > 0 and out or item
end

-- The columns as { head =, value = function(object) }, what each is at least wide, and how many
-- properties are left out.
local function known_columns(rows, kind, wide)
  local out = {}
  for _, name in ipairs(columns_of.of(kind, wide)) do
    if is_used(rows, name, kind) then
      out[#out + 1] =
        { head = name, value = function(object) return item_of(object, name, kind) end }
    end
  end
  return out
end

local function plain_column(name)
  return { head = name, value = function(object) return item_of(object, name) end }
end

-- The name of an object; of a row of statistics it is the full name.
local function name_of(object)
  local name = columns_of.name(object)
  if type(name) ~= "string" or rawget(object, "name") == nil then return name end
  return without_common(name)
end

-- As many columns as fit; all of them if the table is wide.
local function chosen_columns(rows, width, wide, before)
  local names, infos, all = choose(rows)
  local out, used, others = {}, head_of(rows) and MAX_WIDTH // 2 or -2, {}
  for _, name in ipairs(before) do others[name] = true end
  for _, name in ipairs(names) do
    if others[name] then goto continue end
    if not wide and #out > 0 and used + 2 + infos[name].width > width then break end
    used = used + 2 + infos[name].width
    out[#out + 1] = plain_column(name)
    ::continue::
  end
  return out, all - #out - #before
end

-- The columns, how many properties are left out, and how many columns always stay.
local function layout(rows, opts, width)
  local out, hidden = {}, opts.wide and 0 or 1
  local kind = opts.kind or columns_of.kind_of_rows(rows)
  if opts.columns then
    for i, name in ipairs(opts.columns) do
      out[i] =
        { head = name, value = function(object) return columns_of.value(object, name, kind) end }
    end
    return out, 0, opts.drops or #out
  end
  if columns_of.of(kind) then
    out = known_columns(rows, kind, opts.wide)
  else
    out, hidden = chosen_columns(rows, width, opts.wide, opts.before or {})
  end
  local head = head_of(rows)
  if head then table.insert(out, 1, { head = head, value = name_of }) end
  for i, name in ipairs(opts.before or {}) do table.insert(out, i, plain_column(name)) end
  return out, hidden, #(opts.before or {}) + (head and 1 or 0)
end

-- The columns with the texts of their cells, how wide each is, and whether it holds numbers only.
local function measure(rows, columns, keep)
  for i, column in ipairs(columns) do
    local label = value.label(column.head)
    local texts, widest, number = {}, width_of(label), #rows > 0
    for r, object in ipairs(rows) do
      local item = column.value(object)
      if item ~= nil and type(item) ~= "number" then number = false end
      texts[r] = cell(column.head, item)
      widest = math.max(widest, width_of(texts[r]))
    end
    column.label, column.head_width, column.texts = label, width_of(label), texts
    column.width, column.number, column.keep = widest, number, i <= keep
  end
  return columns
end

-- One line: the texts of its columns.
local function line_of(columns, text_of, painted)
  local out = {}
  for i, column in ipairs(columns) do
    local text = fit.clip(text_of(column), column.width, column.mode)
    local pad = (" "):rep(column.width - width_of(text))
    out[i] = column.number and pad .. painted(text)
      or painted(text) .. (i < #columns and pad or "")
  end
  return (table.concat(out, "  "):gsub("%s+$", ""))
end

local function plain(text) return text end

--- Returns a table of objects.
-- @param rows array of tables
-- @param opts table|nil: width (columns of the terminal; default: nothing is cut), columns (names;
--   default: those of the kind, or what differs between the rows), kind (default: that of the
--   rows), before (names that come before those of the kind), wide (more columns), paint,
--   drops (the number of `columns` that always stay; default: all)
-- @return text without a final newline, whether properties are left out, names of the columns that
--   have no room
return function(rows, opts)
  opts = opts or {}
  local width, paint = opts.width or math.huge, opts.paint or value.painter(false)
  local columns, hidden, keep = layout(rows, opts, opts.width or 80)
  local shown, left_out = fit.choose(measure(rows, columns, keep), width)
  local lines = {
    line_of(shown, function(column) return column.label end,
      function(text) return paint("head", text) end),
  }
  for r = 1, #rows do
    lines[r + 1] = line_of(shown, function(column) return column.texts[r] end, plain)
  end
  return table.concat(lines, "\n"), hidden > 0 or #left_out > 0, left_out
end
