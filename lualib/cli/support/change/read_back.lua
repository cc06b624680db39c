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

local WHAT <const> = {
  created = "did not exist, and exists now", deleted = "existed, and is gone",
  read = "the playbook read this, and the answer is another one now",
}

-- What an entry of the drift says.
local function described(one)
  if one.about then
    return ("the plan depends on what mentions %s here, and that is different now"):format(
      table.concat(one.about, " or ")
    )
  end
  if one.exists ~= nil then return WHAT[one.exists and "deleted" or "created"] end
  if one.line then return ("%s downloads this file, and it is another one now"):format(one.line) end
  return WHAT[one.what]
end

--- Prints what somebody else, or a change, has made different.
-- @param found array: of f5.plan.drift.find
function M.put_drift(found)
  local text = require "f5.state.show_text"
  for _, one in ipairs(found) do
    if one.changes then
      text.entry(output, {
        what = "changed", name = one.path, kind = one.kind, changes = one.changes,
      })
    else
      output("  ", terminal.line(one.path), ": ", terminal.line(described(one)), "\n")
    end
  end
end

return M
