-- What the workers of restjavad answer alike.
local errors = require "sim.http.errors"

local M = {}

function M.link(path)
  return "https://localhost" .. path
end

function M.ok(body)
  return { status = 200, body = body }
end

-- Refuses anything but reading.
function M.read_only(request)
  if request.method == "GET" or request.method == "HEAD" then return end
  error(errors.rest(request, 405, "Method not allowed: " .. request.method))
end

return M
