-- Authentication: the login, tokens, basic authentication.
--
-- state.tokens = { generation = n, items = { [token] = token object } }. An expired token stays for
-- a day, because a device answers differently for an expired token and an unknown one.
local json = require "f5.json"
local digest = require "sim.digest"
local native = require "sim.native"
local clock = require "sim.clock"
local errors = require "sim.http.errors"
local providers = require "sim.auth.providers"
local users = require "sim.auth.users"

local M = {}

local LIFETIME <const> = 1200
local MAX_LIFETIME <const> = 36000
local MAX_TOKENS <const> = 100
local SECOND <const> = 1000000
local DAY <const> = 86400 * SECOND
local TOKENS <const> = "https://localhost/mgmt/shared/authz/tokens"
local BASE32 <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

-- 128 random bits in base 32: 26 characters.
local function new_name()
  local bits, count, out = 0, 0, {}
  for _, byte in ipairs { native.random(16):byte(1, 16) } do
    bits, count = bits << 8 | byte, count + 8
    while count >= 5 do
      count = count - 5
      out[#out + 1] = BASE32:sub((bits >> count & 31) + 1, (bits >> count & 31) + 1)
    end
    bits = bits & (1 << count) - 1
  end
  if count > 0 then
    out[#out + 1] = BASE32:sub((bits << 5 - count & 31) + 1, (bits << 5 - count & 31) + 1)
  end
  return table.concat(out)
end

local function unauthorized(request, message, options)
  local response = errors.rest(request, 401, message, options)
  response.headers = { ["WWW-Authenticate"] = 'Basic realm="Enterprise Manager"' }
  return response
end
M.unauthorized = unauthorized

-- The refusal of restjavad for what a user must not do at all.
function M.not_permitted(request)
  local place = "http://localhost:8100" .. request.path
  return unauthorized(
    request,
    (
      "Authorization failed: user=https://localhost/mgmt/shared/authz/users/%s resource=%s verb=%s "
      .. "uri:%s referrer:%s sender:%s"
    ):format(
      request.user and request.user.name or "", request.path, request.method, place,
      request.headers.referer or request.remote, request.remote
    )
  )
end

local function is_live(device, token)
  return token.expirationMicros > device:now()
end

local function forget_old(device)
  local items = device.state.tokens.items
  for name, token in pairs(items) do
    if device:now() - token.expirationMicros > DAY then items[name] = nil end
  end
end

--- Ends all tokens of a local user.
function M.end_tokens(device, user_name)
  local items = device.state.tokens.items
  for name, token in pairs(items) do
    local is_local = token.authProviderName == "tmos" or token.authProviderName == "local"
    if token.userName == user_name and is_local then items[name] = nil end
  end
end

local function count_live(device, user_name, provider_name)
  local count = 0
  for _, token in pairs(device.state.tokens.items) do
    if
      token.userName == user_name and token.authProviderName == provider_name
      and is_live(device, token)
    then
      count = count + 1
    end
  end
  return count
end

local function new_token(device, request, provider, name)
  local tokens = device.state.tokens
  tokens.generation = tokens.generation + 1
  local now = device:now()
  local start = (now + 999) // 1000 * 1000
  local text = new_name()
  local token = {
    token = text, name = text, userName = name, authProviderName = provider.name,
    user = { link = providers.user_link(provider, name) },
    timeout = LIFETIME,
    startTime = clock.iso(start),
    address = request.remote,
    partition = "[All]",
    generation = tokens.generation,
    lastUpdateMicros = now,
    expirationMicros = start + LIFETIME * SECOND,
    kind = "shared:authz:tokens:authtokenitemstate",
    selfLink = TOKENS .. "/" .. text,
  }
  tokens.items[text] = token
  return token
end

-- The request body that a refused login echoes. It has no password.
local function echo_of(body)
  return json.encode({
    username = body.username,
    loginProviderName = body.loginProviderName,
    loginReference = body.loginReference,
    generation = 0,
    lastUpdateMicros = 0,
  }, { sort = true, first = { "username", "loginReference", "loginProviderName" } })
end

local function login(device, request)
  if request.method ~= "POST" then
    return errors.rest(request, 405, "Method not allowed: " .. request.method)
  end
  local body = request.json
  if type(body) ~= "table" or body.username == nil or body.password == nil then
    return errors.rest(
      request, 400, "username and password are required", { request_body = body and echo_of(body) }
    )
  end
  local provider
  if body.loginReference ~= nil and body.loginReference ~= json.null then
    provider = providers.by_reference(
      device,
      type(body.loginReference) == "table" and body.loginReference.link
    )
    if not provider then
      return errors.rest(
        request, 400, "loginReference is invalid.", { request_body = echo_of(body) }
      )
    end
  else
    provider = providers.by_name(device, body.loginProviderName or "tmos")
    if not provider then
      return errors.rest(
        request, 400, "loginProviderName is invalid.", { request_body = echo_of(body) }
      )
    end
  end
  local user = providers.authenticate(device, provider, body.username, body.password)
  if not user or user.access["all-partitions"] == "no-access" then
    return unauthorized(request, "Authentication failed.", { request_body = echo_of(body) })
  end
  forget_old(device)
  if count_live(device, user.name, provider.name) >= MAX_TOKENS then
    return errors.rest(
      request,
      400,
      ("user %s has reached maximum active login tokens"):format(users.uuid(user.name))
    )
  end
  request.user = { name = user.name, provider = provider.name, access = user.access }
  return { status = 200, body = {
    username = user.name,
    loginReference = { link = providers.login_link(provider) },
    loginProviderName = provider.name,
    token = new_token(device, request, provider, user.name),
    generation = 0,
    lastUpdateMicros = 0,
  } }
end

-- The user of the token in X-F5-Auth-Token, or nil and a refusal. This header counts before all
-- other credentials, also at the login.
local function by_token(device, request, name)
  local token = device.state.tokens.items[name]
  if not token then return nil, unauthorized(request, "X-F5-Auth-Token does not exist.") end
  if not is_live(device, token) then
    return nil, unauthorized(request, "X-F5-Auth-Token has expired.")
  end
  local access = providers.access(device, token.authProviderName, token.userName)
  if not access then return nil, unauthorized(request, "X-F5-Auth-Token does not exist.") end
  return { name = token.userName, provider = token.authProviderName, access = access, token = name }
end

local function is_administrator(access)
  return access["all-partitions"] == "admin"
end

-- Whether the request changes the user's own password. This is allowed when nothing else is.
local function changes_own_password(request, name)
  local segments = request.segments
  local place = table.concat(segments, "/", 1, math.min(#segments, 4))
  return (request.method == "PATCH" or request.method == "PUT")
    and (place == "mgmt/tm/auth/user" or place == "mgmt/shared/authz/users")
    and (segments[5] == nil or segments[5] == name)
end

local function by_password(device, request, encoded)
  local plain = digest.unbase64(encoded) or ""
  local name, password = plain:match "^([^:]*):(.*)$"
  local object = users.authenticate(device, name, password)
  if not object then return nil, unauthorized(request, "Authentication failed.") end
  local access = users.access(object)
  local user = { name = name, provider = "tmos", access = access }
  if
    not is_administrator(access)
    and not (users.is_expired(device, name) and changes_own_password(request, name))
  then
    request.user = user
    return nil, M.not_permitted(request)
  end
  return user
end

-- Sets `request.user`, or refuses the request.
function M.filter(device, request)
  local is_login = request.path == "/mgmt/shared/authn/login"
  local referrer = request.headers.referer or request.remote
  local token = request.headers["x-f5-auth-token"]
  local authorization = request.headers.authorization
  local user, refusal
  if token then
    user, refusal = by_token(device, request, token)
  elseif authorization and not is_login then
    local encoded = authorization:match "^[Bb]asic%s+(%S+)"
    if encoded then
      user, refusal = by_password(device, request, encoded)
    else
      refusal = unauthorized(request, "Authentication failed.")
    end
  elseif not is_login then
    refusal = unauthorized(
      request,
      (
        "Authorization failed: no user authentication header or token detected. "
        .. "Uri:http://localhost:8100%s Referrer:%s Sender:%s"
      ):format(request.path, referrer, request.remote)
    )
  end
  if refusal then return refusal end
  request.user = user
  if
    user and not is_login and users.is_expired(device, user.name)
    and not changes_own_password(request, user.name)
  then
    return unauthorized(request, "Password expired. Update password via /mgmt/shared/authz/users.")
  end
  return nil
end

local function not_found(request)
  return errors.rest(request, 404, ("Object not found: https://localhost%s"):format(request.path))
end

-- Two providers can have users of the same name. A token belongs to one of them.
local function is_owner(user, token)
  return token.userName == user.name and token.authProviderName == user.provider
end

local function list_tokens(device, request)
  local items = json.array {}
  for _, token in pairs(device.state.tokens.items) do
    if
      is_live(device, token)
      and (is_administrator(request.user.access) or is_owner(request.user, token))
    then
      items[#items + 1] = token
    end
  end
  table.sort(items, function(a, b) return a.generation < b.generation end)
  return {
    status = 200,
    body = {
      items = items,
      generation = device.state.tokens.generation,
      kind = "shared:authz:tokens:authtokencollectionstate",
      lastUpdateMicros = device:now(),
      selfLink = TOKENS,
    },
  }
end

local function change_token(device, request, token)
  local wanted = request.json and request.json.timeout
  if type(wanted) == "string" then wanted = math.tointeger(tonumber(wanted:match "^%d+$")) end
  if not is_owner(request.user, token) then
    return errors.rest(request, 400, "The token of another user cannot be changed.")
  end
  if math.type(wanted) == nil or wanted <= 0 then
    return errors.rest(request, 400, "timeout must be a positive number")
  end
  if wanted > MAX_LIFETIME then
    return errors.rest(
      request,
      406,
      ("Auth-token absolute timeout (%d seconds) exceeded"):format(MAX_LIFETIME)
    )
  end
  local tokens = device.state.tokens
  tokens.generation = tokens.generation + 1
  local start = token.expirationMicros - token.timeout * SECOND
  token.timeout = math.floor(wanted)
  token.expirationMicros = start + token.timeout * SECOND
  token.lastUpdateMicros = device:now()
  token.generation = tokens.generation
  return { status = 200, body = token }
end

-- An administrator makes a token for the user whose reference is in the body.
local function create_token(device, request)
  if not is_administrator(request.user.access) then return M.not_permitted(request) end
  local body = request.json or {}
  local reference = type(body.user) == "table" and body.user.link
  if type(reference) ~= "string" then
    return errors.rest(request, 400, "user must be a reference to a user")
  end
  local provider = providers.by_name(device, "tmos")
  local owner = request.user.name
  for _, object in ipairs(users.objects(device)) do
    if
      providers.user_link(provider, object.name) == reference
      or reference:match "/users/([^/]+)$" == object.name
    then
      owner = object.name
    end
  end
  local token = new_token(device, request, provider, owner)
  if type(body.token) == "string" and body.token:find "^%w+$" then
    local items = device.state.tokens.items
    items[token.token] = nil
    token.token, token.name, token.selfLink = body.token, body.token, TOKENS .. "/" .. body.token
    items[body.token] = token
  end
  return { status = 200, body = token }
end

local function handle_tokens(device, request)
  local name = request.segments[5]
  local method = request.method
  if not name then
    if method == "GET" or method == "HEAD" then return list_tokens(device, request) end
    if method == "POST" then return create_token(device, request) end
    return errors.rest(request, 405, "Method not allowed: " .. method)
  end
  local items = device.state.tokens.items
  local token = items[name]
  if not token or not is_live(device, token) then return not_found(request) end
  if method == "PATCH" then return change_token(device, request, token) end
  if not is_owner(request.user, token) and not is_administrator(request.user.access) then
    return M.not_permitted(request)
  end
  if method == "GET" or method == "HEAD" then return { status = 200, body = token } end
  if method ~= "DELETE" then return errors.rest(request, 405, "Method not allowed: " .. method) end
  items[name] = nil
  return { status = 200, body = token }
end

function M.install(device)
  device.state.tokens = device.state.tokens or { generation = 0, items = {} }
  device:route("/mgmt/shared/authn/login", login)
  device:route("/mgmt/shared/authz/tokens", handle_tokens)
end

return M
