-- Folders. A folder below "/" is a partition, too: see sim/kinds/auth/partition.lua.
local errors = require "sim.http.errors"
local folders = require "sim.kinds.common.folders"
local names = require "sim.config.names"
local scope = require "sim.cluster.scope"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"
local texts = require "sim.text"

local s <const> = property.text
local FOLDERS <const> = folders.FOLDERS
local PARTITIONS <const> = "/mgmt/tm/auth/partition/"

local folder <const> = {
  own_folder = true,
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    if name == "/" then return { name = name, fullPath = name } end  -- as every device lists it
    local full
    if name:sub(1, 1) == "/" then
      full = name
    else
      local above = type(body.partition) == "string" and body.partition or nil
      local below = type(body.subPath) == "string" and body.subPath or nil
      if below and below:sub(1, 1) == "/" and not above then
        above, below = below, nil  -- a sub-path from the root
      end
      if above then above = above:gsub("~", "/") else above = "/Common" end
      if above:sub(1, 1) ~= "/" then above = "/" .. above end
      full = texts.without_slashes(above) .. (below and "/" .. below:gsub("^/+", "") or "")
        .. "/" .. name
      full = texts.without_slashes((full:gsub("//+", "/")))
    end
    local above, last = full:match "^(.*)/([^/]+)$"
    if not last then validate.invalid("name", name) end
    validate.name({}, last)
    if above == "" then return { name = last, subPath = "/", fullPath = full } end
    local partition, rest = names.partition(above)
    return { name = last, partition = partition, subPath = rest, fullPath = full }
  end,
  prepare = function(store, object, properties, old)
    if not old then
      local above = object.fullPath:match "^(.*)/[^/]+$"
      if above ~= "" and not store:get(FOLDERS .. names.segment(above)) then
        error(
          errors.tm(400, ("The requested folder (%s) was not found."):format(above), 26214401),
          0
        )
      end
    end
    if properties.trafficGroup then
      object.inheritedTrafficGroup = properties.inheritedTrafficGroup or "false"
    end
    if properties.deviceGroup then
      object.inheritedDevicegroup = properties.inheritedDevicegroup or "false"
    end
    if object.trafficGroup then object.trafficGroup = names.absolute(object.trafficGroup) end
    if object.deviceGroup and object.deviceGroup ~= "none" then
      object.deviceGroup = names.absolute(object.deviceGroup)
    end
  end,
  made = function(store, _, object)
    if object.fullPath:find "^/[^/]+$" and not store:get(PARTITIONS .. object.name) then
      store:put(
        PARTITIONS .. object.name,
        {
          name = object.name, fullPath = object.name, generation = object.generation,
          defaultRouteDomain = 0,
        }
      )
    end
  end,
  removing = function(store, _, object)
    if object.fullPath == "/Common" or object.fullPath == "/" then
      validate.refuse_mcpd(
        ("01070829:3: The folder (%s) is a system folder and may not be deleted."):format(
          object.fullPath
        )
      )
    end
    folders.check_empty(store, object.fullPath)
  end,
  removed = function(store, _, object)
    if object.fullPath:find "^/[^/]+$" then store:put(PARTITIONS .. object.name, nil) end
  end,
}

local function show_folder(store, _, object, shown, context)
  if object.inheritedDevicegroup ~= "false" or object.fullPath == "/" then
    shown.deviceGroup = scope.group_of_folder(store.device, object.fullPath) or "none"
  end
  if object.fullPath == "/" then return end
  if context.short then shown.fullPath = object.name end
end

return {
  ["sys/folder"] = {
    facts = { exact = true,
      type = "collection", noun = "folder", known = true, full_names = true,
      props = {
        deviceGroup = s("none", { keeps_none = true }),
        hidden = s("false"),
        inheritedDevicegroup = s("true", { c = "false|true" }),
        inheritedTrafficGroup = s("true", { c = "false|true" }),
        noRefCheck = s("false"),
        trafficGroup = s("/Common/traffic-group-1"),
        description = s(),
      },
      refs = { trafficGroupReference = "cm/traffic-group" },
    },
    checks = folder,
    show = show_folder,
    factory = {
      objects = {
        {
          name = "/", fullPath = "/", trafficGroup = "/Common/traffic-group-1",
          inheritedTrafficGroup = "false", inheritedDevicegroup = "false",
        },
        { name = "Common", fullPath = "/Common", subPath = "/" },
        { name = "Drafts", fullPath = "/Common/Drafts", partition = "Common" },
      },
    },
  },
}
