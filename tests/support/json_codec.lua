-- What the specs of the JSON codec share.
local assert = require "luassert"
local json = require "f5.json"

local M = {}

--- As text, with sorted names.
function M.sorted(value) return json.encode(value, { sort = true }) end

--- Same value, same type, arrays equal to arrays only.
function M.same(a, b)
  if type(a) ~= type(b) or math.type(a) ~= math.type(b) then return false end
  if type(a) ~= "table" then return a == b and (a ~= 0 or 1 / a == 1 / b) end
  if json.is_array(a) ~= json.is_array(b) then return false end
  for key, value in pairs(a) do
    if not M.same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

--- The message of an error that a call raises, without the place.
function M.message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return (tostring(message):gsub("^[^ ]+:%d+: ", ""))
end

--- Where a text is wrong, and how.
function M.at(line, column, byte, what)
  return ("line %d, column %d (byte %d): %s"):format(line, column, byte, what)
end

--- The same, in the first line.
function M.here(byte, what) return M.at(1, byte, byte, what) end

return M
