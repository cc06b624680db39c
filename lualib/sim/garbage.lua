-- How often Lua collects garbage. Work on many objects leaves much garbage at once; until it is
-- done, Lua collects again only when there is more of it. The figures are in percent of the memory
-- in use; USUAL is Lua's own.
local M = {}

local RARE <const>, USUAL <const> = 400, 200

--- From now on Lua collects rarely, until `usual` is called.
function M.rare() collectgarbage("incremental", RARE) end

function M.usual() collectgarbage("incremental", USUAL) end

--- Calls run(...), and collects rarely meanwhile. Returns its results, raises its error.
function M.rarely(run, ...)
  local _ <close> = setmetatable({}, { __close = M.usual })
  M.rare()
  return run(...)
end

return M
