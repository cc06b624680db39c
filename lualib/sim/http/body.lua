-- Decodes JSON bodies and refuses what is not JSON. This comes after the login: a stranger gets a
-- 401, whatever the body is.
local request_maker = require "sim.http.request"

local M = {}

function M.filter(_, request)
  return request_maker.decode_body(request)
end

return M
