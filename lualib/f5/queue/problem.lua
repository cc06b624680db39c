--- The error of a playbook, as it is stored. A playbook may raise any value, and its metamethods
-- may fail.

local core = require "f5.core"
local printed = require "f5.queue.printed"

local M = {}

local LONGEST_KIND <const> = 100 -- bytes; those of f5lua are shorter

--- A value as text.
function M.text(value)
  local ok, text = pcall(tostring, value)
  return ok and text or ("(a %s without a text)"):format(type(value))
end

local function field(value, name)
  local ok, found = pcall(function() return value[name] end)
  if ok then return found end
  return nil
end

--- Returns { message, kind = string or nil, status = integer or nil }.
function M.of(err)
  local is_table <const> = type(err) == "table"
  local text = err
  if is_table and not getmetatable(err) and err.message ~= nil then text = err.message end
  local kind, status = is_table and field(err, "kind"), is_table and field(err, "status")
  return {
    message = printed.shortened(core.mask(M.text(text))),
    kind = type(kind) == "string" and #kind <= LONGEST_KIND and kind or nil,
    status = math.type(status) == "integer" and status or nil,
  }
end

return M
