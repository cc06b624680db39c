-- os.exit of a playbook that something else follows: the end of a check, of a change that must be
-- confirmed. The playbook ends there, but the program goes on.

local M = {}

local Exit = {}
Exit.__tostring = function(self) return ("os.exit(%s)"):format(tostring(self.code)) end

local function status_of(code)
  if code == nil or code == true then return 0 end
  if code == false then return 1 end
  return math.tointeger(tonumber(code)) or 1
end

--- From now on os.exit raises an error. Returns a function that ends it.
function M.start()
  local exit <const> = os.exit
  rawset(os, "exit", function(code) error(setmetatable({ code = code }, Exit), 0) end)
  return function() rawset(os, "exit", exit) end
end

--- Whether an error is that of os.exit.
function M.is_exit(err) return getmetatable(err) == Exit end

--- The exit status that it asks for.
function M.status_of(err) return status_of(err.code) end

return M
