-- Errors that a device finds in the text of an iRule: braces that do not match, and unknown events.
local M = {}

-- Events of 17.1 by the part before their first "_". `true`: the list is incomplete, and any event
-- is accepted.
local EVENTS <const> = {
  RULE = "INIT",
  NAME = "RESOLVED",
  PERSIST = "DOWN",
  STREAM = "MATCHED",
  USER = "REQUEST RESPONSE",
  FLOW = "INIT",
  SA = "PICKED",
  CLIENT = "ACCEPTED CLOSED DATA",
  SERVER = "CLOSED CONNECTED DATA INIT",
  LB = "FAILED QUEUED SELECTED",
  HTTP = "CLASS_FAILED CLASS_SELECTED DISABLED PROXY_CONNECT PROXY_REQUEST PROXY_RESPONSE REJECT "
    .. "REQUEST REQUEST_DATA REQUEST_RELEASE REQUEST_SEND RESPONSE RESPONSE_CONTINUE "
    .. "RESPONSE_DATA RESPONSE_RELEASE",
  CLIENTSSL = "CLIENTCERT CLIENTHELLO DATA HANDSHAKE PASSTHROUGH SERVERHELLO_SEND",
  SERVERSSL = "CLIENTHELLO_SEND DATA HANDSHAKE SERVERCERT SERVERHELLO",
  DNS = "REQUEST RESPONSE",
  CACHE = "REQUEST RESPONSE UPDATE",
  AUTH = "ERROR FAILURE RESULT SUCCESS WANTCREDENTIAL",
  SIP = "REQUEST REQUEST_DONE REQUEST_SEND RESPONSE RESPONSE_DONE RESPONSE_SEND",
}
for family in ([[
  ACCESS ACCESS2 ADAPT ANTIFRAUD ASM AVR BOTDEFENSE CATEGORY CLASSIFICATION CONNECTOR DIAMETER
  DOSL7 ECA EPI FIX GENERICMESSAGE GTP HTML HTTP2 ICAP IN IVS JSON L7CHECK MCP MQTT MR PCP PEM PING
  PROTOCOL QOE RADIUS REWRITE RTSP SOCKS SSE TAP TDS VDI WS XML
]]):gmatch "%S+" do
  EVENTS[family] = true
end

local function is_event(name)
  local family, rest = name:match "^([%u%d]+)_([%u%d_]+)$"
  local known = EVENTS[family]
  return known == true
    or known ~= nil and (" " .. known .. " "):find(" " .. rest .. " ", 1, true) ~= nil
end

-- Commands that are allowed at the top level.
local COMMANDS <const> = {
  when = true,
  proc = true,
  timing = true,
  priority = true,
  nodelete = true,
  nowrite = true,
  ["definition-signature"] = true,
  rule = true,
}

-- The number and the text of the line that a place of the text is in.
local function line_of(text, place)
  local _, breaks = text:sub(1, place - 1):gsub("\n", "")
  local from = text:sub(1, place - 1):match ".*\n()" or 1
  return breaks + 1, text:match("^[^\n]*", from)
end

-- The text without comments and escaped characters, with the same length.
local function plain_text(text)
  local function blank(found) return (" "):rep(#found) end
  return (("\n" .. text:gsub("\\.", blank)):gsub("\n[^%S\n]*#[^\n]*", function(found)
    return found:gsub("[^\n]", " ")
  end):sub(2))
end

-- The place of the brace that has no other, and which one it is.
local function lonely_brace(plain)
  local open = {}
  for place, brace in plain:gmatch "()([{}])" do
    if brace == "{" then
      open[#open + 1] = place
    elseif #open == 0 then
      return place, brace
    else
      open[#open] = nil
    end
  end
  return open[1], "{"
end

--- The error in the text of an iRule, as the device reports it after the rule's name ("1: error:
--- […][…]"); nil if there is none.
function M.mistake(text)
  local plain = plain_text(text)
  local function at(place, what)
    local number, line = line_of(text, place)
    return ("%d: error: [%s][%s]"):format(number, what, line)
  end
  local lonely, brace = lonely_brace(plain)
  if lonely and brace == "{" then
    return at(lonely, ("parse error: PARSE syntax %d {missing close-brace}"):format(lonely - 1))
  end
  if lonely then return at(lonely, "undefined procedure: }") end
  -- Commands begin with a word outside of braces.
  local outside = plain:gsub(
    "%b{}",
    function(inner) return "{" .. inner:sub(2, -2):gsub("[^\n]", "\1") .. "}" end
  )
  local first, command = outside:match "^%s*()([^%s{]+)"
  if command and not COMMANDS[command] then return at(first, "undefined procedure: " .. command) end
  for place, event, after in outside:gmatch "%f[^%s}\0]()when%s+([^%s{}]+)()" do
    if not is_event(event) then return at(place, ("unknown event (%s)"):format(event)) end
    if not outside:find("^[^\n{]*{", after) then
      return at(place, 'missing a script after "when"')
    end
  end
  return nil
end

return M
