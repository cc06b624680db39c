-- What methods in Lua are called on. `bip.upload(file)`, with a dot for a colon, is a usage error.

local core = require "f5.core"

local M = {}

local function refuse(name, what, given)
  core.usage_error(
    ("%s: expected %s, got a %s; methods are called with a colon"):format(name, what, type(given))
  )
end

--- Wraps a method of one of the values in C.
-- @param kind string: what getmetatable returns for it ("session")
function M.of_core(kind, name, method)
  return function(self, ...)
    if type(self) ~= "userdata" or getmetatable(self) ~= kind then
      refuse(name, "a " .. kind, self)
    end
    return method(self, ...)
  end
end

--- Raises if a method is called on anything but an object of its class.
function M.check(name, what, self, class)
  if type(self) ~= "table" or getmetatable(self) ~= class then refuse(name, what, self) end
end

--- Wraps the methods of a class in Lua; `except` holds the names of its other functions.
function M.guard(class, what, except)
  for name, method in pairs(class) do
    if type(method) == "function" and name:sub(1, 2) ~= "__" and not (except or {})[name] then
      class[name] = function(self, ...)
        M.check(name, what, self, class)
        return method(self, ...)
      end
    end
  end
end

return M
