-- Authentication providers: tmos (the device's own users), and external servers such as RADIUS,
-- which the owner of the device configures.
--
-- options.providers = { { name = "RadiusServer", type = "radius", users = { { name, password, role
-- } } } }
local users = require "sim.auth.users"

local M = {}

local BASE <const> = "https://localhost/mgmt/cm/system/authn/providers/"

local function provider_link(provider)
  if provider.name == "local" then return BASE .. "local" end
  return BASE .. provider.type .. "/" .. users.uuid(provider.name)
end

function M.login_link(provider)
  return provider_link(provider) .. "/login"
end

function M.link(provider)
  return provider_link(provider)
end

function M.user_link(provider, name)
  if provider.name == "local" then return "https://localhost/mgmt/shared/authz/users/" .. name end
  return provider_link(provider) .. "/users/" .. users.uuid(name)
end

-- All providers; the device's own is the first.
function M.all(device)
  return device.state.providers
end

function M.by_name(device, name)
  for _, provider in ipairs(device.state.providers) do
    if provider.name == name then return provider end
  end
  return nil
end

-- The path of a link. Only paths are compared, because clients write the name of the device where
-- the device writes localhost.
local function path_of(link)
  return type(link) == "string" and (link:match "^%a+://[^/]*(/.*)$" or link)
end

function M.by_reference(device, link)
  local wanted = path_of(link)
  for _, provider in ipairs(device.state.providers) do
    if path_of(M.login_link(provider)) == wanted then return provider end
  end
  return nil
end

-- { name, access = { [partition] = role } } if user and password are right, else nil.
function M.authenticate(device, provider, name, password)
  if not provider.users then
    local object = users.authenticate(device, name, password)
    return object and { name = name, access = users.access(object) }
  end
  for _, user in ipairs(provider.users) do
    if user.name == name and user.password == password then
      return {
        name = name,
        access = { [user.partition or "all-partitions"] = user.role or "guest" },
      }
    end
  end
  return nil
end

-- The current access of a user of a provider; nil if the user no longer exists.
function M.access(device, provider_name, name)
  local provider = M.by_name(device, provider_name)
  if provider and provider.users then
    for _, user in ipairs(provider.users) do
      if user.name == name then
        return { [user.partition or "all-partitions"] = user.role or "guest" }
      end
    end
    return nil
  end
  local object = users.object(device, name)
  return object and users.access(object)
end

local function kind_of(provider_type)
  return ("cm:system:authn:providers:%s:authprovider"):format(provider_type)
end

local function item(provider)
  return {
    name = provider.name, type = provider.type, id = users.uuid(provider.name),
    link = M.link(provider), loginReference = { link = M.login_link(provider) },
    usersReference = { link = M.link(provider) .. "/users", isSubcollection = true },
    generation = 1,
    lastUpdateMicros = 0,
    kind = kind_of(provider.type) .. "state",
    selfLink = M.link(provider),
  }
end

local function handle(device, request)
  local path = "https://localhost" .. request.path
  local items = require "f5.json".array {}
  for _, provider in ipairs(device.state.providers) do
    local link = M.link(provider)
    if link == path then return { status = 200, body = item(provider) } end
    if link:sub(1, #path + 1) == path .. "/" then items[#items + 1] = item(provider) end
    if path == link .. "/users" then
      for _, user in ipairs(provider.users or users.objects(device)) do
        items[#items + 1] = { name = user.name, selfLink = M.user_link(provider, user.name) }
      end
      break
    end
  end
  return {
    status = 200,
    body = {
      items = items,
      kind = kind_of(request.segments[6] or "provider") .. "collectionstate",
      selfLink = path,
      generation = 1,
      lastUpdateMicros = 0,
    },
  }
end

function M.install(device)
  local state = device.state
  if not state.providers then
    state.providers = { { name = "tmos", type = "tmos" }, { name = "local", type = "local" } }
    for _, provider in ipairs(device.options.providers or {}) do
      provider.type = provider.type or "radius"
      provider.users = provider.users or {}
      table.insert(state.providers, provider)
    end
  end
  device:route("/mgmt/cm/system/authn/providers", handle)
end

return M
