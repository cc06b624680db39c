-- What the body of an error answer says beyond its message: errors, and results that failed. AS3
-- answers them for each tenant, DO in `result`, ASM in the result of a task.

local json = require "f5.json"

local M = {}

local MAX_PARTS <const> = 10 -- errors and results that a message repeats
local MAX_DEPTH <const> = 6 -- levels of results in results
local MAX_LENGTH <const> = 500 -- bytes of one part
local MAX_WHOLE <const> = 1000 -- bytes of a body in which nothing is known

local TEXTS <const> = { "message", "errorMessage", "response", "error" }
local LISTS <const> = { "errors", "error", "results", "result", "items" }
local LABELS <const> = { "tenant", "name", "id", "host" }

-- Shortens a text to at most `length` bytes, never inside a character.
local function cut(text, length)
  if #text <= length then return text end
  return text:sub(1, (utf8.offset(text, 0, length + 1) or length + 1) - 1) .. "…"
end

local function add(found, label, text)
  if type(text) ~= "string" or not text:find "%S" then return end
  text = text:match "^%s*(.*%S)"
  if found.message:find(text, 1, true) then return end
  for _, part in ipairs(found) do
    if part:find(text, 1, true) then return end
  end
  if #found == MAX_PARTS then
    found.more = found.more + 1
    return
  end
  found[#found + 1] = (label and label .. ": " or "") .. cut(text, MAX_LENGTH)
end

-- The name that tells results apart.
local function label_of(body)
  for _, name in ipairs(LABELS) do
    if type(body[name]) == "string" and body[name] ~= "" then return body[name] end
  end
end

local function succeeded(body)
  return type(body.code) == "number" and body.code > 0 and body.code < 400
end

local function collect(found, body, depth)
  if depth > MAX_DEPTH or depth > 0 and succeeded(body) then return end
  local label = depth > 0 and label_of(body) or nil
  for _, name in ipairs(TEXTS) do add(found, label, body[name]) end
  for _, name in ipairs(LISTS) do
    local list = body[name]
    if type(list) == "table" then
      if #list == 0 then collect(found, list, depth + 1) end
      for _, item in ipairs(list) do
        if type(item) == "table" then
          collect(found, item, depth + 1)
        else
          add(found, label, item)
        end
      end
    end
  end
end

--- Returns a value of a device as a text: a table as JSON.
function M.words(value)
  if type(value) ~= "table" then return tostring(value) end
  local ok, text = pcall(json.encode, value, { sort = true })
  return ok and cut(text, MAX_WHOLE) or "(a table)"
end

--- Returns the message with what the body says beyond it.
-- @param message string: the message so far
-- @param body table: the decoded answer; its secrets are masked already
function M.extend(message, body)
  local found = { message = message, more = 0 }
  collect(found, body, 0)
  if #found == 0 and message:find(" without a message$") and next(body) ~= nil then
    found[1] = M.words(body)
  end
  if found.more > 0 then found[#found + 1] = ("and %d more"):format(found.more) end
  return #found > 0 and message .. ": " .. table.concat(found, "; ") or message
end

return M
