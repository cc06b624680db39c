-- The parts of an answer with statistics.
local M = {}

M.ROOT = "https://localhost/mgmt/tm/"

function M.text(value) return { description = tostring(value) } end
function M.number(value) return { value = value } end
function M.nest(entries) return { nestedStats = { entries = entries } } end

--- One line: <path>/0 with the values (numbers under `value`, texts under `description`).
function M.line(template, values, index)
  local entries = {}
  for name, value in pairs(values) do
    entries[name] = math.type(value) and M.number(value)
      or type(value) == "table" and value or M.text(value)
  end
  return { [M.ROOT .. template .. "/" .. (index or "0")] = M.nest(entries) }
end

return M
