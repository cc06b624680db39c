-- Which collection a list came from: tables have columns, such as the state of a pool, that are
-- statistics of the collection.

local columns_of = require "f5.table.columns"
local core = require "f5.core"
local json = require "f5.json"
local views = require "cli.support.rows.view"

local M = {}

local origin <const> = setmetatable({}, { __mode = "k" }) -- array -> reference

local function remember(reference, options, rows, ...)
  local is_whole <const> = type(options) ~= "table" or rawget(options, "select") == nil
  if is_whole and json.is_array(rows) then origin[rows] = reference end
  return rows, ...
end

--- From now on, the results of ref:list() are known.
function M.install()
  local list <const> = core.reference_methods.list
  core.reference_methods.list = function(reference, options, ...)
    return remember(reference, options, list(reference, options, ...))
  end
end

local function needs_statistics(kind)
  local computed <const> = columns_of.computed(kind)
  for _, name in ipairs(columns_of.of(kind) or {}) do
    if computed[name] and computed[name].statistics then return true end
  end
  return false
end

--- The rows as a table shows them. It may read the statistics of the collection.
-- @param rows any: what a console prints
-- @return the same value, or a copy with further columns; the kind, if it is known
function M.completed(rows)
  local reference <const> = type(rows) == "table" and origin[rows]
  if not reference then return rows end
  local kind <const> = columns_of.kind_of_path(tostring(reference))
  if #rows == 0 or not needs_statistics(kind) then return rows, kind end
  local copies = json.array {}
  for i, row in ipairs(rows) do
    local copy = {}
    for name, value in pairs(row) do copy[name] = value end
    copies[i] = copy
  end
  local view <const> = views.new({}, reference, { format = "table", usage = error })
  return view:rows(copies), kind
end

return M
