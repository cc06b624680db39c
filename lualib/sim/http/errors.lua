-- The two envelopes in which a BIG-IP reports an error, and the HTML pages of its front-end proxy.
--
-- Each function makes a response; `error(response)` anywhere in a handler sends it.
local json = require "f5.json"

local M = {}

local REASONS <const> = {
  [400] = "Bad Request",
  [401] = "F5 Authorization Required",
  [403] = "Forbidden",
  [404] = "Not Found",
  [405] = "Method Not Allowed",
  [406] = "Not Acceptable",
  [409] = "Conflict",
  [413] = "Request Entity Too Large",
  [414] = "Request-URI Too Long",
  [415] = "Unsupported Media Type",
  [500] = "Internal Server Error",
  [501] = "Not Implemented",
  [502] = "Bad Gateway",
  [503] = "Service Unavailable",
  [504] = "Gateway Timeout",
}
M.reasons = REASONS

-- The envelope of icrd, which serves /mgmt/tm. `api_error` defaults to 1, icrd's own refusals; 3 is
-- mcpd's.
function M.tm(status, message, api_error)
  return {
    status = status,
    body = {
      code = status, message = message, errorStack = json.array {}, apiError = api_error or 1,
    },
  }
end

-- The envelope of restjavad, which serves everything else and does the routing.
-- options: `request_body` (echoed as originalRequestBody), `error_stack` (an array).
function M.rest(request, status, message, options)
  options = options or {}
  local body = {
    code = status,
    message = message,
    originalRequestBody = options.request_body,
    referer = request.headers.referer or request.remote,
    restOperationId = request.operation,
    errorStack = options.error_stack and json.array(options.error_stack),
    kind = ":resterrorresponse",
  }
  return { status = status, body = body }
end

-- No such URI, as restjavad's router says it.
function M.not_registered(request)
  return M.rest(
    request,
    404,
    (
      "URI path %s not registered.  Please verify URI is supported and wait for /available "
      .. "suffix to be responsive."
    ):format(request.path)
  )
end

-- No such URI below a public namespace (/tm/…), as the forwarding worker says it.
function M.not_public(request)
  return M.rest(request, 404, "Public URI path not registered: " .. request.path:gsub("^/mgmt", ""))
end

-- A page of the front-end proxy (httpd), which knows no JSON.
function M.html(status, text, title)
  title = title or ("%d %s"):format(status, REASONS[status] or "Error")
  return {
    status = status,
    headers = { ["Content-Type"] = "text/html; charset=iso-8859-1" },
    body = (
      '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>%s</title>\n</head><body>\n<h1>%s</h1>\n'
      .. "<p>%s</p>\n</body></html>\n"
    ):format(title, REASONS[status] or title, text),
  }
end

return M
