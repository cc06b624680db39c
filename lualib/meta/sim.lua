---@meta f5.sim
-- What `require "f5.sim"` gives is described with the rest of the module, in f5.lua.

---@type f5.sim
local sim = {}

return sim
