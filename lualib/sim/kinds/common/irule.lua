-- Errors that a device finds in the text of an iRule: braces that do not match, and unknown events.
local texts = require "sim.text"
local validate = require "sim.config.validate"

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

-- -- what a rule names --

-- The words of a command that begins at a place of a text without comments: up to the end of the
-- line, a semicolon, or a bracket that closes what is around it. Second: the text of the command.
local function words_of(plain, place)
  local words, at = {}, place
  while true do
    at = plain:match("^[ \t]*()", at)
    local from, to = plain:find("^%b{}", at)
    if not from then from, to = plain:find("^%b[]", at) end
    if not from then from, to = plain:find('^"[^"\n]*"', at) end
    if not from then from, to = plain:find("^[^%s;{}%[%]]+", at) end
    if not from then break end
    words[#words + 1] = plain:sub(from, to)
    at = to + 1
  end
  return words, texts.trim_end(plain:sub(place, at - 1))
end

-- A name that is written as such: no variable, no command.
local function literal(word)
  local name = word and (word:match '^"(.*)"$' or word:match "^{(.*)}$" or word)
  return name and name:find "^[%w_./~:%-]+$" and name or nil
end

local function first_argument(words) return literal(words[2]) end

-- The word after another one, such as the pool in "clone pool NAME" or "-pool NAME".
local function word_after(mark)
  return function(words)
    for i = 2, #words - 1 do
      if words[i] == mark then return literal(words[i + 1]) end
    end
    return nil
  end
end

-- The last argument that is no option: "members -list NAME".
local function after_options(words)
  local at = 2
  while words[at] and words[at]:find "^%-" do at = at + 1 end
  return literal(words[at])
end

-- "nexthop VLAN", "nexthop VLAN ADDRESS", but not "nexthop ADDRESS".
local function vlan_name(words)
  local name = literal(words[2])
  if not name or validate.is_address(name) then return nil end
  return name
end

-- "call RULE::PROCEDURE"; without "::" it is in the rule itself.
local function rule_name(words)
  local name = literal(words[2])
  return name and name:match "^(.+)::[^:]+$"
end

local function after_get(words) return words[2] == "get" and literal(words[3]) or nil end

-- "class match -value -- ITEM OPERATOR CLASS": the name is the last word.
local ONLY_A_CLASS <const> = { size = true, type = true, startsearch = true }

local function class_name(words)
  local verb = words[2]
  if ONLY_A_CLASS[verb] then return literal(words[3]) end
  if verb ~= "match" and verb ~= "search" and verb ~= "lookup" then return nil end
  local at = 3
  while words[at] and words[at]:find "^%-" do
    at = at + 1
    if words[at - 1] == "--" then break end
  end
  if verb == "lookup" then return #words == at + 1 and literal(words[at + 1]) or nil end
  if verb == "search" then return literal(words[at]) end
  return #words == at + 2 and literal(words[at + 2]) or nil
end

-- Command -> the kinds of what it names, the word for it in messages, and where the name is.
local POOL <const>, CLASS <const> =
  { "ltm/pool" }, { "ltm/data-group/internal", "ltm/data-group/external" }
local NAMING <const> = {
  pool = { { POOL, "pool", first_argument } },
  clone = { { POOL, "pool", word_after "pool" } },
  members = { { POOL, "pool", after_options } },
  active_members = { { POOL, "pool", after_options } },
  ["LB::reselect"] = { { POOL, "pool", word_after "pool" } },
  ["LB::status"] = { { POOL, "pool", word_after "pool" } },
  ["HSL::open"] = {
    { POOL, "pool", word_after "-pool" },
    { { "sys/log-config/publisher" }, "log_publisher", word_after "-publisher" },
  },
  snatpool = { { { "ltm/snatpool" }, "snat_pool", first_argument } },
  virtual = { { { "ltm/virtual" }, "virtual_server", first_argument } },
  nexthop = { { { "net/vlan", "net/tunnels/tunnel", "net/vlan-group" }, "vlan", vlan_name } },
  rateclass = { { { "net/rate-shaping/class" }, "rate_class", first_argument } },
  ifile = { { { "ltm/ifile" }, "ifile", after_get } },
  call = { { { "ltm/rule" }, "rule", rule_name } },
  ["SSL::profile"] = {
    { { "ltm/profile/client-ssl", "ltm/profile/server-ssl" }, "profile", first_argument },
  },
  class = { { CLASS, "value_list", class_name } },
  matchclass = { { CLASS, "value_list", function(words) return literal(words[4]) end } },
}

--- The kinds of what rules can name: a list of lists.
M.KINDS = {}
do
  local known = {}
  for _, list in pairs(NAMING) do
    for _, naming in ipairs(list) do
      if not known[naming[1][1]] then
        known[naming[1][1]] = true
        M.KINDS[#M.KINDS + 1] = naming[1]
      end
    end
  end
  table.sort(M.KINDS, function(a, b) return a[1] < b[1] end)
end

-- Words after `virtual` that ask for something.
local ASKS <const> = { name = true, addr = true, port = true }

local by_text <const> = setmetatable({}, { __mode = "v" })

--- What the text of an iRule names: { { name =, kinds =, word =, line =, text = }, … }. Names in
--- variables are unknown, also to a device.
function M.names(text)
  if type(text) ~= "string" then return {} end -- a state that somebody wrote
  local known = by_text[text]
  if known then return known end
  local plain = plain_text(text)
  local list = {}
  local line, counted = 1, 1 -- the number of the line at the place up to which they were counted
  for place, command in plain:gmatch "()%f[%w_:](%a[%w_:]*)%f[%s]" do
    local namings = NAMING[command]
    local before = namings
      and plain:sub(math.max(1, place - 40), place - 1):match "([^ \t]?)[ \t]*$"
    if namings and (before == "" or before:find "[{;%[\n]") then
      local words, whole = words_of(plain, place)
      line = line + select(2, text:sub(counted, place - 1):gsub("\n", ""))
      counted = place
      for _, naming in ipairs(namings) do
        local name = naming[3](words)
        if name and not (command == "virtual" and ASKS[name]) then
          list[#list + 1] = {
            name = name, kinds = naming[1], word = naming[2], line = line, text = whole,
          }
        end
      end
    end
  end
  by_text[text] = list
  return list
end

return M
