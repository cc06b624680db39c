-- Which modules a simulated device can have.
local core = require "f5.core"
local modules = require "sim.modules"

-- Of older versions; a device of 17.1 does not list them.
local OLDER <const> = { em = true, psm = true, wam = true, wom = true }

--- Returns the message for the first word that is no module; nil if all are.
-- @param words array of strings
return function(words)
  local known = {}
  for _, name in ipairs(modules) do known[name] = true end
  for _, word in ipairs(words) do
    if not known[word] and not OLDER[word] then
      local near = core.nearest(tostring(word), modules)
      return ("there is no module '%s'%s; modules are %s"):format(
        tostring(word), near and (" (did you mean '%s'?)"):format(near) or "",
        table.concat(modules, ", ")
      )
    end
  end
end
