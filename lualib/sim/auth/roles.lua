-- What a role may write, from one table. Administrators may write everything, all others what their
-- row allows. All but `no-access` may read.
--
-- The texts of the refusals are listed in docs/simulator.md under "Assumed".
local auth = require "sim.auth.login"
local errors = require "sim.http.errors"
local names = require "sim.config.names"
local rights = require "sim.auth.rights"
local uri = require "sim.config.uri"

local M = {}

local CHANGES <const> = { PATCH = true, PUT = true }
local ONLY_PATCH <const> = { PATCH = true }
local SWITCHES <const> = { session = true, state = true, enabled = true, disabled = true }

-- A rule of a row: the pattern of paths below /mgmt/tm, the methods (nil: all), the properties that
-- a body may have (nil: all).
local function rules(patterns, methods, properties)
  local list = { { pattern = "^transaction" } }  -- its commands are checked one by one
  for i, pattern in ipairs(patterns) do
    list[i + 1] = { pattern = pattern, methods = methods, properties = properties }
  end
  return list
end

-- Role -> rules. A role without a row writes nothing.
M.table = {
  ["resource-admin"] = rules { "^" },
  manager = rules {
    "^ltm/", "^gtm/", "^pem/", "^apm/", "^sys/application/", "^sys/file/", "^sys/icall/",
    "^sys/crypto/", "^sys/config$", "^sys/folder", "^security/", "^net/ipsec/", "^task/sys/config",
  },
  ["certificate-manager"] = rules {
    "^ltm/profile/client%-ssl", "^ltm/profile/server%-ssl", "^sys/file/ssl%-", "^sys/crypto/",
  },
  ["irule-manager"] = rules { "^ltm/rule" },
  ["firewall-manager"] = rules { "^security/" },
  ["fraud-protection-manager"] = rules { "^security/anti%-fraud/" },
  ["web-application-security-administrator"] =
    rules { "^asm/", "^security/", "^live%-update/" },
  ["web-application-security-editor"] = rules { "^asm/" },
  ["acceleration-policy-editor"] = rules { "^wam/" },
  ["user-manager"] = rules { "^auth/user" },  -- see also sim/auth/rights.lua
  ["application-editor"] =
    rules({ "^ltm/node/", "^ltm/pool/", "^ltm/monitor/" }, CHANGES),
  operator = rules({
    "^ltm/node/[^/]+$", "^ltm/pool/[^/]+/members/[^/]+$", "^ltm/virtual/[^/]+$",
    "^ltm/virtual%-address/[^/]+$", "^gtm/pool/.+/members/[^/]+$",
  }, ONLY_PATCH, SWITCHES),
}

-- What all users may write outside of /mgmt/tm. The handlers check whose token, account or file it
-- is.
local OTHER_WRITES <const> = {
  "^shared/authn/", "^shared/authz/tokens", "^shared/authz/users", "^shared/file%-transfer/",
  "^cm/autodeploy/software%-image", "^cm/autodeploy/qkview%-downloads", "^shared/echo",
  "^shared/save%-config",
}

local EVERYWHERE <const> = "all-partitions"
local READS <const> = { GET = true, HEAD = true, OPTIONS = true }

local function matches(patterns, path)
  for _, pattern in ipairs(patterns) do
    if path:find(pattern) then return true end
  end
  return false
end

-- The partition of a name in a body: that of the name, else the property `partition` beside it.
local function partition_of_name(name, beside)
  if type(name) == "string" and name:find "^[/~][^/~]" then return name:match "^.([^/~]+)" end
  if type(beside) == "string" and beside ~= "" then
    return (names.partition(beside))
  end
  return "Common"
end

-- The partition from which a DELETE of a collection with `?options=` takes objects.
local function deleted_partition(request)
  local name = (request.query["$filter"] or ""):match "^%s*partition%s+eq%s+'?\"?([^'\"%s]+)"
  return name and (names.partition(name)) or EVERYWHERE
end

-- The partitions that a request is about. Where the path names an object, the path counts: a body
-- cannot say that the object is somewhere else. Where it names a collection, the name of the new
-- object counts, then `partition`. A command also names where its result goes.
local function partitions_of(request)
  local found = {}
  for _, segment in ipairs(request.segments) do
    local partition = segment:match "^~([^~]+)"  -- "~P" is the folder of the partition P
    if partition then
      found[1] = partition
      break
    end
  end
  local body = type(request.json) == "table" and request.json or {}
  local target = uri.resolve(request.segments)
  local is_collection = target and target.what == "collection" and not target.parent
  if request.method == "DELETE" and is_collection then
    return { deleted_partition(request) }
  end
  local names_object = target and (target.what == "resource" or target.parent)
  if not found[1] and not names_object then
    found[1] = partition_of_name(body.name, body.partition)
  end
  found[1] = found[1] or "Common"
  if body.command ~= nil then
    if body.name ~= nil then found[#found + 1] = partition_of_name(body.name, body.partition) end
    if body.target ~= nil then found[#found + 1] = partition_of_name(body.target) end
  end
  return found
end

-- `?options=` can change other properties than those of the body.
local function has_only(request, properties)
  local body, options = request.json, request.query.options
  if type(body) ~= "table" or options and options ~= "" then return false end
  for key in pairs(body) do
    if not properties[key] then return false end
  end
  return true
end

local function may_write(role, request, path)
  for _, rule in ipairs(M.table[role] or {}) do
    if
      path:find(rule.pattern) and (not rule.methods or rule.methods[request.method])
      and (not rule.properties or has_only(request, rule.properties))
    then
      return true
    end
  end
  return false
end

-- sim/auth/rights.lua checks which properties of the account may change.
local function is_own_account(request, path)
  local name = path:match "^auth/user/([^/]+)$"
    or path == "auth/user" and request.method == "PATCH" and request.user.name
  return name and rights.is_self(request.user, name)
    and (READS[request.method] or request.method == "PATCH")
end

-- Whether the user is user manager of any partition. The path of an account has no partition, so
-- sim/auth/rights.lua checks the rest.
local function manages_users(access)
  for _, role in pairs(access) do
    if role == "user-manager" then return true end
  end
  return false
end

local function denied(request, role, partition)
  local what = request.segments[4] and table.concat(request.segments, " ", 3, 4)
    or tostring(request.segments[3])
  return errors.tm(
    403,
    (
      "01070822:3: Access Denied: User (%s) with role (%s) is not permitted to %s (%s) in "
        .. "partition (%s)"
    ):format(
      request.user.name,
      role,
      request.method == "POST" and "create" or request.method == "DELETE" and "delete" or "modify",
      what,
      partition
    ),
    3
  )
end

local function has_no_access_anywhere(access)
  for _, role in pairs(access) do
    if role == "no-access" then return true end
  end
  return false
end

-- Returns a refusal, or nil if the user may do it.
function M.check(request)
  local access = request.user.access
  local everywhere = access["all-partitions"]
  if everywhere == "admin" then return nil end
  local reads = READS[request.method]
  local own = request.segments[1] == "mgmt" and request.segments[2] or request.segments[1]
  if own == "f5lua-sim" then return nil end -- no path of a device
  if request.segments[2] ~= "tm" then
    if reads or matches(OTHER_WRITES, table.concat(request.segments, "/", 2)) then return nil end
    return auth.not_permitted(request)
  end
  if reads and not has_no_access_anywhere(access) then return nil end
  local path = table.concat(request.segments, "/", 3)
  if is_own_account(request, path) then return nil end
  local partitions = partitions_of(request)
  local role = access[partitions[1]] or everywhere
  if reads then
    return role == "no-access" and auth.not_permitted(request) or nil
  end
  if rights.grants(path) then
    local is_command = type(request.json) == "table" and request.json.command ~= nil
    if path:find "^auth/user" and manages_users(access) and not is_command then return nil end
    return denied(request, role or "no-access", partitions[1])
  end
  if path:find "^util/" and role ~= "resource-admin" then return auth.not_permitted(request) end
  for _, partition in ipairs(partitions) do
    role = access[partition] or everywhere
    if not role or not may_write(role, request, path) then
      return denied(request, role or "no-access", partition)
    end
  end
  return nil
end

function M.filter(_, request)
  return request.user and M.check(request) or nil
end

return M
