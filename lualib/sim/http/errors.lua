-- Error responses: the two JSON envelopes of a BIG-IP, and the HTML pages of its web server.
--
-- Each function makes a response. `error(response)` in a handler ends it with this response.
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

-- The envelope of icrd, which serves /mgmt/tm. `api_error` is 1 for errors of icrd (the default)
-- and 3 for errors of mcpd.
function M.tm(status, message, api_error)
  return {
    status = status,
    body = {
      code = status, message = message, errorStack = json.array {}, apiError = api_error or 1,
    },
  }
end

-- The envelope of restjavad, which routes all requests and serves all other paths.
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

-- Unknown URI, in the words of restjavad's router.
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

-- Unknown URI below a public namespace (/tm/…), in the words of the forwarding worker.
function M.not_public(request)
  return M.rest(request, 404, "Public URI path not registered: " .. request.path:gsub("^/mgmt", ""))
end

-- An HTML page of the web server in front (httpd).
function M.html(status, text, title)
  title = title or ("%d %s"):format(status, REASONS[status] or "Error")
  return {
    status = status,
    headers = { ["Content-Type"] = "text/html; charset=iso-8859-1" },
    body = (
      '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>%s</title>\n'
        .. '</head><body>\n<h1>%s</h1>\n'
      .. "<p>%s</p>\n</body></html>\n"
    ):format(title, REASONS[status] or title, text),
  }
end

return M
