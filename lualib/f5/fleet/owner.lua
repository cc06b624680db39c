--- For whom a coroutine works: for a device of a fleet, or a job of a queue. Fibers and coroutines
-- that it starts work for the same one.

local M = {}

-- coroutine -> owner
local owner_of = setmetatable({}, { __mode = "k" })

--- For whom the running coroutine works; nil: for nobody.
function M.current() return owner_of[coroutine.running()] end

--- From now on a coroutine works for `owner`.
-- @param thread coroutine|nil: default the running one
function M.set(owner, thread) owner_of[thread or coroutine.running()] = owner end

-- A function that works for the same one in another coroutine.
local function follow(fn)
  local owner = M.current()
  if not owner or type(fn) ~= "function" then return fn end
  return function(...)
    M.set(owner)
    return fn(...)
  end
end

--- Lets all fibers and coroutines follow, from now on.
-- @param f5 table: the module
-- @param before function|nil: called before a fiber starts
function M.follow_all(f5, before)
  before = before or function() end
  local spawn, all, create, wrap = f5.spawn, f5.all, coroutine.create, coroutine.wrap
  function f5.spawn(fn, ...)
    before()
    return spawn(follow(fn), ...)
  end
  function f5.all(list, ...)
    if type(list) ~= "table" or getmetatable(list) then return all(list, ...) end
    before()
    local followers = {}
    for key, fn in next, list do followers[key] = follow(fn) end
    return all(followers, ...)
  end
  rawset(coroutine, "create", function(fn) return create(follow(fn)) end)
  rawset(coroutine, "wrap", function(fn) return wrap(follow(fn)) end)
end

return M
