-- What the web server in front of the REST daemon refuses by itself, with a page instead of JSON:
-- its usual limits, and paths that are none.
local errors = require "sim.http.errors"

local M = {}

-- Bytes of a request line and of a header field that Apache takes unless it is configured
-- otherwise.
local LONGEST <const> = 8190

local BAD <const> = "Your browser sent a request that this server could not understand.<br />"

-- Where a request ends must be certain: two servers that take it for different lengths can be made
-- to see different requests. A header that came twice is one with a comma here.
local function is_ambiguous(headers)
  local coding, length = headers["transfer-encoding"], headers["content-length"]
  if coding and (length or coding:lower() ~= "chunked") then return true end
  return length ~= nil and not length:find "^%d+$"
end

-- HTTP/1.1 wants the name of the host, and one only.
local function lacks_host(request)
  local host = request.headers.host
  if not host then return request.minor >= 1 end
  return host:find(",", 1, true) ~= nil
end

function M.filter(_, request)
  if #request.method + #request.target + #"  HTTP/1.1" > LONGEST then
    return errors.html(
      414,
      "The requested URL's length exceeds the capacity limit for this server.<br />"
    )
  end
  for name, value in pairs(request.headers) do
    if #name + #value + 2 > LONGEST then
      return errors.html(400, BAD .. "\nSize of a request header field exceeds server limit.")
    end
  end
  if is_ambiguous(request.headers) or lacks_host(request) then
    local refusal = errors.html(400, BAD)
    refusal.close = true -- nobody knows where the next request would begin
    return refusal
  end
  if request.path:gsub("%%%x%x", ""):find("%", 1, true) then
    return errors.html(400, BAD)
  end
  return nil
end

return M
