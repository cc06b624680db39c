-- Prints what is not on a device as a plan says.
local output = require "cli.support.output"
local terminal = require "f5.terminal"

local M = {}

--- Prints it. Returns whether a value that the plan itself sets is another one.
-- @param found array: of f5.plan.apply.read_back
function M.put(found)
  local wrong = false
  local text = require "f5.state.show_text"
  for _, one in ipairs(found) do
    wrong = wrong or one.given
    if one.what == "differs" then
      text.entry(output, {
        what = "changed", name = one.path, kind = one.kind, changes = one.changes,
        notes = { one.given and "not as planned" or "the device chose another value" },
      })
    else
      output("  ", terminal.line(one.path), ": ", one.what == "missing" and "does not exist"
        or "still exists", "\n")
    end
  end
  return wrong
end

return M
