--- Tables fitted to the terminal.

local value = require "console.value"

local cell, width_of <const> = value.cell, value.width
local MIN_WIDTH <const>, MAX_WIDTH <const> = 8, 40

local function note(infos, order, key, text)
  local info = infos[key]
  if not info then
    info = { count = 0, width = width_of(value.label(key)), first = text, at = #order + 1 }
    infos[key], order[#order + 1] = info, key
  end
  info.count = info.count + 1
  info.width = math.min(math.max(info.width, width_of(text)), MAX_WIDTH)
  info.differs = info.differs or text ~= info.first
end

--- Selects the columns of a table: names first, then what differs between the rows, then the rest,
-- as many as fit.
-- @return list of names, number of properties left out
local function choose_columns(rows, width)
  local infos, order = {}, {}
  for _, object in ipairs(rows) do
    for _, key in ipairs(value.keys(object)) do
      if not value.is_noise(key) then note(infos, order, key, cell(key, object[key])) end
    end
  end
  local both = infos.fullPath and infos.name -- the path contains name and partition
  local keys = {}
  for _, key in ipairs(order) do
    if not (both and (key == "name" or key == "partition" or key == "subPath")) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(a, b)
    local rank_a, rank_b = value.rank(a), value.rank(b)
    if rank_a ~= rank_b then return rank_a < rank_b end
    local one, other = infos[a], infos[b]
    if (one.differs or false) ~= (other.differs or false) then return one.differs or false end
    if one.count ~= other.count then return one.count > other.count end
    return one.at < other.at
  end)
  local columns, used = {}, -2
  for _, key in ipairs(keys) do
    if #columns > 0 and used + 2 + infos[key].width > width then break end
    columns[#columns + 1], used = key, used + 2 + infos[key].width
  end
  return columns, #keys - #columns
end

--- Narrows the widest columns until the table fits, never below MIN_WIDTH.
local function fit(widths, width)
  local total = 2 * (#widths - 1)
  for _, w in ipairs(widths) do total = total + w end
  while total > width do
    local widest = 1
    for i, w in ipairs(widths) do if w > widths[widest] then widest = i end end
    if widths[widest] <= MIN_WIDTH then return end
    widths[widest], total = widths[widest] - 1, total - 1
  end
end

--- Returns a table of objects.
-- @param rows array of tables
-- @param opts table|nil: width (columns of the terminal, default 80), columns (names; default
--   chosen), paint, hint (text about what was left out)
-- @return text without a final newline
return function(rows, opts)
  opts = opts or {}
  local width, paint = opts.width or 80, opts.paint or value.painter(false)
  local columns, hidden = opts.columns, 0
  if not columns then columns, hidden = choose_columns(rows, width) end
  local cells, widths, numeric = {}, {}, {}
  for i, name in ipairs(columns) do
    widths[i], numeric[i] = width_of(value.label(name)), #rows > 0
  end
  for r, object in ipairs(rows) do
    cells[r] = {}
    for i, name in ipairs(columns) do
      local item = object[name]
      if item ~= nil and type(item) ~= "number" then numeric[i] = false end
      cells[r][i] = cell(name, item)
      widths[i] = math.max(widths[i], width_of(cells[r][i]))
    end
  end
  fit(widths, width)
  local lines = {}
  local function add(texts, kind)
    local out = {}
    for i, text in ipairs(texts) do
      text = value.clip(text, widths[i])
      local pad, painted = (" "):rep(widths[i] - width_of(text)), kind and paint(kind, text) or text
      out[i] = numeric[i] and pad .. painted or painted .. (i < #texts and pad or "")
    end
    lines[#lines + 1] = table.concat(out, "  "):gsub("%s+$", "")
  end
  local heads = {}
  for i, name in ipairs(columns) do heads[i] = value.label(name) end
  add(heads, "head")
  for _, texts in ipairs(cells) do add(texts) end
  if hidden > 0 and opts.hint then lines[#lines + 1] = paint("dim", opts.hint:format(hidden)) end
  return table.concat(lines, "\n")
end
