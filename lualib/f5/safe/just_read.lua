-- What a method has just read before it writes. A change record keeps each object as it was before
-- a write; what `ensure` has read a moment ago need not be read again.

local core = require "f5.core"

local M = {}

local MOMENT <const> = 0.5 -- seconds

-- path -> { object or false, fiber, session, time }; only the last few
local noted, count = {}, 0
local active = false

--- Begins to keep what is noted. Before that, `note` costs nothing.
function M.begin() active = true end

--- Notes that this fiber has read an object; nil: it does not exist.
function M.note(ref, object)
  if not active then return end
  count = count + 1
  if count > 64 then noted, count = {}, 1 end
  noted[tostring(ref)] = { object or false, coroutine.running(), core.session_of(ref), core.now() }
end

--- Returns the object at a path as this fiber has just read it; false: it does not exist; nil: it
-- was not read. What is taken is forgotten.
function M.take(session, path)
  local found = noted[path]
  noted, count = {}, 0 -- the write may change also other objects that were read
  if not found or found[2] ~= coroutine.running() or found[3] ~= session then return nil end
  if core.now() - found[4] > MOMENT then return nil end
  return found[1]
end

return M
