-- Workers of restjavad below /mgmt/shared: echo, the identity of this device, device groups. For
-- users and roles see sim/auth/accounts.lua.
local json = require "f5.json"
local answer = require "sim.http.answer"
local errors = require "sim.http.errors"
local users = require "sim.auth.users"

local M = {}

local link <const>, ok <const>, read_only <const> = answer.link, answer.ok, answer.read_only

local function echo(_, request)
  if request.json then return ok(request.json) end
  return ok { stage = "STARTED", kind = "shared:echo:echostate", selfLink = link(request.path) }
end

-- The full name of the device in its trust domain.
local function own_name(device)
  for _, one in ipairs(device.store:list "/mgmt/tm/cm/device") do
    if one.selfDevice == "true" then return one.fullPath end
  end
  return "/Common/" .. device.hostname
end

-- The volumes with software.
local function slots(device)
  local list = json.array {}
  for _, volume in ipairs(device.store:list "/mgmt/tm/sys/software/volume") do
    list[#list + 1] = {
      volume = volume.name, product = volume.product, version = volume.version,
      build = volume.build, isActive = volume.active == true,
    }
  end
  return list
end

-- The identity of the device, for device-info and device groups.
local function identity(device)
  local version = device.version
  return {
    uuid = device.machine_id,
    machineId = device.machine_id,
    hostname = device.hostname,
    address = device.address,
    managementAddress = device.address,
    mcpDeviceName = own_name(device),
    product = version.product,
    version = version.version,
    build = version.build,
    edition = version.edition,
    restFrameworkVersion = version.rest_framework,
    slots = slots(device),
  }
end

local function device_info(device, request)
  read_only(request)
  local body = identity(device)
  body.uuid = nil
  body.platform, body.platformMarketingName = device.version.platform, device.version.platform_name
  body.baseMac, body.cpu, body.physicalMemory = "00:50:56:8f:2a:10", "Virtual CPU", 8192
  body.isIControlRestSupported, body.icrdPort = true, 8110
  body.kind, body.selfLink = "shared:resolver:device-groups:deviceinfostate", link(request.path)
  body.generation, body.lastUpdateMicros = 0, 0
  return ok(body)
end

local GROUPS <const> = {
  "cm-shared-all-big-ips", "cm-bigip-allBigIpDevices", "cm-bigip-allDevices", "dns-proxy-devices",
  "tm-shared-all-big-ips",
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
  local body = identity(device)
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
  local group, part, id = table.unpack(request.segments, 5, 7)
  if id == "event" then return device:pass(request) end
  read_only(request)
  if not group then
    local items = json.array {}
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

function M.install(device)
  device.machine_id = users.uuid(device.hostname)
  device:route("/mgmt/shared/echo", echo)
  device:route("/mgmt/shared/identified-devices/config/device-info", device_info)
  device:route("/mgmt/shared/resolver/device-groups", device_groups)
end

return M
