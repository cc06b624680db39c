-- Access Policy Manager: sessions of users and OAuth tokens. All other URIs of APM are objects of
-- the catalogue.
--
-- On a real device sessions and tokens come from traffic. A simulated device has those of its seed:
--   apm = { sessions = { { id = "914c727f", user = "user1", client = "10.1.2.3" } },
--           tokens = { { app = "Web mail", user = "user1" } } }
local json = require "f5.json"
local digest = require "sim.digest"
local discovery = require "sim.config.discovery"
local errors = require "sim.http.errors"

local M = {}

local FILTERS <const> = { "allow-all", "block-all", "default" }

local iso <const> = require("sim.clock").utc

local function link(device, request, path)
  return ("https://localhost%s?ver=%s"):format(path, request.query.ver or device.version.version)
end

local function hex(text)
  return (digest.md5(text):gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

local function raw(device, request, kind, text)
  return {
    status = 200,
    body = {
      kind = kind,
      selfLink = link(device, request, request.path),
      apiRawValues = text and { apiAnonymous = text } or nil,
    },
  }
end

-- `options` of a tmsh show command: name and value, separated by a comma or a space, with or
-- without quotes.
local function option(request)
  local text = request.query.options
  if not text or text == "" then return nil end
  local name, value = text:match('^%s*"?([%w-]+)"?%s*[, ]%s*"?(.-)"?%s*$')
  if not name or value == "" then
    error(errors.tm(400, ("invalid query parameter: options=%s"):format(text), 1), 0)
  end
  return name, value
end

-- -- sessions --

local function sessions(device) return device.state.apm.sessions end

local OPTION_FIELDS <const> = {
  ["logon-user"] = "user", ["user-name"] = "user", ["client-ip"] = "client", ["session-id"] = "id",
}

local function access_info(device, request)
  if request.method ~= "GET" then
    return errors.tm(405, "Only GET is supported for " .. request.path, 1)
  end
  local name, value = option(request)
  local field = name and OPTION_FIELDS[name]
  if name and not field then return errors.tm(400, ("invalid option: %s"):format(name), 1) end
  local lines = {}
  for _, session in ipairs(sessions(device)) do
    if not field or session[field] == value then
      lines[#lines + 1] = ("apm::access-info\n%s (login user=%s) client %s started %s"):format(
        session.id, session.user, session.client, session.started)
    end
  end
  return raw(
    device,
    request,
    "tm:apm:access-info:access-infostats",
    #lines > 0 and table.concat(lines, "\n") .. "\n" or nil
  )
end

local function session_body(device, request, session)
  return {
    kind = "tm:apm:session:sessionstate",
    name = session.id,
    fullPath = session.id,
    generation = 1,
    selfLink = link(device, request, "/mgmt/tm/apm/session/" .. session.id),
    logonUser = session.user,
    clientIp = session.client,
    startTime = session.started,
  }
end

local function session_calls(device, request)
  local id, method = request.segments[5], request.method
  if #request.segments > 5 then return errors.not_public(request) end
  if not id then
    if method ~= "GET" then
      return errors.tm(405, "Only GET is supported for " .. request.path, 1)
    end
    local items = json.array {}
    for index, session in ipairs(sessions(device)) do
      items[index] = session_body(device, request, session)
    end
    return {
      status = 200,
      body = {
        kind = "tm:apm:session:sessioncollectionstate",
        selfLink = link(device, request, request.path),
        items = items,
      },
    }
  end
  for index, session in ipairs(sessions(device)) do
    if session.id == id then
      if method == "GET" then
        return { status = 200, body = session_body(device, request, session) }
      end
      if method ~= "DELETE" then
        return errors.tm(405, "Only GET and DELETE are supported for " .. request.path, 1)
      end
      table.remove(sessions(device), index)
      return { status = 200 }
    end
  end
  return errors.tm(404, ("01020036:3: The requested Session (%s) was not found."):format(id), 3)
end

-- -- OAuth tokens --

local function token_body(device, request, token)
  return {
    kind = "tm:apm:oauth:token-details:token-detailsstate",
    name = token.id,
    fullPath = token.id,
    generation = 1,
    selfLink = link(device, request, "/mgmt/tm/apm/oauth/token-details/" .. token.id),
    oauthId = token.id,
    clientId = token.client,
    appName = token.app,
    userName = token.user,
    dbInstance = token.db,
    status = token.status,
    issuedTime = token.issued,
    expiryTime = token.expires,
  }
end

local function revoke(device, request)
  local body = request.json or {}
  if body.command ~= "revoke" then
    return errors.tm(400, ("invalid command: %s"):format(tostring(body.command)), 1)
  end
  for _, name in ipairs { "name", "client-id" } do
    if type(body[name]) ~= "string" then
      return errors.tm(400, ("missing required property: %s"):format(name), 1)
    end
  end
  for _, token in ipairs(device.state.apm.tokens) do
    if
      token.id == body.name and token.client == body["client-id"]
      and token.db == (body["db-instance"] or token.db)
    then
      token.status = "revoked"
      return { status = 200, body = body }
    end
  end
  return errors.tm(
    404,
    ("01020036:3: The requested OAuth token (%s) was not found."):format(body.name),
    3
  )
end

local function token_details(device, request)
  local segments, method = request.segments, request.method
  if method == "POST" and #segments == 5 then return revoke(device, request) end
  if method ~= "GET" then
    return errors.tm(405, ("%s is not supported for %s"):format(method, request.path), 1)
  end
  local name, value = option(request)
  if name and name ~= "app-name" and name ~= "db-instance" then
    return errors.tm(400, ("invalid option: %s"):format(name), 1)
  end
  local items = json.array {}
  for _, token in ipairs(device.state.apm.tokens) do
    if not name or token[name == "app-name" and "app" or "db"] == value then
      items[#items + 1] = token_body(device, request, token)
    end
  end
  if segments[6] == "stats" and #segments == 6 then
    -- a revoked token stays in the database until it is purged
    local alive = 0
    for _, token in ipairs(items) do
      if token.status == "active" then alive = alive + 1 end
    end
    return raw(
      device,
      request,
      "tm:apm:oauth:token-details:token-detailscollectionstats",
      ("Total tokens : %d\n"):format(alive)
    )
  end
  if #segments > 5 then
    for _, token in ipairs(items) do
      if token.name == segments[6] and #segments == 6 then return { status = 200, body = token } end
    end
    return errors.tm(
      404,
      ("01020036:3: The requested OAuth token (%s) was not found."):format(segments[6]),
      3
    )
  end
  return {
    status = 200,
    body = {
      kind = "tm:apm:oauth:token-details:token-detailscollectionstate",
      selfLink = link(device, request, request.path),
      items = items,
    },
  }
end

-- Refuses requests while no module with access policies is provisioned.
local function guard(handler)
  return function(device, request)
    if not discovery.present(device, "apm") then return errors.not_public(request) end
    return handler(device, request)
  end
end

-- The filters of a new device. They cannot be deleted.
local function url_filters(device, request)
  local apm = device.state.apm
  if not apm.filters_made then
    apm.filters_made = true
    for _, name in ipairs(FILTERS) do
      if not device.store:get("/mgmt/tm/apm/url-filter/~Common~" .. name) then
        device.store:create(
          "/mgmt/tm/apm/url-filter",
          { name = name },
          { device = device, now = device:now() }
        )
      end
    end
  end
  local name = request.segments[5] and request.segments[5]:match("([^~/]+)$")
  for _, default in ipairs(FILTERS) do
    if request.method == "DELETE" and name == default then
      return errors.tm(
        400,
        (
          "01070734:3: Configuration error: the default URL filter (/Common/%s) cannot be deleted."
        ):format(
          name
        ),
        3
      )
    end
  end
  return device:pass(request)
end

function M.install(device)
  device.state.apm = device.state.apm or { sessions = json.array {}, tokens = json.array {} }
  device:route("/mgmt/tm/apm/access-info", guard(access_info))
  device:route("/mgmt/tm/apm/session", guard(session_calls))
  device:route("/mgmt/tm/apm/oauth/token-details", guard(token_details))
  device:route("/mgmt/tm/apm/url-filter", guard(url_filters))
  device:on_plant(function(self, seed)
    local apm = seed.apm or {}
    local started = iso(self:now())
    for index, one in ipairs(apm.sessions or {}) do
      table.insert(sessions(self), {
        id = one.id or hex("session " .. index):sub(1, 8),
        user = one.user,
        client = one.client or "10.0.0.1",
        started = one.started or started,
      })
    end
    for index, one in ipairs(apm.tokens or {}) do
      table.insert(self.state.apm.tokens, {
        id = one.id or hex("token " .. index),
        client = one.client or hex("client " .. tostring(one.app)),
        app = one.app or "app",
        user = one.user or "user",
        db = one.db or "/Common/oauthdb",
        status = "active",
        issued = started,
        expires = iso(self:now() + 3600 * 1000000),
      })
    end
  end)
end

return M
