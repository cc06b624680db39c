-- Cross-origin requests, preflight and simple, for the origins in options.origins. They must match
-- exactly; there are no wildcards.
local errors = require "sim.http.errors"

local M = {}

local METHODS <const> = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
local HEADERS <const> = "Authorization, Content-Type, X-F5-Auth-Token, X-F5-REST-Coordination-Id"
local EXPOSED <const> = "X-F5-Api-Status, X-F5-REST-Coordination-Id"
local MAX_AGE <const> = 1200  -- seconds

function M.install(device)
  device.allowed_origins = {}
  for _, origin in ipairs(device.options.origins or {}) do device.allowed_origins[origin] = true end
end

function M.filter(device, request)
  local origin = request.headers.origin
  local wanted = request.headers["access-control-request-method"]
  if request.method ~= "OPTIONS" or not origin or not wanted then return nil end
  if not device.allowed_origins[origin] then
    return errors.rest(request, 403, "Origin not allowed: " .. origin)
  end
  return {
    status = 200,
    body = "",
    headers = {
      ["Access-Control-Allow-Methods"] = METHODS,
      ["Access-Control-Allow-Headers"] = HEADERS,
      ["Access-Control-Max-Age"] = tostring(MAX_AGE),
    },
  }
end

function M.observe(device, request, response)
  local origin = request.headers.origin
  if not origin or not device.allowed_origins[origin] then return end
  response.headers = response.headers or {}
  response.headers["Access-Control-Allow-Origin"] = origin
  response.headers["Access-Control-Allow-Credentials"] = "true"
  response.headers["Access-Control-Expose-Headers"] = EXPOSED
  response.headers.Vary = "Origin"
end

return M
