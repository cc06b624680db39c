-- An entry of a HAR file, as a line of JSON, made from an exchange of core.exchanges_take. It is
-- written as text at once: tables for an encoder would take three times as long.

local core = require "f5.core"
local json = require "f5.json"
local segment = require "f5.state.segment"

local MASK <const> = core.MASK

-- JSON has only Unicode. Other bytes, which no device is known to send in a header, are shown.
local function quoted(text)
  return json.encode(utf8.len(text) and text or core.printable(text, "line"))
end

-- -- headers --------------------------------------------------------------------------------------

local KEPT <const> = 2000 -- lines
local lines, count = {}, 0

-- Most header lines come again and again: each is encoded once.
local function header(line)
  local known = lines[line]
  if known ~= nil then return known end
  local name, value = line:match "^([^:%s]+):%s*(.-)%s*$"
  if name and name:lower():find "cookie$" then value = MASK end
  known = name and ('{"name":%s,"value":%s}'):format(quoted(name), quoted(value)) or false
  if count >= KEPT then lines, count = {}, 0 end
  lines[line], count = known, count + 1
  return known
end

local function headers_of(text)
  local list = {}
  for line in text:gmatch "[^\r\n]+" do
    local found = header(line)
    if found then list[#list + 1] = found end
  end
  return table.concat(list, ",")
end

local function value_of(headers, name)
  return ("\n" .. headers):match("\n" .. name .. ": *([^\r\n]*)") or ""
end

-- -- the parts ------------------------------------------------------------------------------------

local function decoded(text) return segment.decoded((text:gsub("+", " "))) end

local function query_of(path)
  local query = path:match "%?(.*)$"
  if not query then return "" end
  local list = {}
  for pair in query:gmatch "[^&]+" do
    local name, value = pair:match "^(.-)=(.*)$"
    list[#list + 1] = ('{"name":%s,"value":%s}'):format(
      quoted(decoded(name or pair)), quoted(decoded(value or "")))
  end
  return table.concat(list, ",")
end

local last_second, last_text

-- "2026-11-28T14:34:38.123456Z"
local function stamp(us)
  local second = us // 1000000
  if second ~= last_second then
    last_second, last_text = second, os.date("!%Y-%m-%dT%H:%M:%S", second)
  end
  return ("%s.%06dZ"):format(last_text, us % 1000000)
end

local function is_text(body) return utf8.len(body) ~= nil and not body:find("\0", 1, true) end

-- What stands for a body that is not in the file.
local function absent(side)
  local digest <const> = side.digest and ',"_sha256":"' .. side.digest .. '"' or ""
  return (',"_size":%d%s,"comment":"a body of %d bytes is not recorded"'):format(
    side.size, digest, side.size)
end

local function post_data(side)
  if side.size == 0 then return "" end
  local mime <const> = quoted(value_of(side.headers, "Content%-Type"))
  local text
  if not side.body then
    text = '""' .. absent(side)
  elseif is_text(side.body) then
    text = quoted(side.body)
  else
    text = '"' .. core.base64(side.body) .. '","_encoding":"base64"'
  end
  return (',"postData":{"mimeType":%s,"text":'):format(mime) .. text .. "}"
end

local function content(side)
  local start <const> = ('{"size":%d,"mimeType":%s'):format(
    side.size, quoted(value_of(side.headers, "Content%-Type")))
  if not side.body then return start .. (side.size > 0 and absent(side) or "") .. "}" end
  if is_text(side.body) then return start .. ',"text":' .. quoted(side.body) .. "}" end
  return start .. ',"text":"' .. core.base64(side.body) .. '","encoding":"base64"}'
end

local function ms(us) return us and ("%.3f"):format(us / 1000) or "-1" end

-- HAR's connect contains ssl. libcurl does not say when the request was sent: `wait` contains that.
local function timings(e)
  local connect <const> = e.connect and e.connect + (e.ssl or 0)
  local sum <const> = e.queued + (e.dns or 0) + (connect or 0) + e.wait + e.receive
  return ms(sum), (
    '{"blocked":%s,"dns":%s,"connect":%s,"ssl":%s,"send":0,"wait":%s,"receive":%s}'
  ):format(ms(e.queued), ms(e.dns), ms(connect), ms(e.ssl), ms(e.wait), ms(e.receive))
end

local function comment(e)
  local words = { e.device }
  words[#words + 1] = e.line
  if e.attempt > 1 then words[#words + 1] = "attempt " .. e.attempt end
  words[#words + 1] = e.failure
  if e.retry then words[#words + 1] = ("tried again after %.3f s"):format(e.pause / 1000000) end
  return table.concat(words, ", ")
end

-- What HAR does not have a place for.
local function own(e)
  local list = { '"_device":' .. quoted(e.device), '"_attempt":' .. e.attempt }
  for _, name in ipairs { "line", "failure", "message", "retry", "transport" } do
    if e[name] then list[#list + 1] = ('"_%s":%s'):format(name, quoted(e[name])) end
  end
  if e.transport and e.arrived then list[#list + 1] = '"_sent":true' end
  if e.pause then list[#list + 1] = '"_pause":' .. ms(e.pause) end
  if e.internal then list[#list + 1] = '"_internal":true' end
  return table.concat(list, ",")
end

local function request(e)
  local side <const> = e.request
  return table.concat {
    '{"method":', quoted(e.method), ',"url":', quoted("https://" .. e.where .. e.path),
    ',"httpVersion":"HTTP/1.1","cookies":[],"headers":[', headers_of(side.headers),
    '],"queryString":[', query_of(e.path), "]", post_data(side),
    (',"headersSize":-1,"bodySize":%d}'):format(side.size),
  }
end

local function response(e)
  local side <const>, has_answer <const> = e.response, e.status > 0
  local version <const>, words <const> = side.headers:match "^(HTTP/[%d.]+) %d+ ?([^\r\n]*)"
  return table.concat {
    ('{"status":%d,"statusText":'):format(e.status), quoted(words or ""),
    ',"httpVersion":', quoted(version or ""), ',"cookies":[],"headers":[',
    headers_of(side.headers), '],"content":', content(side), ',"redirectURL":',
    quoted(value_of(side.headers, "Location")), (',"headersSize":%d,"bodySize":%d'):format(
      has_answer and #side.headers or -1, has_answer and side.size or -1),
    not has_answer and e.message and ',"_error":' .. quoted(e.message) or "", "}",
  }
end

--- Returns the entry as JSON without a line break.
return function(e)
  local total <const>, times <const> = timings(e)
  return table.concat {
    '{"startedDateTime":"', stamp(e.started - e.queued), '","time":', total,
    ',"comment":', quoted(comment(e)), ",", own(e), ',"request":', request(e),
    ',"response":', response(e), ',"cache":{},"timings":', times, "}",
  }
end
