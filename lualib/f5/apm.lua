-- Access Policy Manager: sessions and OAuth tokens as tables.
--
--   local apm = f5.apm(bip)
--   for _, session in ipairs(apm:sessions { user = "user1" }) do apm:end_session(session) end
--   print(apm:token_count "Web mail")
local core = require "f5.core"
local receiver = require "f5.receiver"

local M = {}

local Apm <const> = {}
Apm.__index = Apm

local function usage(format, ...) core.usage_error(string.format(format, ...)) end

local function check(call, options, known)
  if options ~= nil and type(options) ~= "table" then
    usage("%s: expected a table of options, got a %s", call, type(options))
  end
  for name in pairs(options or {}) do
    if not known[name] then usage("%s: unknown option '%s'", call, tostring(name)) end
  end
end

-- The text of a tmsh command. Some endpoints send it instead of values.
local function raw_text(body)
  local raw = body.apiRawValues
  return raw and raw.apiAnonymous or ""
end

--- Lists the sessions: { id, user, client }.
-- @param options table|nil: user, client (IP address) or id; only one of them
function Apm:sessions(options)
  check("sessions", options, { user = true, client = true, id = true })
  options = options or {}
  local names = { user = "logon-user", client = "client-ip", id = "session-id" }
  local query
  for name, value in next, options do
    if query then usage("sessions: give only one of user, client and id") end
    query = { options = ("%s,%s"):format(names[name], value) }
  end
  local text = raw_text(self.session:at("apm/access-info"):load(query))
  local list = {}
  for id, user, client in text:gmatch("(%x+) %(login user=([^)]*)%) client (%S+)") do
    list[#list + 1] = { id = id, user = user, client = client }
  end
  return list
end

--- Ends a session (its id, or one of sessions()). The user must log in again.
function Apm:end_session(session)
  local id = type(session) == "table" and session.id or session
  if type(id) ~= "string" then
    usage("end_session: expected the id of a session, got a %s", type(id))
  end
  self.session:at("apm/session", id):delete()
end

--- Ends all sessions of a user or a client and returns them. A session that is already gone is not
-- an error.
function Apm:end_sessions(options)
  if type(options) ~= "table" or not (options.user or options.client) then
    usage("end_sessions: give a user or a client")
  end
  local ended = {}
  for _, session in ipairs(self:sessions(options)) do
    local ok, err = pcall(self.end_session, self, session)
    if ok then ended[#ended + 1] = session
    elseif type(err) ~= "table" or err.kind ~= "not_found" then error(err, 0) end
  end
  return ended
end

local function app_option(app)
  if app == nil then return nil end
  if type(app) ~= "string" or app:find('"', 1, true) then
    usage("expected the name of an application without quotation marks")
  end
  return { options = ('"app-name","%s"'):format(app) }
end

--- Lists the OAuth tokens, of one application if it is named.
function Apm:tokens(app) return self.session:at("apm/oauth/token-details"):list(app_option(app)) end

--- Counts the valid tokens.
function Apm:token_count(app)
  local text =
    raw_text(self.session:at("apm/oauth/token-details/stats"):load(app_option(app)))
  return math.tointeger(tonumber(text:match("Total tokens%s*:%s*(%d+)")))
end

--- Revokes a token: one of tokens(), or { oauthId =, clientId =, dbInstance = }.
function Apm:revoke(token)
  if type(token) ~= "table" or not token.oauthId or not token.clientId then
    usage("revoke: expected a token, one of tokens()")
  end
  self.session:at("apm/oauth/token-details"):run("revoke", {
    name = token.oauthId, ["client-id"] = token.clientId, ["db-instance"] = token.dbInstance,
  })
end

receiver.guard(Apm, "f5.apm(session)")

return setmetatable(M, {
  __call = function(_, session)
    if type(session) ~= "userdata" then usage("f5.apm: expected a session: f5.apm(bip)") end
    return setmetatable({ session = session }, Apm)
  end,
})
