-- f5.defer(fn): calls fn when the scope ends, also after an error and after Ctrl-C. A scope is a
-- playbook, a fiber, or the function of f5.each for one device. The last one is called first.
--
-- A session in a `<close>` variable is closed before its playbook ends. So its end calls first what
-- was deferred since it was opened (core.before_close): a deferred function can use the session.

local core = require "f5.core"
local receiver = require "f5.receiver"
local terminal = require "f5.terminal"

local M = {}

local Deferred <const> = { __name = "f5.deferred" }
Deferred.__index = Deferred

local function warn(problem)
  terminal.err(("f5lua: warning: a deferred function failed: %s\n"):format(
    terminal.indent(tostring(problem))
  ))
end

-- Calls functions from the last one on, down to those that were deferred before the session with
-- this serial number was opened. Raises the first error, unless there is one already.
local function run(list, failed, err, serial)
  local first
  while #list > 0 do
    local deferred = list[#list]
    if serial and deferred.serial < serial then break end
    list[#list] = nil
    local fn = deferred.fn
    deferred.fn = nil
    if fn then
      local ok, problem = pcall(fn, err)
      if not ok and (failed or first) then
        warn(problem)
      elseif not ok then
        first = { problem }
        err = problem
      end
    end
  end
  if first then error(first[1], 0) end
end

local function new_list()
  return { run = function(list, ok, err)
    if ok then err = nil end
    run(list, not ok, err)
  end }
end

local function list_of_fiber()
  local ok, list = pcall(core.deferred)
  if not ok then
    core.usage_error "f5.defer: there is no fiber; in a stock lua call it inside of f5.run"
  end
  if not list then
    list = new_list()
    core.deferred(list)
  end
  return list
end

local function before_close(serial, err)
  local ok, list = pcall(core.deferred)
  if ok and list then run(list, err ~= nil, err, serial) end
end

local function is_callable(fn)
  if type(fn) == "function" then return true end
  local meta = debug.getmetatable(fn)
  return type(meta) == "table" and rawget(meta, "__call") ~= nil
end

--- Calls fn(error) when the scope ends; error is nil if there was none.
-- @return f5.deferred: in a `<close>` variable it calls fn at the end of the block
function M.defer(fn, ...)
  if not is_callable(fn) or select("#", ...) > 0 then
    core.usage_error(("f5.defer: expected one function, got a %s"):format(type(fn)))
  end
  core.before_close(before_close)
  local list = list_of_fiber()
  local deferred = setmetatable({ fn = fn, serial = core.last_serial(), list = list }, Deferred)
  list[#list + 1] = deferred
  return deferred
end

-- Takes it out of its list, where it is near the end. Returns its function; nil if it was called.
local function take(deferred)
  local fn, list = deferred.fn, deferred.list
  deferred.fn = nil
  for i = #list, 1, -1 do
    if list[i] == deferred then
      table.remove(list, i)
      break
    end
  end
  return fn
end

--- Does not call the function any more. Returns whether it would have been called.
function Deferred:cancel() return take(self) ~= nil end

function Deferred:__close(err)
  local fn = take(self)
  if not fn then return end
  local ok, problem = pcall(fn, err)
  if ok then return end
  if err == nil then error(problem, 0) end
  warn(problem)
end

function Deferred:__tostring()
  return self.fn and "deferred function" or "deferred function (done)"
end

receiver.guard(Deferred, "a deferred function")

--- Calls fn(...) as a scope of its own: what it defers is called before this returns.
function M.call(fn, ...)
  local in_fiber, before = pcall(core.deferred, nil)
  if not in_fiber then return fn(...) end -- a stock lua: there, f5.defer raises
  local _ <close> = setmetatable({}, { __close = function(_, err)
    local list = core.deferred()
    local ok, problem = true, nil
    if list then ok, problem = pcall(run, list, err ~= nil, err) end
    core.deferred(before)
    if not ok then error(problem, 0) end
  end })
  return fn(...)
end

return M
