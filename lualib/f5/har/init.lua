-- f5.har: recordings of the exchanges with devices (HAR 1.2), and runs from them without a network.

local M = {}

--- See lualib/meta/f5/har.lua.
function M.record(path) return require("f5.har.recording").start(path) end

--- See lualib/meta/f5/har.lua.
function M.replay(path) return require("f5.har.replay").start(path) end

--- See lualib/meta/f5/har.lua.
function M.read(path) return require("f5.har.file").read(path) end

return M
