-- Makes the request table for handlers from what the server received.
local json = require "f5.json"
local errors = require "sim.http.errors"

local M = {}

local SLASH <const> = ("/"):byte()

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end
M.unescape = unescape

-- "a/b//c%20d" -> { "a", "b", "c d" }; empty segments are left out.
function M.segments(path)
  local segments, count, has_escapes = {}, 0, path:find("%", 1, true)
  for segment in path:gmatch "[^/]+" do
    count = count + 1
    segments[count] = has_escapes and unescape(segment) or segment
  end
  return segments
end

function M.query(raw)
  local query, order = {}, {}
  for pair in raw:gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=(.*)$"
    if not name then name, value = pair, "" end
    name = unescape((name:gsub("+", " ")))
    if not query[name] then order[#order + 1] = name end
    query[name] = unescape((value:gsub("+", " ")))
  end
  return query, order
end

-- Percent-encodes bytes that are not UTF-8, because JSON cannot hold them.
local function readable(text)
  if utf8.len(text) then return text end
  return (text:gsub("[\128-\255]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

local QUOTED_HEADERS <const> = {
  "referer", "x-f5-rest-coordination-id", "origin", "x-f5-auth-token", "content-type",
  "content-range",
}

-- Completes a request that has method, target, headers (lower-case names), body and remote.
function M.complete(request)
  local target = readable(request.target)
  request.target = target
  -- the client of a proxy sends an absolute URI
  if target:byte() ~= SLASH then target = target:match "^%a+://[^/]*(/.*)$" or target end
  local path, raw_query = target:match "^([^?#]*)%??([^#]*)"
  request.path = #path > 1 and path:byte(-1) == SLASH and path:gsub("/+$", "") or path
  request.raw_query = raw_query
  request.segments = M.segments(path)
  if raw_query ~= "" then
    request.query, request.query_order = M.query(raw_query)
  else
    request.query, request.query_order = {}, {}
  end
  for _, name in ipairs(QUOTED_HEADERS) do
    local value = request.headers[name]
    if value then request.headers[name] = readable(value) end
  end
  request.malformed = target:find("%", 1, true) ~= nil and utf8.len(unescape(target)) == nil
  return request
end

-- Refuses a URI that is not UTF-8.
function M.filter(_, request)
  if not request.malformed then return nil end
  return errors.rest(request, 400, "Malformed request: the URI is not UTF-8: " .. request.path)
end

local WITH_BODY <const> = { POST = true, PUT = true, PATCH = true }

-- Decodes a JSON body into request.json; returns a response if that fails. icrd (below /mgmt/tm)
-- requires the content type, restjavad does not.
function M.decode_body(request)
  if not WITH_BODY[request.method] or request.body == "" then return nil end
  local content_type = request.headers["content-type"]
  if content_type and content_type:find("application/octet-stream", 1, true) then return nil end
  local tm = request.segments[1] == "mgmt" and request.segments[2] == "tm"
  if tm and content_type and not content_type:lower():find("^%s*application/json") then
    return errors.tm(
      415,
      "Found invalid content-type. The content type must be application/json. The received content "
        .. "type is "
        .. content_type
    )
  end
  local ok, value = pcall(json.decode, request.body)
  if not ok or type(value) ~= "table" then
    if tm then
      local refusal = errors.tm(
        request.method == "POST" and 415 or 400,
        "Found invalid JSON body in the request."
      )
      if request.method == "PUT" then refusal.headers = { Connection = "close" } end
      return refusal
    end
    return errors.rest(
      request,
      400,
      "java.lang.IllegalArgumentException: Unable to parse request body as JSON",
      { request_body = readable(request.body) }
    )
  end
  request.json = value
  return nil
end

return M
