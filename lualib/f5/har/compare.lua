-- Whether a call is the one that was recorded. What is masked in the recording matches any text.

local core = require "f5.core"
local json = require "f5.json"

local M = {}

local MASK <const> = core.MASK
local MOST <const> = 5 -- differences that are shown

--- Whether a text is the recorded one.
function M.same_text(recorded, now)
  if recorded == now then return true end
  local at, from = recorded:find(MASK, 1, true)
  if not at then return false end
  if now:sub(1, at - 1) ~= recorded:sub(1, at - 1) then return false end
  local place = at
  while true do
    local next_at, next_end = recorded:find(MASK, from + 1, true)
    local piece <const> = recorded:sub(from + 1, (next_at or 0) - 1)
    if not next_at then
      return #now - #piece + 1 >= place and now:sub(#now - #piece + 1) == piece
    end
    local found <const>, stop <const> = now:find(piece, place, true)
    if not found then return false end
    place, from = stop + 1, next_end
  end
end

-- A value in one line, without secrets.
local function shown(value)
  if value == nil then return "nothing" end
  local ok, text = pcall(json.encode, value, { sort = true })
  text = core.mask(ok and text or tostring(value))
  return #text > 200 and text:sub(1, utf8.offset(text, 0, 200) - 1) .. "…" or text
end

local function note(differences, where, recorded, now)
  if #differences < MOST then
    differences[#differences + 1] = ("%s: recorded %s, now %s"):format(
      where, shown(recorded), shown(now))
  end
end

local function compare(differences, where, recorded, now)
  if type(recorded) == "string" and type(now) == "string" then
    if not M.same_text(recorded, now) then note(differences, where, recorded, now) end
  elseif recorded == MASK then -- of a value of any type
    return
  elseif type(recorded) ~= "table" or type(now) ~= "table" or recorded == json.null
    or now == json.null then
    if recorded ~= now then note(differences, where, recorded, now) end
  else
    local names = {}
    for name in pairs(recorded) do names[#names + 1] = name end
    for name in pairs(now) do
      if recorded[name] == nil then names[#names + 1] = name end
    end
    table.sort(names, function(a, b)
      if math.type(a) and math.type(b) then return a < b end
      return tostring(a) < tostring(b)
    end)
    for _, name in ipairs(names) do
      local place <const> = math.type(name) and ("%s[%d]"):format(where, name)
        or where .. "." .. tostring(name)
      compare(differences, place, recorded[name], now[name])
    end
  end
end

local function decoded(text)
  local ok, value = pcall(json.decode, text)
  if ok then return value end
  return nil
end

-- The body of a file is not in the recording, but its digest is.
local function compare_digest(differences, post, body)
  if core.sha256(body or "") == post._sha256 then return end
  note(differences, "body", ("%d bytes with the SHA-256 %s"):format(
    post._size or 0, post._sha256), ("%d bytes with the SHA-256 %s"):format(
    #(body or ""), core.sha256(body or "")))
end

local function compare_bodies(differences, post, body)
  if post and post._sha256 then return compare_digest(differences, post, body) end
  local recorded = post and post.text or ""
  if post and post._encoding == "base64" then
    recorded = core.unbase64(recorded) or recorded
  end
  body = body or ""
  if M.same_text(recorded, body) then return end
  local before <const>, now <const> = decoded(recorded), decoded(body)
  if before == nil or now == nil then return note(differences, "body", recorded, body) end
  compare(differences, "body", before, now)
end

-- bip:bash marks the end of what a command prints with a random word.
local MARK <const> = "f5lua%-%x+%-%d+:"

--- The random words of a command line, as recorded and as they are now; nil if there are none.
function M.marks(entry, request)
  local post <const> = entry.request.postData
  local recorded <const> = post and type(post.text) == "string" and post.text:match(MARK)
  local now <const> = recorded and request.body and request.body:match(MARK)
  if now then return recorded, now end
  return nil
end

--- Returns an array of texts: how the call differs from the entry; empty if it is the same.
function M.differences(entry, request)
  local differences = {}
  local recorded <const> = entry.request
  if recorded.method ~= request.method then
    note(differences, "method", recorded.method, request.method)
  end
  if not M.same_text(entry.path, request.path) then
    note(differences, "path", entry.path, request.path)
  end
  if #differences > 0 then return differences end
  local body = request.body
  local mark <const>, now <const> = M.marks(entry, request)
  if mark then body = body:gsub((now:gsub("%-", "%%-")), mark) end
  compare_bodies(differences, recorded.postData, body)
  return differences
end

return M
