-- Requests that the web server in front of the REST daemon refuses itself, with an HTML page: too
-- long, ambiguous, or malformed.
local errors = require "sim.http.errors"

local M = {}

-- Apache's default limit for a request line and for a header field, in bytes.
local MAX_BYTES <const> = 8190

local BAD <const> = "Your browser sent a request that this server could not understand.<br />"

-- Whether the end of the request is ambiguous. Two servers that disagree about it can be tricked
-- into seeing different requests. A header that came twice is here one value with a comma.
local function is_ambiguous(headers)
  local coding, length = headers["transfer-encoding"], headers["content-length"]
  if coding and (length or coding:lower() ~= "chunked") then return true end
  return length ~= nil and not length:find "^%d+$"
end

-- HTTP/1.1 requires exactly one Host header.
local function lacks_host(request)
  local host = request.headers.host
  if not host then return request.minor >= 1 end
  return host:find(",", 1, true) ~= nil
end

function M.filter(_, request)
  if #request.method + #request.target + #"  HTTP/1.1" > MAX_BYTES then
    return errors.html(
      414,
      "The requested URL's length exceeds the capacity limit for this server.<br />"
    )
  end
  for name, value in pairs(request.headers) do
    if #name + #value + 2 > MAX_BYTES then
      return errors.html(400, BAD .. "\nSize of a request header field exceeds server limit.")
    end
  end
  if is_ambiguous(request.headers) or lacks_host(request) then
    local refusal = errors.html(400, BAD)
    refusal.close = true -- the start of the next request is unknown
    return refusal
  end
  if request.path:find("%", 1, true) and request.path:gsub("%%%x%x", ""):find("%", 1, true) then
    return errors.html(400, BAD)
  end
  return nil
end

return M
