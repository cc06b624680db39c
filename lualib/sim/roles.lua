-- What a role may do. Administrators may everything; all others read, and write what their row of
-- the table allows.
--
-- A pattern is matched against the path below /mgmt/tm. The texts of the refusals are in
-- docs/simulator.md under "assumed".
local auth = require "sim.auth"
local errors = require "sim.errors"

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

-- Roles that modify what is there, and how far.
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

-- The partition that a request is about: of the object's name in the path, of its body, Common.
local function partition_of(request)
  for _, segment in ipairs(request.segments) do
    local partition <const> = segment:match "^~([^~]+)~"
    if partition then return partition end
  end
  local body <const> = request.json
  if type(body) == "table" then
    if type(body.partition) == "string" then return (body.partition:gsub("^[/~]+", "")) end
    if type(body.name) == "string" then return body.name:match "^/([^/]+)/" or "Common" end
  end
  return "Common"
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
  local changes <const> = request.method == "PATCH" or request.method == "PUT"
  if changes and role == "application-editor" then return matches(EDITED, path) end
  if request.method == "PATCH" and role == "operator" then
    return matches(SWITCHED, path) and only_switches(request.json)
  end
  return false
end

local function is_own_account(request, path)
  local name <const> = path:match "^auth/user/([^/]+)$"
  if path == "auth/user" and request.method == "PATCH" then return true end
  return name == request.user.name
    and (
      READS[request.method]
      or (
        request.method == "PATCH" and type(request.json) == "table"
        and request.json.partitionAccess == nil
      )
    )
end

local function denied(request, role)
  local what <const> = request.segments[4] and table.concat(request.segments, " ", 3, 4)
    or tostring(request.segments[3])
  return errors.tm(
    403,
    ("01070822:3: Access Denied: User (%s) with role (%s) is not permitted to %s (%s) in partition (%s)"):format(
      request.user.name,
      role,
      request.method == "POST" and "create" or request.method == "DELETE" and "delete" or "modify",
      what,
      partition_of(request)
    ),
    3
  )
end

-- A refusal, or nil.
function M.check(request)
  local access <const> = request.user.access
  local everywhere <const> = access["all-partitions"]
  if everywhere == "admin" then return nil end
  if request.segments[2] ~= "tm" then return nil end
  local path <const> = table.concat(request.segments, "/", 3)
  if is_own_account(request, path) then return nil end
  local role <const> = access[partition_of(request)] or everywhere
  if READS[request.method] then
    return role == "no-access" and auth.not_permitted(request) or nil
  end
  if role == "resource-admin" and path:find "^auth/user" then return denied(request, role) end
  if path:find "^util/" and role ~= "resource-admin" then return auth.not_permitted(request) end
  if role and may_write(role, request, path) then return nil end
  return denied(request, role or "no-access")
end

function M.install(device)
  device:filter(110, function(_, request)
    return request.user and M.check(request) or nil
  end)
end

return M
