-- restjavad's own workers below /mgmt/shared: echo, who this device is, users and roles, device
-- groups.
local json = require "f5.json"
local auth = require "sim.auth.login"
local errors = require "sim.http.errors"
local rights = require "sim.auth.rights"
local users = require "sim.auth.users"

local M = {}

local function link(path)
  return "https://localhost" .. path
end

local function ok(body)
  return { status = 200, body = body }
end

local function read_only(request)
  if request.method == "GET" or request.method == "HEAD" then return end
  error(errors.rest(request, 405, "Method not allowed: " .. request.method))
end

local function echo(_, request)
  if request.json then return ok(request.json) end
  return ok { stage = "STARTED", kind = "shared:echo:echostate", selfLink = link(request.path) }
end

-- What a device says of itself, in device-info and in device groups.
local function identity(device)
  local version <const> = device.version
  return {
    uuid = device.machine_id,
    machineId = device.machine_id,
    hostname = device.hostname,
    address = device.address,
    managementAddress = device.address,
    mcpDeviceName = "/Common/" .. device.hostname,
    product = version.product,
    version = version.version,
    build = version.build,
    edition = version.edition,
    restFrameworkVersion = version.rest_framework,
    slots = json.array {
      {
        volume = "HD1.1", product = version.product, version = version.version,
        build = version.build, isActive = true,
      },
    },
  }
end

local function device_info(device, request)
  read_only(request)
  local body <const> = identity(device)
  body.uuid = nil
  body.platform, body.platformMarketingName = device.version.platform, device.version.platform_name
  body.baseMac, body.cpu, body.physicalMemory = "00:50:56:8f:2a:10", "Virtual CPU", 8192
  body.isIControlRestSupported, body.icrdPort = true, 8110
  body.kind, body.selfLink = "shared:resolver:device-groups:deviceinfostate", link(request.path)
  body.generation, body.lastUpdateMicros = 0, 0
  return ok(body)
end

local GROUPS <const> = {
  "cm-shared-all-big-ips", "cm-bigip-allBigIpDevices", "dns-proxy-devices", "tm-shared-all-big-ips",
}

local function group_item(name)
  return {
    groupName = name,
    autoManageLocalhost = true,
    infrastructure = true,
    default = false,
    devicesReference = {
      link = link("/mgmt/shared/resolver/device-groups/" .. name .. "/devices"),
      isSubcollection = true,
    },
    kind = "shared:resolver:device-groups:devicegroupstate",
    selfLink = link("/mgmt/shared/resolver/device-groups/" .. name),
    generation = 1,
  }
end

local function group_device(device, group)
  local body <const> = identity(device)
  body.deviceUri, body.httpsPort, body.state, body.groupName =
    "https://" .. device.address .. ":443", 443, "ACTIVE", group
  body.isVirtual, body.isClustered, body.isLicenseExpired = true, false, false
  body.properties = {}
  body.kind, body.generation = "shared:resolver:device-groups:restdeviceresolverdevicestate", 1
  body.selfLink =
    link(("/mgmt/shared/resolver/device-groups/%s/devices/%s"):format(group, device.machine_id))
  return body
end

local function device_groups(device, request)
  read_only(request)
  local group <const>, part <const>, id <const> = table.unpack(request.segments, 5, 7)
  if not group then
    local items <const> = json.array {}
    for i, name in ipairs(GROUPS) do
      items[i] = group_item(name)
    end
    return ok {
      items = items,
      generation = 1,
      kind = "shared:resolver:device-groups:devicegroupcollectionstate",
      selfLink = link(request.path),
    }
  end
  local known = false
  for _, name in ipairs(GROUPS) do known = known or name == group end
  if not known then return errors.rest(request, 404, "Object not found: " .. link(request.path)) end
  if not part then return ok(group_item(group)) end
  if part ~= "devices" then return errors.not_registered(request) end
  if id == nil then
    return ok {
      items = json.array { group_device(device, group) },
      generation = 1,
      kind = "shared:resolver:device-groups:devicegroupdevicecollectionstate",
      selfLink = link(request.path),
    }
  end
  if id ~= device.machine_id then
    return errors.rest(request, 404, "Object not found: " .. link(request.path))
  end
  return ok(group_device(device, group))
end

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
  local body <const> = request.json or {}
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
  local name <const> = request.segments[5]
  local is_admin <const> = request.user.access["all-partitions"] == "admin"
  if not name then
    if not is_admin then return auth.not_permitted(request) end
    if request.method == "POST" then return create_user(device, request) end
    read_only(request)
    local items <const> = json.array {}
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
  local object <const> = users.object(device, name)
  if not object then
    return errors.rest(request, 404, "Object not found: " .. link(request.path))
  end
  if request.method == "PATCH" or request.method == "PUT" then
    local body <const> = request.json or {}
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

-- The password of root, who never logs in by REST.
local function authn_root(device, request)
  if request.user.access["all-partitions"] ~= "admin" then return auth.not_permitted(request) end
  local body <const> = request.json or {}
  if request.method ~= "POST" then
    return errors.rest(request, 405, "Method not allowed: " .. request.method)
  end
  local known <const> = device.state.root_password
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
  local references <const> = json.array {}
  for _, object in ipairs(users.objects(device)) do
    references[#references + 1] = { link = link("/mgmt/shared/authz/users/" .. object.name) }
  end
  local role <const> = {
    name = "iControl_REST_API_User",
    displayName = "iControl_REST_API_User",
    userReferences = references,
    resources = json.array { { resourceMask = "/mgmt/**", restMethod = "GET" } },
    kind = "shared:authz:roles:rolesworkerstate", generation = 1, lastUpdateMicros = 0,
    selfLink = link "/mgmt/shared/authz/roles/iControl_REST_API_User",
  }
  local name <const> = request.segments[5]
  if name == role.name then return ok(role) end
  if name then return errors.rest(request, 404, "Object not found: " .. link(request.path)) end
  return ok { items = json.array { role }, generation = 1, lastUpdateMicros = 0,
    kind = "shared:authz:roles:rolescollectionstate", selfLink = link(request.path) }
end

function M.install(device)
  device.machine_id = users.uuid(device.hostname)
  device:route("/mgmt/shared/echo", echo)
  device:route("/mgmt/shared/identified-devices/config/device-info", device_info)
  device:route("/mgmt/shared/resolver/device-groups", device_groups)
  device:route("/mgmt/shared/authz/users", authz_users)
  device:route("/mgmt/shared/authz/roles", authz_roles)
  device:route("/mgmt/shared/authn/root", authn_root)
  for name, kind in pairs {
    activation = "activation:activatelicenseresponse",
    registration = "registration:registrationlicenseresponse",
  } do
    device:route("/mgmt/tm/shared/licensing/" .. name, function(_, request)
      read_only(request)
      return ok {
        kind = "tm:shared:licensing:" .. kind, selfLink = link(request.path), generation = 0,
        lastUpdateMicros = 0, status = "LICENSING_COMPLETE",
      }
    end)
  end
  device.state.root_password = device.state.root_password or users.encrypt "default"
end

return M
