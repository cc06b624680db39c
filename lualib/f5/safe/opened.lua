-- The sessions that a program opens.

local core = require "f5.core"

local M = {}

--- Calls fn(session) with each session that is opened from now on.
-- @return function that ends it
function M.each(fn)
  local f5 = require "f5"
  local connect <const>, of_core <const> = f5.connect, core.connect
  local function opened(...)
    local session = of_core(...)
    fn(session)
    return session
  end
  core.connect, f5.connect = opened, opened
  return function() core.connect, f5.connect = of_core, connect end
end

return M
