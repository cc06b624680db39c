-- What a method has just read before it writes. A change record keeps each object as it was before
-- a write; what `ensure` has read for this write need not be read again.

local core = require "f5.core"

local M = {}

-- fiber -> path -> { object or false, session }
local noted = setmetatable({}, { __mode = "k" })
local active = false

--- Begins to keep what is noted. Before that, `note` costs nothing.
function M.begin() active = true end

--- For a <close> variable of the method: what it has noted and not used is forgotten.
M.scope = setmetatable({}, { __close = function() noted[coroutine.running()] = nil end })

--- Notes that this fiber has read an object; nil: it does not exist.
function M.note(ref, object)
  if not active then return end
  local fiber = coroutine.running()
  noted[fiber] = noted[fiber] or {}
  noted[fiber][tostring(ref)] = { object or false, core.session_of(ref) }
end

--- Returns the object at a path as this fiber has just read it; false: it does not exist; nil: it
-- was not read. What is noted is forgotten: the write may also change other objects.
function M.take(session, path)
  local fiber = coroutine.running()
  local found = noted[fiber] and noted[fiber][path]
  noted[fiber] = nil
  if not found or found[2] ~= session then return nil end
  return found[1]
end

-- One for all: a program may load this module again.
core.just_read = core.just_read or M

return core.just_read
