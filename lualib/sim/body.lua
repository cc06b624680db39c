-- Reads JSON bodies, once it is clear who sent them.
local request_maker = require "sim.request"

local M = {}

function M.install(device)
  device:filter(105, function(_, request) return request_maker.decode_body(request) end)
end

return M
