-- The accounts of the device as restjavad sees them: /mgmt/shared/authz/users and roles, and the
-- password of root. The objects are those of sim/auth/users.lua.
local json = require "f5.json"
local answer = require "sim.http.answer"
local auth = require "sim.auth.login"
local errors = require "sim.http.errors"
local rights = require "sim.auth.rights"
local users = require "sim.auth.users"

local M = {}

local link <const>, ok <const>, read_only <const> = answer.link, answer.ok, answer.read_only

local function user_item(object)
  return {
    name = object.name,
    displayName = object.description or object.name,
    encryptedPassword = object.encryptedPassword,
    shell = object.shell or "none",
    generation = object.generation,
    lastUpdateMicros = 0,
    kind = "shared:authz:users:usersworkerstate",
    selfLink = link("/mgmt/shared/authz/users/" .. object.name),
  }
end

local function create_user(device, request)
  local body = request.json or {}
  if type(body.name) ~= "string" or type(body.password) ~= "string" then
    return errors.rest(request, 400, "name and password are required")
  end
  if users.object(device, body.name) then
    return errors.rest(request, 409, ("The user %s exists already."):format(body.name))
  end
  users.check_policy(device, body.name, body.password)
  users.add(
    device,
    { name = body.name, password = body.password, role = "guest", description = body.displayName }
  )
  return ok(user_item(users.object(device, body.name)))
end

local function authz_users(device, request)
  local name = request.segments[5]
  local is_admin = request.user.access["all-partitions"] == "admin"
  if not name then
    if not is_admin then return auth.not_permitted(request) end
    if request.method == "POST" then return create_user(device, request) end
    read_only(request)
    local items = json.array {}
    for i, object in ipairs(users.objects(device)) do
      items[i] = user_item(object)
    end
    return ok {
      items = items, generation = 1, lastUpdateMicros = 0,
      kind = "shared:authz:users:userscollectionstate", selfLink = link(request.path),
    }
  end
  if not is_admin and not rights.is_self(request.user, name) then
    return auth.not_permitted(request)
  end
  local object = users.object(device, name)
  if not object then
    return errors.rest(request, 404, "Object not found: " .. link(request.path))
  end
  if request.method == "PATCH" or request.method == "PUT" then
    local body = request.json or {}
    if
      body.oldPassword ~= nil and not users.matches(object.encryptedPassword, body.oldPassword)
    then
      return errors.rest(request, 400, "Old password is incorrect.")
    end
    if body.password ~= nil then users.set_password(device, name, body.password) end
    return ok(user_item(users.object(device, name)))
  end
  if request.method == "DELETE" then
    if not is_admin then return auth.not_permitted(request) end
    if name == "admin" then
      return errors.rest(request, 400, "The user admin cannot be deleted.")
    end
    device.store:put("/mgmt/tm/auth/user/" .. name, nil)
    return ok(user_item(object))
  end
  read_only(request)
  return ok(user_item(object))
end

-- The password of root. It is for the console only: root cannot log in over REST.
local function authn_root(device, request)
  if request.user.access["all-partitions"] ~= "admin" then return auth.not_permitted(request) end
  local body = request.json or {}
  if request.method ~= "POST" then
    return errors.rest(request, 405, "Method not allowed: " .. request.method)
  end
  local known = device.state.root_password
  if type(body.newPassword) ~= "string" or type(body.oldPassword) ~= "string" then
    return errors.rest(request, 400, "oldPassword and newPassword are required")
  end
  if not users.matches(known, body.oldPassword) then
    return errors.rest(request, 400, "Old password is incorrect.")
  end
  device.state.root_password = users.encrypt(body.newPassword)
  return ok {
    generation = 0, lastUpdateMicros = 0, kind = "shared:authn:authrootitemstate",
    selfLink = link(request.path),
  }
end

local function authz_roles(device, request)
  read_only(request)
  if request.user.access["all-partitions"] ~= "admin" then return auth.not_permitted(request) end
  local references = json.array {}
  for _, object in ipairs(users.objects(device)) do
    references[#references + 1] = { link = link("/mgmt/shared/authz/users/" .. object.name) }
  end
  local role = {
    name = "iControl_REST_API_User",
    displayName = "iControl_REST_API_User",
    userReferences = references,
    resources = json.array { { resourceMask = "/mgmt/**", restMethod = "GET" } },
    kind = "shared:authz:roles:rolesworkerstate", generation = 1, lastUpdateMicros = 0,
    selfLink = link "/mgmt/shared/authz/roles/iControl_REST_API_User",
  }
  local name = request.segments[5]
  if name == role.name then return ok(role) end
  if name then return errors.rest(request, 404, "Object not found: " .. link(request.path)) end
  return ok { items = json.array { role }, generation = 1, lastUpdateMicros = 0,
    kind = "shared:authz:roles:rolescollectionstate", selfLink = link(request.path) }
end

function M.install(device)
  device.state.root_password = device.state.root_password or users.encrypt "default"
  device:route("/mgmt/shared/authz/users", authz_users)
  device:route("/mgmt/shared/authz/roles", authz_roles)
  device:route("/mgmt/shared/authn/root", authn_root)
end

return M
