-- Which columns of a table have room in a terminal, and how wide each of them is.
--
-- Columns come in the order of their importance, but for a few such as `state`, which are the most
-- important wherever they stand. The first ones (device, name) always stay. A column without room
-- is left out: half of a word helps nobody. Only texts that people read, such as descriptions, and
-- lists are shortened. A name is shortened in its middle, and only as far as different names still
-- look different.

local value = require "f5.table.value"

local width_of <const> = value.width

local M = {}

local GAP <const> = 2
local MIN_TEXT <const>, MIN_NAME <const> = 16, 24
local MIN_WIDTH <const> = 8 -- of named columns that have no room otherwise
local STEP <const> = 4 -- between two widths that are tried

-- Texts for people: their beginning says enough.
local TEXTS <const> = {}
for word in
  ([[description subject issuer send recv events names message result run command organization
  subjectName subjectAlternativeName commonName creatorName problem fingerprint]]):gmatch "%a+"
do
  TEXTS[word] = true
end

-- Why somebody looks at a table in an emergency: these columns get room before the others.
local URGENT <const> = {
  state = true, members = true, days = true, result = true, failoverState = true,
}

-- "a, b, c" -> "a, b, …": whole items, if at least one of them fits.
local function clip_list(text, width)
  if width_of(text) <= width then return text end
  local cut = value.clip(text, width)
  local items = cut:match "^(.*, )[^,]*…$"
  return items and items .. "…" or cut
end

-- "/Common/app-0123-web-443" -> "/Common/ap…web-443"
local function clip_name(text, width)
  local length = width_of(text)
  if length <= width then return text end
  if width < 3 or not utf8.len(text) then return value.clip(text, width) end
  local tail = (width - 1) // 2
  return value.clip(text, width - tail) .. text:sub(utf8.offset(text, length - tail + 1))
end

local CLIP <const> = { text = value.clip, list = clip_list, name = clip_name, exact = value.clip }

--- Shortens a text to a width, as its column is shortened.
---@param text string
---@param width integer
---@param mode "text"|"list"|"name"|"exact"
---@return string
function M.clip(text, width, mode) return CLIP[mode](text, width) end

local NAMES <const> = { name = true, fullPath = true, device = true }

-- What the texts of a column are: half an address, a number or a state would be another one.
local function mode_of(column)
  if column.number then return "exact" end
  if TEXTS[column.head] then return "text" end
  local mode = "name"
  for _, text in ipairs(column.texts) do
    if text:find(", ", 1, true) then return "list" end
    if text:find "%d%.%d" or text:find "::" or text:find "%(" then
      mode = "exact"
    elseif text:find " " and mode == "name" and not NAMES[column.head] then
      mode = "text"
    end
  end
  return mode
end

-- Whether texts that differ still differ when they are cut.
local function stay_distinct(texts, width)
  local seen = {}
  for _, text in ipairs(texts) do
    local cut = clip_name(text, width)
    if seen[cut] and seen[cut] ~= text then return false end
    seen[cut] = text
  end
  return true
end

-- The width that a column needs at least.
-- @param share number: what a column that stays gets, if it can use it
local function floor_of(column, share)
  local full <const>, head <const> = column.full, column.head_width
  if column.mode == "text" or column.mode == "list" then
    return math.min(full, math.max(head, MIN_TEXT))
  end
  if column.mode == "exact" then return full end
  local width = math.max(head, column.keep and share or MIN_NAME)
  while width < full and not stay_distinct(column.texts, width) do width = width + STEP end
  return math.min(full, width)
end

-- Gives what is left of the width to columns that could use it, the most important first.
local function widen(chosen, left)
  for _, column in ipairs(chosen) do
    local more = math.max(0, math.min(left, column.full - column.width))
    column.width, left = column.width + more, left - more
  end
end

-- Narrows columns that stay, the widest first, if they have no room together. What would look like
-- something else keeps its width: then the lines are longer than the terminal.
local function narrow(columns, too_much)
  local least = {}
  for _, column in ipairs(columns) do
    local width = column.mode == "exact" and column.width or math.min(MIN_WIDTH, column.width)
    while column.mode == "name" and width < column.width
      and not stay_distinct(column.texts, width)
    do
      width = width + 1
    end
    least[column] = width
  end
  while too_much > 0 do
    local widest
    for _, column in ipairs(columns) do
      local can = column.keep and column.width > least[column]
      if can and (not widest or column.width > widest.width) then widest = column end
    end
    if not widest then return end
    widest.width, too_much = widest.width - 1, too_much - 1
  end
end

-- Finds out which columns have room. Returns what is left of the width.
local function give_room(columns, left)
  for _, urgent in ipairs { true, false } do
    for _, column in ipairs(columns) do
      local fits = column.width + GAP <= left
      if not column.keep and fits and (URGENT[column.head] or false) == urgent then
        column.has_room, left = true, left - column.width - GAP
      end
    end
  end
  return left
end

--- Chooses columns.
---@param columns table[] head, label (what is shown of it), width (of the widest cell),
---head_width, texts (of the cells), number (boolean: only numbers), keep (boolean: never left out)
---@param width number of the terminal
---@return table[] chosen columns, with `mode` and `width`
---@return string[] left_out labels of the other columns
function M.choose(columns, width)
  local total = GAP * (#columns - 1)
  for _, column in ipairs(columns) do
    total, column.full = total + column.width, column.width
    column.mode = mode_of(column)
  end
  if total <= width then return columns, {} end
  local kept = 0
  for _, column in ipairs(columns) do kept = kept + (column.keep and 1 or 0) end
  local left, share = width + GAP, math.max(MIN_NAME, width // (kept + 1))
  for _, column in ipairs(columns) do
    column.width = floor_of(column, share)
    if column.keep then left = left - column.width - GAP end
  end
  if left < 0 then narrow(columns, -left) end
  left = give_room(columns, left)
  local chosen, left_out = {}, {}
  for _, column in ipairs(columns) do
    if column.keep or column.has_room then
      chosen[#chosen + 1] = column
    else
      left_out[#left_out + 1] = column.label
    end
  end
  widen(chosen, left)
  return chosen, left_out
end

return M
