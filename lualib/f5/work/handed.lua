-- handed(options) -> the options of f5.connect as another process gets them, through a pipe only. A
-- password that was read from a terminal or a command is passed on as text.

local core = require "f5.core"

return function(options)
  local copy = {}
  for name, value in pairs(options) do
    if (name == "password" or name == "token") and type(value) ~= "string" then
      value = core.secret_text(value)
    end
    copy[name] = value
  end
  return copy
end
