-- What is synchronised: which device group an object belongs to.
--
-- An object belongs to the device group of its folder. The root folder has the sync-failover group
-- of the device; folders inherit. What describes one device (its networks, its licence, its
-- modules, its name) belongs to none. What is in cm belongs to the trust domain.
local members = require "sim.cluster.members"
local names = require "sim.config.names"

local M = {}

local ROOT <const> = "/mgmt/tm/"
local FOLDERS <const> = ROOT .. "sys/folder/"
local LOCAL_GROUP <const> = "/Common/traffic-group-local-only"

-- Paths below /mgmt/tm of objects that stay on their device.
local LOCAL <const> = {
  "^net/vlan/", "^net/vlan%-group/", "^net/fdb/", "^net/trunk/", "^net/interface/", "^net/stp",
  "^net/route%-domain/", "^net/multicast%-globals", "^net/lldp%-globals", "^sys/management%-",
  "^sys/provision/", "^sys/software/", "^sys/ucs/", "^sys/ha%-group/", "^sys/license",
  "^sys/disk/", "^sys/global%-settings$", "^sys/hardware", "^sys/host%-info", "^sys/service/",
  "^sys/cluster", "^vcmp/", "^cli/global%-settings$",
}
-- Database variables of one device.
local LOCAL_VARIABLES <const> = {
  "^configsync", "^provision", "^license", "^setup", "^failover", "^hostname", "^ui%.system",
  "^install", "^systemauth%.primaryadminuser", "^statemirror", "^cluster",
}
-- What the devices of a trust domain share.
local TRUST <const> = { "^cm/device/", "^cm/device%-group/", "^cm/traffic%-group/",
  "^cm/trust%-domain/" }

local function matches(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
  return false
end

local function is_local(relative, object)
  if matches(relative, LOCAL) then return true end
  if relative:find "^net/self/" then return object.trafficGroup == LOCAL_GROUP end
  local variable = relative:match "^sys/db/(.+)$"
  return variable ~= nil and matches(variable, LOCAL_VARIABLES)
end

-- The full name of the folder that decides about a path.
local function folder_of(relative)
  local partition = relative:match "^auth/partition/(.+)$"
  if partition then return "/" .. partition end
  local named = relative:match "/(~[^/]+)"
  if not named then return "/Common" end
  local full = named:gsub("~", "/")
  if relative:find "^sys/folder/" then return full end
  return full:match "^(.+)/[^/]+$" or "/Common"
end

--- The device group of a folder: its own, or the inherited one; nil if there is none.
function M.group_of_folder(device, folder)
  while folder ~= "" and folder ~= "/" do
    local object = device.store:get(FOLDERS .. names.segment(folder))
    if object and object.inheritedDevicegroup == "false" then
      return object.deviceGroup ~= "none" and object.deviceGroup or nil
    end
    folder = folder:match "^(.*)/[^/]+$" or ""
  end
  local root = device.store:get(FOLDERS .. names.segment "/")
  local given = root and root.deviceGroup
  if given and given ~= "none" then return given end
  local group = members.failover_group(device)
  return group and group.fullPath or nil
end

--- The full name of the group that the object at a path belongs to; nil for a local object.
function M.group_of(device, path, object)
  local relative = path:sub(#ROOT + 1)
  if relative:sub(1, 3) == "cm/" then
    return matches(relative, TRUST) and members.TRUST_GROUP or nil
  end
  if is_local(relative, object) then return nil end
  return M.group_of_folder(device, folder_of(relative))
end

--- All objects of a group: { [path] = object }.
function M.objects(device, group)
  local found, folders = {}, {}
  for path, object in pairs(device.store.items) do
    local relative = path:sub(#ROOT + 1)
    if relative:sub(1, 3) == "cm/" then
      if group == members.TRUST_GROUP and matches(relative, TRUST) then found[path] = object end
    elseif group ~= members.TRUST_GROUP and not is_local(relative, object) then
      local folder = folder_of(relative)
      if folders[folder] == nil then
        folders[folder] = M.group_of_folder(device, folder) or false
      end
      if folders[folder] == group then found[path] = object end
    end
  end
  return found
end

return M
