-- f5.fail(format, …): ends the playbook with a message for its user. f5.try catches it.

local core = require "f5.core"

local Failure <const> = { __name = "f5.failure" }

function Failure:__tostring() return self.message end

return function(format, ...)
  if type(format) ~= "string" then
    core.usage_error(("f5.fail: expected a message, got a %s"):format(type(format)))
  end
  local message = format
  if select("#", ...) > 0 then
    local ok, text = pcall(string.format, format, ...)
    if not ok then core.usage_error("f5.fail: " .. tostring(text)) end
    message = text
  end
  error(setmetatable({ kind = "failed", message = message }, Failure), 0)
end
