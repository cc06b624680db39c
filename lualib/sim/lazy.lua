-- Modules that are loaded at their first use, because few devices need them: a simulated device
-- starts faster without.
--
--   local shell = lazy "sim.shell"

--- Returns a table with the functions of a module. The module is loaded when one is first used.
return function(name)
  return setmetatable({}, { __index = function(_, key) return require(name)[key] end })
end
