-- Long responses. They are encoded part by part, because all parts at once take much memory, and
-- others would wait for it.
local json = require "f5.json"
local native = require "sim.native"
local style = require "sim.http.style"
local turns = require "sim.turns"

local M = {}

-- So few parts are encoded with the rest of the body.
local FEW <const> = 100
-- After so many parts Lua may collect what they left: a step that stands for these KB.
local OFTEN <const>, STEP <const> = 50, 256

--- Whether a response with so many parts is put together from pieces: no later step needs its body.
function M.are_wanted(device, request, count)
  return count > FEW and request.ticket and not request.query.ver and #device.faults == 0
    and not request.fault and not device.contrary
end

-- `text(i)`: the i-th part as JSON; the empty text if there is nothing to say. Nil if a part has
-- bytes that JSON cannot hold.
local function response(body, name, open, close, count, text)
  local pieces = native.pieces()
  local is_first = true
  for i = 1, count do
    local ok, part = pcall(text, i)
    if not ok then
      if type(part) == "table" then error(part, 0) end
      return nil
    end
    if part ~= "" then
      if not is_first then pieces:add "," end
      pieces:add(part)
      is_first = false
    end
    if i % OFTEN == 0 then collectgarbage("step", STEP) end
  end
  if is_first then return nil end
  pieces:add(close .. "}")
  return {
    status = 200, more = pieces,
    body = ('%s,"%s":%s'):format(json.encode(body, style.OBJECT):sub(1, -2), name, open),
  }
end

--- The response with a whole list. `shown(i)`: its i-th item. Nil if it is encoded at once.
function M.list(device, request, body, count, shown)
  if not M.are_wanted(device, request, count) then return nil end
  return response(body, "items", "[", "]", count, function(i)
    return json.encode(shown(i), style.OBJECT)
  end)
end

--- The response with statistics. `shown(i)`: a table with the entries of the i-th object. Nil if it
--- is encoded at once.
function M.entries(device, request, body, count, shown)
  if not M.are_wanted(device, request, count) then return nil end
  return response(body, "entries", "{", "}", count, function(i)
    turns.pause()
    local entries = shown(i)
    return next(entries) and json.encode(entries, style.OBJECT):sub(2, -2) or ""
  end)
end

return M
