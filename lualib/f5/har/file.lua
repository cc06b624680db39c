-- Reads a HAR file. Recordings of f5lua have one entry on each line, so one that was cut off is
-- read up to its last complete line. Other programs' files may leave out what is not needed here.

local core = require "f5.core"
local json = require "f5.json"

local M = {}

local START <const> = '{"log":'

local function refuse(path, format, ...)
  core.usage_error(("%s: " .. format):format(path, ...))
end

local function contents(path)
  if type(path) ~= "string" then
    core.usage_error(("f5.har: expected the path of a file, got a %s"):format(type(path)))
  end
  local file <close>, why = io.open(path, "rb")
  if not file then core.usage_error("cannot read " .. why) end
  local text, problem = file:read "a"
  if not text then core.usage_error(("cannot read %s: %s"):format(path, problem)) end
  return text
end

-- The entries of a recording that was cut off while it was written.
local function repaired(text)
  local first <const>, rest <const> = text:match "^([^\n]*)\n(.*)$"
  if not first or first:sub(1, #START) ~= START or first:sub(-1) ~= "[" then return nil end
  local entries = {}
  for line in rest:gmatch "([^\n]+)\n?" do
    local ok, entry = pcall(json.decode, (line:gsub(",$", ""):gsub("^,", "")))
    if not ok then break end
    entries[#entries + 1] = entry
  end
  return { log = { version = "1.2", entries = entries } }
end

local function is_list(value) return type(value) == "table" and (#value > 0 or not next(value)) end

-- Removes members that are null: for other programs that is the same as none.
local function without_null(value)
  for name, member in next, value do
    if member == json.null then value[name] = nil end
  end
  return value
end

-- What is wrong with a body, which is a string with its size; nil if it can be used.
local function problem_of_body(body, what)
  if body == nil then return nil end
  if type(body) ~= "table" then return ("its %s is no object"):format(what) end
  without_null(body)
  if body.text ~= nil and type(body.text) ~= "string" then
    return ("the text of its %s is no string"):format(what)
  end
  if body.size ~= nil and math.type(body.size) == nil then
    return ("the size of its %s is not a number"):format(what)
  end
  return nil
end

local function problem_of_headers(headers)
  if headers == nil then return nil end
  if not is_list(headers) then return "its headers are no list" end
  for _, header in ipairs(headers) do
    if type(header) ~= "table" then return "its headers are no list of objects" end
  end
  return nil
end

-- What is wrong with an entry; nil if it can be used.
local function problem_of(entry)
  if type(entry) ~= "table" then return "it is no object" end
  local request, response <const> = entry.request, entry.response
  if type(request) ~= "table" then return "it has no request" end
  if type(response) ~= "table" then return "it has no response" end
  without_null(entry)
  without_null(request)
  without_null(response)
  if type(request.method) ~= "string" then return "its request has no method" end
  if type(request.url) ~= "string" or not request.url:find "^https?://[^/]+" then
    return "its request has no url"
  end
  if math.type(response.status) == nil then return "its response has no status" end
  return problem_of_headers(request.headers) or problem_of_headers(response.headers)
    or problem_of_body(request.postData, "postData") or problem_of_body(response.content, "content")
end

--- Reads and checks a file. Raises an error of kind "usage" if it cannot be used.
-- @return table: the `log`, with `entries` in the order of the file, and `cut` (true: the end of
--   the file is missing)
function M.read(path)
  local text = contents(path):gsub("^\xEF\xBB\xBF", "")
  local ok, har = pcall(json.decode, text)
  local cut <const> = not ok
  if cut then
    har = repaired(text) or refuse(path, "this is no HAR file: %s", core.mask(tostring(har)))
  end
  local log <const> = type(har) == "table" and har.log
  if type(log) ~= "table" or not is_list(log.entries) then
    refuse(path, "this is no HAR file: it has no log with entries")
  end
  for i, entry in ipairs(log.entries) do
    local problem <const> = problem_of(entry)
    if problem then refuse(path, "entry %d cannot be used: %s", i, problem) end
  end
  log.cut = cut
  return log
end

return M
