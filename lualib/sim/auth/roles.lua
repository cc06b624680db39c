-- What a role may do. Administrators may do everything. All others may read, and may write what
-- their row of the table allows.
--
-- A pattern is matched against the path below /mgmt/tm. The texts of the refusals are listed in
-- docs/simulator.md under "Assumed".
local auth = require "sim.auth.login"
local errors = require "sim.http.errors"
local names = require "sim.config.names"
local rights = require "sim.auth.rights"
local uri = require "sim.config.uri"

local M = {}

local WRITES <const> = {
  ["resource-admin"] = { "^" },
  manager = {
    "^ltm/", "^gtm/", "^pem/", "^apm/", "^sys/application/", "^sys/file/", "^sys/icall/",
    "^sys/crypto/", "^sys/config$", "^sys/folder", "^security/", "^net/ipsec/", "^task/sys/config",
  },
  ["certificate-manager"] = {
    "^ltm/profile/client%-ssl", "^ltm/profile/server%-ssl", "^sys/file/ssl%-", "^sys/crypto/",
  },
  ["irule-manager"] = { "^ltm/rule" },
  ["firewall-manager"] = { "^security/" },
  ["fraud-protection-manager"] = { "^security/anti%-fraud/" },
  ["web-application-security-administrator"] = { "^asm/", "^security/", "^live%-update/" },
  ["web-application-security-editor"] = { "^asm/" },
  ["acceleration-policy-editor"] = { "^wam/" },
  ["user-manager"] = { "^auth/user" },
  ["application-editor"] = {},
  operator = {},
  guest = {},
  auditor = {},
}

-- Roles that modify existing objects only: which ones, and which properties.
local SWITCHES <const> = { session = true, state = true, enabled = true, disabled = true }
local SWITCHED <const> = {
  "^ltm/node/[^/]+$", "^ltm/pool/[^/]+/members/[^/]+$", "^ltm/virtual/[^/]+$",
  "^ltm/virtual%-address/[^/]+$", "^gtm/pool/.+/members/[^/]+$",
}
local EDITED <const> = { "^ltm/node/", "^ltm/pool/", "^ltm/monitor/" }

local READS <const> = { GET = true, HEAD = true, OPTIONS = true }

local function matches(patterns, path)
  for _, pattern in ipairs(patterns) do
    if path:find(pattern) then return true end
  end
  return false
end

-- The partition of a name in a body: that of the name, else the property `partition` beside it.
local function partition_of_name(name, beside)
  if type(name) == "string" and name:sub(1, 1) == "/" then
    local own = names.split(name)
    if own then return own end
  end
  if type(beside) == "string" and beside ~= "" then
    return (names.partition(beside))
  end
  return "Common"
end

-- The partitions that a request is about. Where the path names an object, the path counts: a body
-- cannot say that the object is somewhere else. Where it names a collection, the name of the new
-- object counts, then `partition`. A command also names where its result goes.
local function partitions_of(request)
  local found = {}
  for _, segment in ipairs(request.segments) do
    local partition = segment:match "^~([^~]+)~"
    if partition then
      found[1] = partition
      break
    end
  end
  local body = type(request.json) == "table" and request.json or {}
  local target = uri.resolve(request.segments)
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

local function only_switches(body)
  if type(body) ~= "table" then return false end
  for key in pairs(body) do
    if not SWITCHES[key] then return false end
  end
  return true
end

local function may_write(role, request, path)
  if matches(WRITES[role] or {}, path) then return true end
  if path:find "^transaction" then return role ~= "guest" and role ~= "auditor" end
  local changes = request.method == "PATCH" or request.method == "PUT"
  if changes and role == "application-editor" then return matches(EDITED, path) end
  if request.method == "PATCH" and role == "operator" then
    return matches(SWITCHED, path) and only_switches(request.json)
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
    ("01070822:3: Access Denied: User (%s) with role (%s) is not permitted to %s (%s) in partition (%s)"):format(
      request.user.name,
      role,
      request.method == "POST" and "create" or request.method == "DELETE" and "delete" or "modify",
      what,
      partition
    ),
    3
  )
end

-- Returns a refusal, or nil if the user may do it.
function M.check(request)
  local access = request.user.access
  local everywhere = access["all-partitions"]
  if everywhere == "admin" then return nil end
  if request.segments[2] ~= "tm" then return nil end
  local path = table.concat(request.segments, "/", 3)
  if is_own_account(request, path) then return nil end
  local partitions = partitions_of(request)
  local role = access[partitions[1]] or everywhere
  if READS[request.method] then
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
