-- Rows in the order of columns: numbers as numbers, addresses as addresses, "web2" before "web10".

local addresses = require "f5.ensure.addresses"
local columns_of = require "f5.table.columns"
local json = require "f5.json"

-- Numbers come first, then addresses, then other texts; what has no value comes last.
local NUMBER <const>, ADDRESS <const>, TEXT <const>, NOTHING <const> = 1, 2, 3, 4

-- "10.0.0.1" or "2001:db8:0:0:0:0:0:1" in canonical form as a text that sorts like the address.
local function sortable(host)
  if host:find ":" then
    local groups = {}
    for group in host:gmatch "%x+" do groups[#groups + 1] = ("%04x"):format(tonumber(group, 16)) end
    return "6" .. table.concat(groups)
  end
  local a, b, c, d = host:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  return a and ("4%03d%03d%03d%03d"):format(a, b, c, d) or nil
end

-- An address with what may follow it: route domain, prefix, port.
local function address_key(text)
  if not text:find "^/?[%w_%-./]*%x[%x.:]+" or not text:find "[.:]" then return nil end
  local last = text:match "^/.*/([^/]+/%d+)$" or text:match "^/.*/([^/]+)$" or text
  local whole, port = addresses.address(last), 0
  if not whole then
    local folder, endpoint = addresses.endpoint(last)
    if folder == nil then return nil end
    whole, port = endpoint:match "^(.*) (%d+)$"
  end
  local host, domain, prefix = whole:match "^([%x:.]+)%%?(%d*)/?(%d*)$"
  local key = host and sortable(host)
  return key and ("%s/%05d/%03d:%05d"):format(
    key, tonumber(domain) or 0, tonumber(prefix) or 0, tonumber(port)
  )
end

-- Digits compare as numbers, and small letters as capitals.
local function natural(text)
  return (text:lower():gsub("%d+", function(digits)
    local plain = digits:gsub("^0+", "")
    return ("%04d%s"):format(#plain, plain)
  end))
end

local function key_of(item)
  if item == nil or item == json.null then return NOTHING, 0 end
  if type(item) == "number" then return NUMBER, item end
  if type(item) == "table" then item = json.encode(item, { sort = true }) end
  local text = tostring(item)
  if text:find "^-?%d+%.?%d*$" then return NUMBER, tonumber(text) end
  local address = address_key(text)
  if address then return ADDRESS, address end
  return TEXT, natural(text)
end

local M = {}

--- Reads "name" or "ratio:desc,name".
---@param text string
---@return table|nil columns array of { name =, desc = boolean }; nil if the text is wrong
---@return string|nil why
function M.parse(text)
  local columns = {}
  for word in text:gmatch "[^,]+" do
    local name, direction = word:match "^%s*(.-)%s*:(%a+)%s*$"
    if not name then name, direction = word:match "^%s*(.-)%s*$", "asc" end
    if name == "" or (direction ~= "asc" and direction ~= "desc") then
      return nil, ("'%s' is not COLUMN, COLUMN:asc or COLUMN:desc"):format(word)
    end
    columns[#columns + 1] = { name = name, desc = direction == "desc" }
  end
  if #columns == 0 then return nil, "no column is given" end
  return columns
end

--- Returns the rows in this order. Rows that are equal keep theirs.
---@param rows table[]
---@param columns table[] as of parse
---@param kind? string of the rows
---@return table[] rows
function M.sorted(rows, columns, kind)
  local keyed = {}
  for i, row in ipairs(rows) do
    local keys = { row = row, at = i }
    for c, column in ipairs(columns) do
      keys[2 * c - 1], keys[2 * c] = key_of(columns_of.value(row, column.name, kind))
    end
    keyed[i] = keys
  end
  table.sort(keyed, function(a, b)
    for c, column in ipairs(columns) do
      local rank_a, rank_b, one, other = a[2 * c - 1], b[2 * c - 1], a[2 * c], b[2 * c]
      if rank_a ~= rank_b then
        -- what is missing stays last, whatever the direction
        if rank_a == NOTHING or rank_b == NOTHING then return rank_a < rank_b end
        if column.desc then return rank_a > rank_b end
        return rank_a < rank_b
      end
      if one ~= other then
        if column.desc then return one > other end
        return one < other
      end
    end
    return a.at < b.at
  end)
  local out = json.array {}
  for i, keys in ipairs(keyed) do out[i] = keys.row end
  return out
end

return M
