-- os.exit of a playbook that something else follows: the end of a check, of a change that must be
-- confirmed, of a change record, a report or a recording.

local M = {}

local Exit = {}
Exit.__tostring = function(self) return ("os.exit(%s)"):format(tostring(self.code)) end

local function replace(exit)
  local before <const> = os.exit
  rawset(os, "exit", exit)
  return function() rawset(os, "exit", before) end
end

--- The exit status that a program gets from a code.
function M.status(code)
  if code == nil or code == true then return 0 end
  if code == false then return 1 end
  return math.tointeger(tonumber(code)) or 1
end

--- From now on os.exit raises an error: the playbook ends, but the program goes on. Returns a
--- function that ends it.
function M.start()
  return replace(function(code) error(setmetatable({ code = code }, Exit), 0) end)
end

--- From now on os.exit is this error, wherever a playbook finds it. The process goes on with other
--- playbooks.
function M.refuse(message)
  replace(function() error(message, 2) end)
end

--- From now on os.exit calls fn(code) before it ends the program. If fn returns a code, the program
--- ends with that one. Returns a function that ends it.
function M.before(fn)
  local exit <const> = os.exit
  return replace(function(code, ...)
    local other <const> = fn(code)
    if other ~= nil then code = other end
    return exit(code, ...)
  end)
end

--- Whether an error is that of os.exit.
function M.is_exit(err) return getmetatable(err) == Exit end

--- The exit status that it asks for.
function M.status_of(err) return M.status(err.code) end

return M
