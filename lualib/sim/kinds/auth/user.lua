-- Users, what is known about failed logins, and the policy for passwords.
local errors = require "sim.http.errors"
local json = require "f5.json"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local response = require "sim.kinds.common.response"
local rights = require "sim.auth.rights"
local users = require "sim.auth.users"
local validate = require "sim.config.validate"

local s <const>, i <const> = property.text, property.number
local number <const>, text <const> = response.number, response.text
local PARTITIONS <const> = "/mgmt/tm/auth/partition/"

local function shallow(value)
  local copy = {}
  for key, item in pairs(value) do copy[key] = item end
  return copy
end

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
  local list = {}
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
        (
          "01070821:3: User Restriction Error: The role %s may only be assigned to all "
            .. "partitions."
        ):format(
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
    local fresh = shallow(body)
    local access = fresh.partitionAccess or fresh["partition-access"]
    fresh["partition-access"], fresh.partitionAccess = nil, nil
    if type(access) == "string" and access ~= "none" then
      access = { { name = access, role = fresh.role } }
    end
    if type(access) == "table" and not json.is_array(access) and #access == 0 then
      local list = {}
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
    local password = properties.password
    object.password, object.promptForPassword, object.role = nil, nil, nil
    local access = properties.partitionAccess
    if access and access ~= validate.NONE then
      object.partitionAccess = access_list(store, access)
    elseif properties.role and properties.role ~= validate.NONE then
      object.partitionAccess =
        access_list(store, { { name = "all-partitions", role = properties.role } })
    elseif not old then
      object.partitionAccess = json.array { { name = "all-partitions", role = "no-access" } }
    end
    -- Passwords of requests are taken out by sim/auth/users.lua, which knows the policy; this one
    -- comes with a seed.
    if type(password) == "string" then object.encryptedPassword = users.encrypt(password) end
    if not object.encryptedPassword then object.encryptedPassword = "!!" end
    if object.shell == "none" and not properties.shell then object.shell = nil end
    local admin = false
    for _, entry in ipairs(object.partitionAccess or {}) do
      admin = admin or entry.role == "admin" or entry.role == "resource-admin"
    end
    if object.shell == "bash" and not admin and object.name ~= "root" then
      validate.refuse_mcpd(
        (
          "01070825:3: Access Denied: The user (%s) may not have the shell bash: only "
            .. "administrators may."
        ):format(
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
}

local function show_user(_, _, object, shown, context)
  local list = {}
  for n, entry in ipairs(object.partitionAccess or {}) do
    list[n] = {
      name = entry.name,
      role = entry.role,
      nameReference = {
        link = names.link("/mgmt/tm/auth/partition/" .. entry.name, "ver=" .. context.version),
      },
    }
  end
  shown.partitionAccess = #list > 0 and json.array(list) or nil
end

local function login_failures(device, _, version)
  local entries = {}
  for _, object in ipairs(device.store:list "/mgmt/tm/auth/user") do
    local link = response.ROOT .. "auth/login-failures/" .. object.name
    entries[link] = {
      nestedStats = {
        kind = "tm:auth:login-failures:login-failuresstats",
        selfLink = link .. "?ver=" .. version,
        entries = {
          failTime = text "None", lockedOut = text "no", loginAttempts = number(0), tty = text " ",
          username = text(object.name),
        },
      },
    }
  end
  return entries, "tm:auth:login-failures:login-failurescollectionstats"
end

return {
  ["auth/user"] = {
    facts = { exact = true,
      noun = "user", flat = true, known = true,
      props = {
        description = { d = false },
        encryptedPassword = s(),
        partitionAccess = { t = "a" },
        password = s(),
        shell = s("none", { keeps_none = true, c = "bash|none|tmsh" }),
        role = s(),
        sessionLimit = s(),
        promptForPassword = s(),
        expirationStatus = { t = "s", r = true },
      },
    },
    checks = user,
    show = show_user,
  },
  ["auth/login-failures"] = { stats = { body = login_failures } },
  ["auth/password-policy"] = {
    facts = {
      known = true,
      props = {
        description = s(),
        expirationWarning = i(7),
        maxDuration = i(99999),
        maxLoginFailures = i(0),
        lockoutDuration = i(0),
        manualUnlockDisabled = s(),
        minDuration = i(0),
        minimumLength = i(6),
        passwordMemory = i(0),
        policyEnforcement = s("enabled", { c = "disabled|enabled" }),
        requiredLowercase = i(0),
        requiredNumeric = i(0),
        requiredSpecial = i(0),
        requiredUppercase = i(0),
      },
    },
  },
  ["auth/password"] = { facts = { type = "show" } },
}
