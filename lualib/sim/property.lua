-- How the tables that correct the catalogue write the description of a property: { t = type, d =
-- default, … }.
local M = {}

--- A string; `extra` may say more about it ({ c = choices }).
function M.text(default, extra)
  extra = extra or {}
  extra.t, extra.d = "s", default
  return extra
end

--- A whole number.
function M.number(default) return { t = "i", d = default } end

--- true or false.
function M.flag(default) return { t = "b", d = default } end

return M
