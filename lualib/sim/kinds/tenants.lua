-- Partitions, folders and users.
local json = require "f5.json"
local errors = require "sim.http.errors"
local names = require "sim.config.names"
local rights = require "sim.auth.rights"
local users = require "sim.auth.users"
local validate = require "sim.config.validate"

local FOLDERS <const> = "/mgmt/tm/sys/folder/"
local PARTITIONS <const> = "/mgmt/tm/auth/partition/"

local function shallow(value)
  local copy <const> = {}
  for key, item in pairs(value) do copy[key] = item end
  return copy
end

-- Whether anything but folders is in a folder or partition; the template of the first thing found.
local function content(store, full)
  local prefix <const> = full .. "/"
  for path, object in pairs(store.items) do
    local where <const> = object.fullPath
    if
      type(where) == "string" and where:sub(1, #prefix) == prefix
      and path:sub(1, #FOLDERS) ~= FOLDERS
    then
      return path
    end
  end
  return nil
end

local function subfolders(store, full)
  local list <const> = {}
  local prefix <const> = FOLDERS .. names.segment(full) .. "~"
  for path in pairs(store.items) do
    if path:sub(1, #prefix) == prefix then list[#list + 1] = path end
  end
  table.sort(list)
  return list
end

local folder <const> = {
  own_folder = true,
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
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
      full = above:gsub("/+$", "") .. (below and "/" .. below:gsub("^/+", "") or "") .. "/" .. name
      full = full:gsub("//+", "/"):gsub("/+$", "")
    end
    local above <const>, last <const> = full:match "^(.*)/([^/]+)$"
    if not last then validate.invalid("name", name) end
    validate.name({}, last)
    if above == "" then return { name = last, subPath = "/", fullPath = full } end
    local partition <const>, rest <const> = names.partition(above)
    return { name = last, partition = partition, subPath = rest, fullPath = full }
  end,
  prepare = function(store, object, properties, old)
    if not old then
      local above <const> = object.fullPath:match "^(.*)/[^/]+$"
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
  removing = function(store, path, object)
    if object.fullPath == "/Common" or object.fullPath == "/" then
      validate.refuse_mcpd(
        ("01070829:3: The folder (%s) is a system folder and may not be deleted."):format(
          object.fullPath
        )
      )
    end
    local found <const> = content(store, object.fullPath)
    local inner <const> = subfolders(store, object.fullPath)
    if found or #inner > 0 then
      if object.fullPath:find "^/[^/]+$" then
        validate.refuse_mcpd(
          ("0107082a:3: All objects must be removed from a partition (%s) before the partition may be removed, type ID (%d)"):format(
            object.name,
            found and 973 or 6
          )
        )
      end
      validate.refuse_mcpd(
        ("01070265:3: The folder (%s) cannot be deleted because it contains objects (%s)."):format(
          object.fullPath,
          found and store:get(found).fullPath or store:get(inner[1]).fullPath
        )
      )
    end
    local _ = path
  end,
  removed = function(store, _, object)
    if object.fullPath:find "^/[^/]+$" then store:put(PARTITIONS .. object.name, nil) end
  end,
  show = function(_, _, object, shown, context)
    if object.fullPath == "/" then return end
    if context.short then shown.fullPath = object.name end
  end,
}

local partition <const> = {
  prepare = function(store, object, properties, old)
    if not old and store:get(FOLDERS .. "~" .. object.name) then
      error(
        errors.tm(
          409,
          ("01020066:3: The requested folder (/%s) already exists in partition %s."):format(
            object.name,
            object.name
          ),
          3
        ),
        0
      )
    end
    if properties.defaultRouteDomain and properties.defaultRouteDomain ~= 0 then
      if math.type(properties.defaultRouteDomain) ~= "integer" then
        validate.invalid("defaultRouteDomain", properties.defaultRouteDomain)
      end
      local found = false
      for _, domain in ipairs(store:list "/mgmt/tm/net/route-domain") do
        found = found or domain.id == properties.defaultRouteDomain
      end
      if not found then
        error(
          errors.tm(
            404,
            ("01020036:3: The requested route domain (%d) was not found."):format(
              properties.defaultRouteDomain
            ),
            3
          ),
          0
        )
      end
    end
    if object.name:find "/" then validate.invalid("name", object.name) end
  end,
  made = function(store, _, object, ctx)
    if not store:get(FOLDERS .. "~" .. object.name) then
      store:create("/mgmt/tm/sys/folder", { name = "/" .. object.name }, ctx)
    end
  end,
  removing = function(store, _, object)
    if object.name == "Common" then
      validate.refuse_mcpd "01070829:3: The partition (Common) is a system partition and may not be deleted."
    end
    local found <const> = content(store, "/" .. object.name)
    local inner <const> = subfolders(store, "/" .. object.name)
    if found or #inner > 0 then
      validate.refuse_mcpd(
        ("0107082a:3: All objects must be removed from a partition (%s) before the partition may be removed, type ID (%d)"):format(
          object.name,
          found and 973 or 6
        )
      )
    end
  end,
  removed = function(store, _, object)
    store:put(FOLDERS .. "~" .. object.name, nil)
  end,
}

local ROLES <const> = {
  admin = true,
  ["resource-admin"] = true,
  manager = true,
  ["application-editor"] = true,
  ["certificate-manager"] = true,
  guest = true,
  ["irule-manager"] = true,
  ["no-access"] = true,
  operator = true,
  auditor = true,
  ["user-manager"] = true,
  ["application-security-administrator"] = true,
  ["application-security-editor"] = true,
  ["application-security-operations-administrator"] = true,
  ["acceleration-policy-editor"] = true,
  ["firewall-manager"] = true,
  ["fraud-protection-manager"] = true,
  ["web-application-security-administrator"] = true,
  ["web-application-security-editor"] = true,
}

local function access_list(store, value)
  local list <const> = {}
  local function add(name, role)
    role = tostring(role or "no-access")
    name = tostring(name)
    if not ROLES[role] then
      validate.refuse_mcpd(
        ("01070821:3: User Restriction Error: The role (%s) is not a valid role."):format(role)
      )
    end
    if name == "all" then name = "all-partitions" end
    if name ~= "all-partitions" and not store:get(PARTITIONS .. name) then
      error(
        errors.tm(404, ("01020036:3: The requested partition (%s) was not found."):format(name), 3),
        0
      )
    end
    list[#list + 1] = { name = name, role = role }
  end
  for _, entry in ipairs(value) do
    if type(entry) == "table" then
      add(entry.name or "all-partitions", entry.role)
    else
      add(entry, "no-access")
    end
  end
  for _, entry in ipairs(list) do
    if
      (
        entry.role == "admin" or entry.role == "resource-admin" or entry.role == "auditor"
        or entry.role == "web-application-security-administrator"
      ) and entry.name ~= "all-partitions"
    then
      validate.refuse_mcpd(
        ("01070821:3: User Restriction Error: The role %s may only be assigned to all partitions."):format(
          entry.role
        )
      )
    end
  end
  return json.array(list)
end

local user <const> = {
  read = function(_, _, body)
    -- "partition-access" and the older pair of role and partition mean the same as partitionAccess.
    local fresh <const> = shallow(body)
    local access = fresh.partitionAccess or fresh["partition-access"]
    fresh["partition-access"], fresh.partitionAccess = nil, nil
    if type(access) == "string" and access ~= "none" then
      access = { { name = access, role = fresh.role } }
    end
    if type(access) == "table" and not json.is_array(access) and #access == 0 then
      local list <const> = {}
      for name, entry in pairs(access) do
        list[#list + 1] = { name = name, role = type(entry) == "table" and entry.role or entry }
      end
      table.sort(list, function(a, b) return a.name < b.name end)
      access = #list > 0 and list or nil
    end
    fresh.partitionAccess = access
    return fresh
  end,
  prepare = function(store, object, properties, old, ctx)
    local password <const> = properties.password
    object.password, object.promptForPassword, object.role = nil, nil, nil
    local access <const> = properties.partitionAccess
    if access and access ~= validate.NONE then
      object.partitionAccess = access_list(store, access)
    elseif properties.role and properties.role ~= validate.NONE then
      object.partitionAccess =
        access_list(store, { { name = "all-partitions", role = properties.role } })
    elseif not old then
      object.partitionAccess = json.array { { name = "all-partitions", role = "no-access" } }
    end
    -- Passwords of requests are taken out by sim/auth/users.lua, which knows the policy; this one comes
    -- with a seed.
    if type(password) == "string" then object.encryptedPassword = users.encrypt(password) end
    if not object.encryptedPassword then object.encryptedPassword = "!!" end
    if object.shell == "none" and not properties.shell then object.shell = nil end
    local admin = false
    for _, entry in ipairs(object.partitionAccess or {}) do
      admin = admin or entry.role == "admin" or entry.role == "resource-admin"
    end
    if object.shell == "bash" and not admin then
      validate.refuse_mcpd(
        ("01070825:3: Access Denied: The user (%s) may not have the shell bash: only administrators may."):format(
          object.name
        )
      )
    end
    if not object.description then object.description = object.name end
    rights.check_change(ctx.user, old, object)
  end,
  removing = function(_, _, object, ctx)
    if object.name == "admin" or object.name == "root" then
      validate.refuse_mcpd(
        ("01070825:3: Access Denied: The system user (%s) may not be deleted."):format(object.name)
      )
    end
    if ctx.user and ctx.user.name == object.name then
      validate.refuse_mcpd(
        ("01070825:3: Access Denied: User (%s) may not delete itself."):format(object.name)
      )
    end
    rights.check_change(ctx.user, object, nil)
  end,
  show = function(_, _, object, shown, context)
    local list <const> = {}
    for i, entry in ipairs(object.partitionAccess or {}) do
      list[i] = {
        name = entry.name,
        role = entry.role,
        nameReference = {
          link = names.link("/mgmt/tm/auth/partition/" .. entry.name, "ver=" .. context.version),
        },
      }
    end
    shown.partitionAccess = #list > 0 and json.array(list) or nil
  end,
}

return {
  ["sys/folder"] = folder,
  ["auth/partition"] = partition,
  ["auth/user"] = user,
}
