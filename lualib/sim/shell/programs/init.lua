-- The programs of the device's shell. A program is a function(shell, arguments, io) that returns
-- the exit status (nil: 0). `io` has input, line(), out(text) and err(text), see
-- sim/shell/init.lua.
local M = {}

local MODULES <const> = {
  "sim.shell.programs.printing",
  "sim.shell.programs.text",
  "sim.shell.programs.columns",
  "sim.shell.programs.search",
  "sim.shell.programs.filesystem",
  "sim.shell.programs.tar",
  "sim.shell.programs.sed",
  "sim.shell.programs.awk",
  "sim.shell.programs.system",
}

local programs

--- The program of a name, or nil.
function M.find(name)
  if not programs then
    programs = {}
    for _, module in ipairs(MODULES) do
      for known, program in pairs(require(module)) do programs[known] = program end
    end
  end
  return programs[name]
end

return M
