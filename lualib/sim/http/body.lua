-- Refuses what cannot be read: a URI that is no UTF-8 at once, a body once it is clear who sent it.
local errors = require "sim.http.errors"
local request_maker = require "sim.http.request"

local M = {}

function M.install(device)
  device:filter(5, function(_, request)
    if not request.malformed then return nil end
    return errors.rest(request, 400, "Malformed request: the URI is not UTF-8: " .. request.path)
  end)
  device:filter(105, function(_, request) return request_maker.decode_body(request) end)
end

return M
