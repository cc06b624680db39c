-- Decodes JSON bodies once it is clear who sent them, and refuses what is not JSON.
local request_maker = require "sim.http.request"

local M = {}

function M.filter(_, request)
  return request_maker.decode_body(request)
end

return M
