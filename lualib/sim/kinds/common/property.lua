-- How kinds write the facts about a property: { t = type, d = default, … } (see kinds/init.lua).
local M = {}

--- A text. `extra` may have more fields, such as { c = choices }.
function M.text(default, extra)
  extra = extra or {}
  extra.t, extra.d = "s", default
  return extra
end

--- A whole number.
function M.number(default) return { t = "i", d = default } end

--- true or false.
function M.flag(default) return { t = "b", d = default } end

M.READ_ONLY = { r = true }

-- A number that mcpd keeps in 32 bits.
M.COUNT = { range = { 0, 4294967295 } }

M.ENABLED_DISABLED = { { "enabled", "disabled" } }

return M
