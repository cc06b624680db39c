-- Whole tables: copies and comparisons of their contents.
local M = {}

--- A deep copy; arrays stay arrays.
function M.copy(value)
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, member in pairs(value) do copy[key] = M.copy(member) end
  return copy
end

--- Whether two values are equal; tables, if they have the same contents. `ignored`: the names of
-- members of these two tables that do not matter.
function M.same(a, b, ignored)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  for key, value in pairs(a) do
    if not (ignored and ignored[key]) and not M.same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if not (ignored and ignored[key]) and a[key] == nil then return false end
  end
  return true
end

return M
